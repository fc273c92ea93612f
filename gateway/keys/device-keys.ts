import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import { readPublicKey } from './key-file.ts'

/** `device-1.key`, and after each rotation the next number: what an older one signed still names it. */
export const deviceKeyPath = (keysFolder: string, number: number): string =>
  join(keysFolder, `device-${number}.key`)

/** The numbers of the keys that are there, ascending. */
export async function deviceKeyNumbers(keysFolder: string): Promise<readonly number[]> {
  const names = await readdir(keysFolder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new KedgeError('FILE_UNREADABLE', cause.message, { cause })
  })
  return names
    .flatMap((name) => /^device-([1-9][0-9]{0,8})\.key$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

/** What `kedge keys` says of the device's key; a secret is in none of it. */
export interface ShownKey {
  /** Key id of the first key, which names the gateway for ever. */
  readonly gateway: string
  readonly keyId: string
  readonly algorithm: 'SM2'
  readonly publicKey: string
}

export async function showDeviceKey(keysFolder: string): Promise<ShownKey & { path: string }> {
  const numbers = await deviceKeyNumbers(keysFolder)
  // Without any, reading the first says that it is not there.
  const path = deviceKeyPath(keysFolder, numbers.at(-1) ?? 1)
  const publicKey = await readPublicKey(path)
  const first = await readPublicKey(deviceKeyPath(keysFolder, 1))
  return {
    gateway: bytesToHex(keyId(first)),
    keyId: bytesToHex(keyId(publicKey)),
    algorithm: 'SM2',
    publicKey: bytesToHex(publicKey),
    path,
  }
}
