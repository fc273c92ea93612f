/** What a configuration names and never holds: a password, read when a device is opened, and kept by nobody here. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** The option of a driver that needs one. Where a secret lies, never the secret itself. */
export const secretReference = z
  .strictObject({
    file: z
      .string()
      .regex(/^(?:\/|\.{1,2}\/)[^\0]{0,4095}$/)
      .meta({ title: 'a path: /from/the/root, or ./from/the/data/folder' })
      .describe('File that holds it; only the gateway may be able to read it')
      .optional(),
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .meta({ title: 'the name of an environment variable' })
      .describe('Environment variable that holds it')
      .optional(),
    credential: z
      .string()
      .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/)
      .meta({ title: 'the name of a systemd credential' })
      .describe('systemd credential that holds it (LoadCredential= in the unit)')
      .optional(),
  })
  .refine((reference) => Object.keys(reference).length === 1)
  .meta({
    title: 'the place where the secret lies: one of file, env or credential',
    $comment:
      'a secret never stands in this file; name where it lies, as in {file: /etc/kedge/secret}',
    minProperties: 1,
    maxProperties: 1,
    // Whatever stands under this key is never shown.
    writeOnly: true,
  })

export type SecretReference = z.output<typeof secretReference>

/** Without the end of line that an editor adds. No error says anything of what was read. */
export async function secretFrom(reference: SecretReference): Promise<Buffer> {
  const { file, env, credential } = reference
  if (file !== undefined) return withoutLineEnd(await readPrivate(file), file)
  if (env !== undefined) {
    return withoutLineEnd(Buffer.from(process.env[env] ?? ''), `the environment variable ${env}`)
  }
  const folder = process.env.CREDENTIALS_DIRECTORY
  if (!folder || credential === undefined) {
    throw refused('systemd hands over no such credential', {
      hint: `Write LoadCredential=${credential ?? 'NAME'}:PATH into the unit, and start the gateway by systemd.`,
    })
  }
  // Its mode may show what access lists add.
  const bytes = await readPrivate(join(folder, credential), 'may be open')
  return withoutLineEnd(bytes, `the credential ${credential}`)
}

/** A file that only its owner may read, such as a private key. */
export async function readPrivate(path: string, mode?: 'may be open'): Promise<Buffer> {
  try {
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
  } catch (cause) {
    if (cause instanceof KedgeError) throw cause
    throw refused(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause })
  }
}

function withoutLineEnd(bytes: Buffer, where: string): Buffer {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length
  const secret = bytes.subarray(0, end)
  if (secret.length > 0) return secret
  throw refused(`${where} is empty or not there`, { hint: 'Put the secret there.' })
}

const refused = (message: string, options?: { hint?: string; cause?: unknown }) =>
  new KedgeError('SECRET_REFUSED', message, options)

const maxBytes = 65_536
