import { getRandomValues } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { makeKeysFolder, writeNewFile } from './write-new-file.ts'

/** Where a secret lies: what `keys.secret` of the configuration says. */
export interface SecretReference {
  readonly file?: string | undefined
  readonly env?: string | undefined
  readonly credential?: string | undefined
}

/**
 * The passphrase of the keys: overwrite it after use. Without a reference it is the file `secret` beside
 * them, made before the first key is. No error says anything of what it read.
 */
export async function readSecret(
  reference: SecretReference | undefined,
  keysFolder: string,
): Promise<Uint8Array> {
  const { file, env, credential } = reference ?? {}
  if (file !== undefined) return ofFile(file)
  if (env !== undefined) return ofEnvironment(env)
  if (credential !== undefined) return ofCredential(credential)
  return (await ofFile(join(keysFolder, secretName), 'may be absent')) ?? makeSecret(keysFolder)
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
  return ofFile(path)
}

async function keysIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name === 'key' || name.endsWith('.key'))
}

async function ofFile(path: string): Promise<Uint8Array>
async function ofFile(path: string, absence: 'may be absent'): Promise<Uint8Array | undefined>
async function ofFile(path: string, absence?: 'may be absent'): Promise<Uint8Array | undefined> {
  const bytes = await readPrivate(path, { mayBeOpen: false }).catch((cause: unknown) => {
    if (cause instanceof KedgeError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' && absence) return undefined
    throw refused(code === 'ENOENT' ? `there is no ${path}` : message, {
      hint: 'Check keys.secret in the configuration, and who may read that file.',
      cause,
    })
  })
  return bytes && passphrase(bytes, path)
}

function ofEnvironment(name: string): Uint8Array {
  const text = process.env[name]
  if (text === undefined) {
    throw refused(`the environment has no ${name}`, {
      hint: 'Set it for the gateway, or name another place with keys.secret.',
    })
  }
  return passphrase(utf8(text), `the environment variable ${name}`)
}

/** systemd decrypts it into a folder that only the unit sees; its mode may show what access lists add. */
async function ofCredential(name: string): Promise<Uint8Array> {
  const folder = process.env.CREDENTIALS_DIRECTORY
  const hint = `Write LoadCredential=${name}:PATH into the unit, and start the gateway by systemd.`
  if (!folder) throw refused('systemd hands over no credentials here', { hint })
  // The configuration allows no other names; a path would leave the folder.
  if (!/^[A-Za-z0-9._-]{1,255}$/.test(name) || /^\.\.?$/.test(name)) {
    throw refused('this is not the name of a credential', { hint })
  }
  const bytes = await readPrivate(join(folder, name), { mayBeOpen: true }).catch(
    (cause: unknown) => {
      if (cause instanceof KedgeError) throw cause
      throw refused(`systemd hands over no credential ${name}`, { hint, cause })
    },
  )
  return passphrase(bytes, `the credential ${name}`)
}

async function readPrivate(path: string, { mayBeOpen }: { mayBeOpen: boolean }) {
  // Without O_NONBLOCK the open waits until somebody writes into a named pipe.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw refused(`${path} is not a file`)
    if (!mayBeOpen && (stat.mode & 0o077) !== 0) {
      throw refused(`others than its owner can use ${path}, so it is no secret`, {
        hint: `chmod 600 ${path}, and change the secret if somebody may have read it`,
      })
    }
    if (stat.size > maxBytes) throw refused(`${path} is longer than ${maxBytes} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** Without the end of line that an editor adds. */
function passphrase(bytes: Uint8Array, where: string): Uint8Array {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length
  const secret = Uint8Array.from(bytes.subarray(0, end))
  bytes.fill(0)
  if (secret.length > 0) return secret
  throw refused(`${where} is empty`, { hint: 'Write a long random text into it.' })
}

const refused = (message: string, options?: { hint?: string; cause?: unknown }) =>
  new KedgeError('SECRET_REFUSED', message, options)

const secretName = 'secret'
const maxBytes = 4096
