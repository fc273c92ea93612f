import { getRandomValues } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type SecretReference, secretFrom, secretIn } from '../../drivers/transports/secret.ts'
import { isThere } from '../whole-files.ts'
import { makeKeysFolder, writeNewFile } from './write-new-file.ts'

export type { SecretReference } from '../../drivers/transports/secret.ts'

const named = 'keys.secret'

/**
 * The passphrase of the keys: overwrite it after use. Without a reference it is the file `secret` beside
 * them, made before the first key is.
 */
export async function readSecret(
  reference: SecretReference | undefined,
  keysFolder: string,
): Promise<Uint8Array> {
  const { file, env, credential } = reference ?? {}
  if ((file ?? env ?? credential) !== undefined) return secretFrom({ file, env, credential }, named)
  const path = join(keysFolder, secretName)
  return (await isThere(path)) ? secretIn(path, named) : makeSecret(keysFolder)
}

/** For whoever makes a key without naming a secret. */
export const secretBesideKeys =
  'the secret lies beside the keys: whoever can read this folder, or a copy of the card, can sign as ' +
  'this gateway; name another place with keys.secret in the configuration'

async function makeSecret(keysFolder: string): Promise<Uint8Array> {
  const path = join(keysFolder, secretName)
  const keys = await keysIn(keysFolder)
  if (keys.length > 0) {
    throw new KedgeError('SECRET_REFUSED', `there is ${keys[0]} but no ${path}, which opens it`, {
      hint: 'Bring back that file, or name the secret with keys.secret in the configuration.',
    })
  }
  try {
    await makeKeysFolder(keysFolder)
    const random = getRandomValues(new Uint8Array(32))
    // Another process may have been first: then its secret counts, and is read below.
    await writeNewFile(path, utf8(`${bytesToHex(random)}\n`))
    random.fill(0)
  } catch (cause) {
    const { message } = cause as NodeJS.ErrnoException
    throw new KedgeError('FILE_UNREADABLE', `cannot make a secret: ${message}`, { cause })
  }
  return secretIn(path, named)
}

async function keysIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name === 'key' || name.endsWith('.key'))
}

const secretName = 'secret'
