/** The keys that a running gateway signs with: its own, and that of a ledger which lives beside it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { DataFolder } from '../data-folder.ts'
import { deviceKeyNumbers, deviceKeyPath } from './device-keys.ts'
import { createKeyFile, type Key, openKeyFile } from './key-file.ts'
import { readSecret, type SecretReference } from './secret.ts'

export async function openDeviceKey(
  { keys }: DataFolder,
  reference: SecretReference | undefined,
): Promise<Key> {
  const number = (await deviceKeyNumbers(keys)).at(-1)
  if (number === undefined) {
    throw new KedgeError('STORE_DAMAGED', `the key of this gateway is not in ${keys}`, {
      hint: 'Bring the folder back from a backup: no other key can go on with this store.',
    })
  }
  return withSecret(keys, reference, (secret) => openKeyFile(deviceKeyPath(keys, number), secret))
}

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
