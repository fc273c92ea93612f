import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { DataFolder } from '../data-folder.ts'
import type { Algorithm } from './curve.ts'
import { createKeyFile, type Key, openKeyFile } from './key-file.ts'
import { readSecret, type SecretReference } from './secret.ts'

/** A ledger in this process, and an account on a chain, sign with a key in a folder of its own, made at its first use. */
export async function openLedgerKey(
  { keys }: DataFolder,
  reference: SecretReference | undefined,
  { folder, algorithm, isFirstUse }: LedgerKeyPlace,
): Promise<Key> {
  const path = join(folder, 'key')
  return withSecret(keys, reference, async (secret) => {
    if (isFirstUse) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await createKeyFile(path, secret, algorithm).catch(ignoreThere)
    }
    return openKeyFile(path, secret, algorithm)
  })
}

export interface LedgerKeyPlace {
  readonly folder: string
  readonly algorithm: Algorithm
  /** Only then may a key be made: one that is gone later is no reason for another. */
  readonly isFirstUse: boolean
}

async function withSecret<T>(
  keys: string,
  reference: SecretReference | undefined,
  use: (secret: Uint8Array) => Promise<T>,
): Promise<T> {
  const secret = await readSecret(reference, keys)
  try {
    return await use(secret)
  } finally {
    secret.fill(0)
  }
}

/** A ledger that others use as well has its key already. */
function ignoreThere(error: unknown): void {
  if (!(error instanceof KedgeError && error.code === 'KEY_EXISTS')) throw error
}
