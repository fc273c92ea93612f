import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { DataFolder } from '../data-folder.ts'
import { createKeyFile, type Key, openKeyFile } from './key-file.ts'
import { readSecret, type SecretReference } from './secret.ts'

/** A ledger in this process signs with a key in its own folder, made at its first use. */
export async function openLedgerKey(
  { keys }: DataFolder,
  reference: SecretReference | undefined,
  folder: string,
  isFirstUse: boolean,
): Promise<Key> {
  const path = join(folder, 'key')
  return withSecret(keys, reference, async (secret) => {
    if (isFirstUse) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await createKeyFile(path, secret).catch(ignoreThere)
    }
    return openKeyFile(path, secret)
  })
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
