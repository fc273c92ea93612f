/** Checkpoints as files for other tools: what was signed, the signature, the key. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { extractCheckpoints } from '../../anchor-client/evidence/extract.ts'
import { typedPath } from './paths.ts'
import { readInput } from './read-input.ts'

export interface Extracted {
  readonly dir: string
  /** A shell command that says whether the signature is good. */
  readonly openssl: string
}

/** Writes a folder a checkpoint; bytes that cannot be decoded hold none. */
export async function extractInto(folder: string, bytes: Uint8Array): Promise<Extracted[]> {
  const extracted: Extracted[] = []
  for (const { seq, size, message, signatureDer, publicKeyPem } of checkpointsIn(bytes)) {
    const dir = join(folder, `seal-${seq}-size-${size}`)
    const key = new TextEncoder().encode(publicKeyPem)
    for (const [name, content] of [
      ['M.bin', message],
      ['sig.der', signatureDer],
      ['key.pem', key],
    ] as const) {
      await writeOnce(join(dir, name), content)
    }
    extracted.push({ dir, openssl: opensslLine(dir) })
  }
  return extracted
}

function checkpointsIn(bytes: Uint8Array) {
  try {
    return extractCheckpoints(bytes)
  } catch (error) {
    // The report says what is wrong with the file.
    if (error instanceof KedgeError && error.code === 'EVIDENCE_MALFORMED') return []
    throw error
  }
}

async function writeOnce(path: string, content: Uint8Array): Promise<void> {
  const target = typedPath(path)
  try {
    // One level at a time: a recursive mkdir never ends below /proc.
    await makeFolder(join(target, '..', '..'))
    await makeFolder(join(target, '..'))
    await writeFile(target, content, { flag: 'wx' })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await holds(path, content))) return
    const why = code === 'EEXIST' ? `${path} is there already, and is another` : message
    throw new KedgeError('FILE_UNREADABLE', `cannot extract: ${why}`, {
      cause,
      hint: 'Name a folder that is empty or not there yet.',
    })
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Whether just these bytes stand there; whatever is no plain file of that length is not read. */
async function holds(path: string, content: Uint8Array): Promise<boolean> {
  try {
    const there = await readInput(path, content.length)
    return 'bytes' in there && equalBytes(there.bytes, content)
  } catch {
    return false
  }
}

const opensslLine = (dir: string): string =>
  [
    'openssl pkeyutl -verify -pubin',
    `-inkey ${quoted(join(dir, 'key.pem'))} -rawin -digest sm3`,
    `-in ${quoted(join(dir, 'M.bin'))} -sigfile ${quoted(join(dir, 'sig.der'))}`,
    '-pkeyopt distid:1234567812345678',
  ].join(' ')

const quoted = (path: string): string =>
  /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
