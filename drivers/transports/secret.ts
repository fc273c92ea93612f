/** What a configuration names and never holds: a passphrase, a password, a key. No error says anything of what was read. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** The configuration's own form of it, with its explanations, is put in its place by config/registry.ts. */
export const secretReference = z.strictObject({
  file: z.string().optional(),
  env: z.string().optional(),
  credential: z.string().optional(),
})

export type SecretReference = z.output<typeof secretReference>

/** Overwrite it after use. `named` is the key of the configuration that says where it lies, for the hints. */
export async function secretFrom(
  { file, env, credential }: SecretReference,
  named = 'the secret',
): Promise<Uint8Array> {
  if (file !== undefined) return secretIn(file, named)
  if (env !== undefined) return ofEnvironment(env, named)
  return ofCredential(String(credential))
}

export const secretIn = async (path: string, named: string): Promise<Uint8Array> =>
  withoutLineEnd(await privateFile(path, named), path)

/** A file that only its owner may read, such as the key of a certificate. */
export async function privateFile(path: string, named: string): Promise<Buffer> {
  try {
    return await readPrivate(path)
  } catch (cause) {
    if (cause instanceof KedgeError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw refused(code === 'ENOENT' ? `there is no ${path}` : message, {
      hint: `Check ${named} in the configuration, and who may read that file.`,
      cause,
    })
  }
}

function ofEnvironment(name: string, named: string): Uint8Array {
  const text = process.env[name]
  if (text === undefined) {
    throw refused(`the environment has no ${name}`, {
      hint: `Set it for the gateway, or name another place with ${named}.`,
    })
  }
  return withoutLineEnd(utf8(text), `the environment variable ${name}`)
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
  const bytes = await readPrivate(join(folder, name), 'may be open').catch((cause: unknown) => {
    if (cause instanceof KedgeError) throw cause
    throw refused(`systemd hands over no credential ${name}`, { hint, cause })
  })
  return withoutLineEnd(bytes, `the credential ${name}`)
}

async function readPrivate(path: string, mode?: 'may be open'): Promise<Buffer> {
  // Without O_NONBLOCK the open waits until somebody writes into a named pipe.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw refused(`${path} is not a file`)
    if (mode === undefined && (stat.mode & 0o077) !== 0) {
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
function withoutLineEnd(bytes: Uint8Array, where: string): Uint8Array {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length
  const secret = Uint8Array.from(bytes.subarray(0, end))
  bytes.fill(0)
  if (secret.length > 0) return secret
  throw refused(`${where} is empty`, { hint: 'Write a long random text into it.' })
}

const refused = (message: string, options?: { hint?: string; cause?: unknown }) =>
  new KedgeError('SECRET_REFUSED', message, options)

/** A key of TLS may be this long. */
const maxBytes = 65_536
