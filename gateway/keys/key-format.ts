import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { hexToBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { isPublicKey } from '../../anchor-client/evidence/sm2.ts'
import { algorithms } from './curve.ts'
import { writeNewFile } from './write-new-file.ts'

/** A key file is one line of JSON, its keys in this order: a person sees what it is and how it is wrapped. */
const version1 = z.strictObject({
  format: z.literal('kedge-key'),
  version: z.literal(1),
  algorithm: z.literal(algorithms),
  publicKey: hexOf(65),
  scrypt: z
    .strictObject({
      // Bounds both ways: a file must not cost this computer its memory, nor a thief too little.
      n: z.literal([2 ** 14, 2 ** 15, 2 ** 16, 2 ** 17]),
      r: z.literal(8),
      p: z.int().min(1).max(4),
      salt: hexOf(32),
    })
    .readonly(),
  cipher: z.literal('SM4-CTR, HMAC-SM3'),
  iv: hexOf(16),
  wrapped: hexOf(32),
  tag: hexOf(32),
})

export type KeyFile = Readonly<z.infer<typeof version1>>

/** What the tag is over: the file without it. */
export function taggedPart({ tag: _, ...rest }: KeyFile): Uint8Array {
  return utf8(JSON.stringify(rest))
}

/** False where there is a file of that name. */
export async function writeKeyFile(path: string, file: KeyFile): Promise<boolean> {
  try {
    return await writeNewFile(path, utf8(textOf(file)))
  } catch (cause) {
    const { message } = cause as NodeJS.ErrnoException
    throw new KedgeError('FILE_UNREADABLE', `cannot write a key: ${message}`, { cause })
  }
}

export async function readKeyFile(path: string): Promise<KeyFile> {
  return parseKeyFile(await textIn(path), path)
}

export function parseKeyFile(text: string, path: string): KeyFile {
  const value = parsed(text)
  const head = z.looseObject({ format: z.literal('kedge-key') }).safeParse(value)
  if (!head.success) {
    const isCut = text === '' || (text.startsWith(start) && value === undefined)
    throw isCut ? damaged(path) : malformed(`${path} is no key file of Kedge`, keepHint)
  }
  if (head.data.version !== 1) {
    const { version } = head.data
    const which = typeof version === 'number' ? `version ${version}` : 'another version'
    throw malformed(
      `${path} is a key file of ${which}, and this program reads version 1`,
      'Use the version of Kedge that wrote it, or a newer one. Nothing was changed.',
    )
  }
  const file = version1.safeParse(value)
  // One form only: the tag is over bytes, not over what they might mean.
  if (!file.success || textOf(file.data) !== text) throw damaged(path)
  const { algorithm, publicKey } = file.data
  if (algorithm === 'SM2' && !isPublicKey(hexToBytes(publicKey))) throw damaged(path)
  return file.data
}

const textOf = (file: KeyFile): string => `${JSON.stringify(file)}\n`

async function textIn(path: string): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile() || stat.size > maxBytes) {
        throw malformed(`${path} is no key file of Kedge`, keepHint)
      }
      return await file.readFile('latin1')
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof KedgeError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw new KedgeError('KEY_MISSING', `there is no key ${path}`, {
        hint: 'Make one with `kedge keys new`, or bring back the file that was there.',
        cause,
      })
    }
    throw new KedgeError('FILE_UNREADABLE', message, { cause })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function hexOf(bytes: number) {
  return z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
}

const start = '{"format":"kedge-key"'
const keepHint = 'Bring back the key file that this gateway made. Nothing was changed.'
const maxBytes = 4096

const malformed = (message: string, hint: string) =>
  new KedgeError('KEY_MALFORMED', message, { hint })

const damaged = (path: string) => malformed(`${path} is cut short or damaged`, keepHint)
