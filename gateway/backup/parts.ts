/** What a backup is made of: the magic, parts with their lengths, and a hash over all of it in the last one. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { equalBytes, u32, utf8 } from '../../anchor-client/evidence/bytes.ts'
import {
  type Cursor,
  decodeWhole,
  readBytes,
  readText,
  readTuple,
  readUint,
} from '../../anchor-client/evidence/codec.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { RowKind } from '../journal/row.ts'

export const magic = utf8('kedge backup 1\n')
export const blockBytes = 1024 * 1024
const longestPart = 64 * 1024 * 1024

export type Part =
  | { readonly type: 'file'; readonly path: string; readonly bytes: Uint8Array }
  | {
      readonly type: 'row'
      readonly number: number
      readonly kind: RowKind
      readonly body: Uint8Array
    }
  | { readonly type: 'pin'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly type: 'anchor'; readonly ledgerId: Uint8Array; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly sm3: Uint8Array }

const types = ['file', 'row', 'pin', 'anchor', 'end'] as const
const kinds: readonly RowKind[] = ['frame', 'seal', 'signature', 'gone']

export const encodePart = (part: Part): Uint8Array => {
  const body = encode([types.indexOf(part.type), ...itemsOf(part)])
  return Uint8Array.from(Buffer.concat([u32(body.length), body]))
}

function itemsOf(part: Part) {
  switch (part.type) {
    case 'file':
      return [part.path, part.bytes]
    case 'row':
      return [part.number, kinds.indexOf(part.kind), part.body]
    case 'pin':
      return [part.name, part.bytes]
    case 'anchor':
      return [part.ledgerId, part.bytes]
    case 'end':
      return [part.sm3]
  }
}

/** The parts of a whole file; throws where it is not one. */
export async function* partsIn(path: string): AsyncGenerator<Part, void> {
  let rest = Buffer.alloc(0)
  const hash: Hash = createHash('sm3')
  let isBegun = false
  let isEnded = false
  for await (const piece of piecesOf(path)) {
    rest = Buffer.concat([rest, piece])
    if (!isBegun) {
      if (!equalBytes(rest.subarray(0, magic.length), magic)) throw notABackup(path)
      hash.update(rest.subarray(0, magic.length))
      rest = rest.subarray(magic.length)
      isBegun = true
    }
    while (!isEnded && rest.length >= 4) {
      const length = rest.readUInt32BE(0)
      if (length > longestPart) throw notABackup(path)
      if (rest.length < 4 + length) break
      const part = partIn(rest.subarray(4, 4 + length), path)
      if (part.type === 'end') {
        if (!equalBytes(part.sm3, Uint8Array.from(hash.digest()))) throw notABackup(path)
        isEnded = true
      } else {
        hash.update(rest.subarray(0, 4 + length))
        yield part
      }
      rest = rest.subarray(4 + length)
    }
  }
  if (!isEnded || rest.length > 0) throw notABackup(path)
}

async function* piecesOf(path: string): AsyncGenerator<Buffer, void> {
  try {
    yield* createReadStream(path, { highWaterMark: blockBytes })
  } catch (cause) {
    const { message } = cause as NodeJS.ErrnoException
    throw new KedgeError('FILE_UNREADABLE', `cannot read ${path}: ${message}`, { cause })
  }
}

function partIn(bytes: Uint8Array, path: string): Part {
  try {
    return decodeWhole(Uint8Array.from(bytes), readPart)
  } catch {
    throw notABackup(path)
  }
}

function readPart(at: Cursor): Part {
  const length = readLength(at)
  const type = types[readUint(at, types.length - 1)]
  const expected = type === 'row' ? 4 : type === 'end' ? 2 : 3
  if (length !== expected) throw new TypeError('not a part')
  switch (type) {
    case 'file':
      return { type, path: readText(at, 256), bytes: readBytes(at) }
    case 'row':
      return {
        type,
        number: readUint(at),
        kind: kinds[readUint(at, kinds.length - 1)] as RowKind,
        body: readBytes(at),
      }
    case 'pin':
      return { type, name: readText(at, 256), bytes: readBytes(at) }
    case 'anchor':
      return { type, ledgerId: readBytes(at), bytes: readBytes(at) }
    default:
      return { type: 'end', sm3: readBytes(at) }
  }
}

function readLength(at: Cursor): number {
  for (const count of [2, 3, 4]) {
    const start = at.at
    try {
      readTuple(at, count, 'a part')
      return count
    } catch {
      at.at = start
    }
  }
  throw new TypeError('not a part')
}

export const notABackup = (path: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${path} is no whole backup of a store`, {
    hint: 'Take another copy of it. Nothing was written.',
  })
