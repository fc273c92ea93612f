import { u32, utf8 } from './bytes.ts'
import {
  type Cursor,
  majorAt,
  malformed,
  readBytes,
  readCount,
  readFixedBytes,
  readTuple,
  readUint,
} from './codec.ts'
import type { Item } from './encode.ts'
import { decodeField } from './fields.ts'
import type { Leaf, LeafList, Opening, Outline } from './model.ts'
import { commitmentsOfPrivate } from './record-codes.ts'
import { decodeRecord, holdsReading } from './records.ts'
import { sm3 } from './sm3.ts'

/** Leaves of a range, as a file carries them and as a tree hashes them (FORMAT.md sections 5 and 8). */

export const maxLeaves = 1_048_576
const maxNodesOfRun = 128

const leafPrefix = utf8('kedge/leaf/v1\0')
const fieldPrefix = utf8('kedge/field/v1\0')

export const commitLeaf = (salt: Uint8Array, record: Uint8Array): Uint8Array =>
  sm3(leafPrefix, salt, u32(record.length), record)

export const commitField = (salt: Uint8Array, field: Uint8Array): Uint8Array =>
  sm3(fieldPrefix, salt, u32(field.length), field)

/** What `commitLeaf` hashes, laid out for hashing many at once. */
export const messageLength = (record: Uint8Array): number => leafPrefix.length + 20 + record.length

export function writeMessage(
  into: Uint8Array,
  at: number,
  salt: Uint8Array,
  record: Uint8Array,
): void {
  into.set(leafPrefix, at)
  into.set(salt, at + leafPrefix.length)
  const lengthAt = at + leafPrefix.length + 16
  for (let i = 0; i < 4; i++) into[lengthAt + i] = record.length >>> (24 - 8 * i)
  into.set(record, at + leafPrefix.length + 20)
}

/** The byte before a commit: a hidden leaf's is a reading's, or the root will not fit. */
export const leafPrefixByte = (leaf: Exclude<Outline, { form: 'run' }>): number =>
  leaf.form === 'hidden' || holdsReading(leaf.bytes) ? 0 : 2

/** The leaf's hash in its stream's tree. */
export const leafHash = (leaf: Exclude<Outline, { form: 'run' }>): Uint8Array =>
  sm3(
    Uint8Array.of(leafPrefixByte(leaf)),
    leaf.form === 'hidden' ? leaf.commit : commitLeaf(leaf.salt, leaf.bytes),
  )

function readLeaf(cursor: Cursor): Leaf {
  const isPrivate = isPrivateAt(cursor)
  const outline = readOutline(cursor)
  if (outline.form !== 'opened') return outline
  const { salt, bytes } = outline
  const record = decodeRecord(bytes)
  if ((record.type === 'private') !== isPrivate)
    throw malformed(cursor, 'openings for a private reading only')
  return { form: 'opened', salt, bytes, record, openings: isPrivate ? readOpenings(cursor) : [] }
}

const isPrivateAt = ({ bytes, at }: Cursor): boolean => bytes[at] === 0x83

/** The leaf as its tree sees it: what its record says, and what is opened of it, is not looked at. */
function readOutline(cursor: Cursor): Outline {
  if (majorAt(cursor) === 2) return { form: 'hidden', commit: readFixedBytes(cursor, 32) }
  const isPrivate = isPrivateAt(cursor)
  readTuple(cursor, isPrivate ? 3 : 2, 'a leaf')
  if (isPrivate || majorAt(cursor) !== 0) {
    return { form: 'opened', salt: readFixedBytes(cursor, 16), bytes: readBytes(cursor) }
  }
  const count = readUint(cursor)
  const nodes = readHashes(cursor, maxNodesOfRun)
  if (count < 1) throw malformed(cursor, 'a run of at least one leaf')
  return { form: 'run', count, nodes }
}

function readOpenings(cursor: Cursor): Opening[] {
  const openings: Opening[] = []
  for (let left = readCount(cursor, 1, commitmentsOfPrivate, 'openings'); left > 0; left--) {
    readTuple(cursor, 2, 'an opening')
    const salt = readFixedBytes(cursor, 16)
    const bytes = readBytes(cursor, 'a field')
    const { number, field } = decodeField(bytes)
    if (number <= (openings.at(-1)?.number ?? -1)) throw malformed(cursor, 'fields in order')
    openings.push({ salt, bytes, number, field })
  }
  return openings
}

export function leafItem(leaf: Leaf): Item {
  switch (leaf.form) {
    case 'hidden':
      return leaf.commit
    case 'run':
      return [leaf.count, leaf.nodes]
    case 'opened': {
      const openings = leaf.openings.map(({ salt, bytes }) => [salt, bytes])
      return openings.length > 0 ? [leaf.salt, leaf.bytes, openings] : [leaf.salt, leaf.bytes]
    }
  }
}

export function readHashes(cursor: Cursor, most: number): Uint8Array {
  const hashes = readBytes(cursor, 'a list of hashes')
  if (hashes.length % 32 !== 0 || hashes.length > 32 * most) {
    throw malformed(cursor, `at most ${most} hashes of 32 bytes`)
  }
  return hashes
}

/** Reads a range's leaves once to check them, keeping only where each one stands. */
export function readLeaves(
  cursor: Cursor,
  from: number,
  room: number,
  onLeaf: (leaf: Leaf) => void,
): { leaves: LeafList; items: number; to: number } {
  const items = readCount(cursor, 1, room, 'leaves')
  const offsets = new Uint32Array(items)
  const starts = new Float64Array(items)
  let to = from
  let afterRun = false
  for (let i = 0; i < items; i++) {
    offsets[i] = cursor.at
    starts[i] = to
    const leaf = readLeaf(cursor)
    const isRun = leaf.form === 'run'
    if (isRun && afterRun) throw malformed(cursor, 'one run in place of two in a row')
    afterRun = isRun
    to += isRun ? leaf.count : 1
    if (!Number.isSafeInteger(to)) throw malformed(cursor, 'indices below 2^53')
    onLeaf(leaf)
  }
  return { leaves: leafList(cursor.bytes, offsets, starts), items, to }
}

function leafList(bytes: Uint8Array, offsets: Uint32Array, starts: Float64Array): LeafList {
  const leafAt = (i: number) => readLeaf({ bytes, at: offsets[i] as number })
  return {
    *[Symbol.iterator]() {
      for (let i = 0; i < starts.length; i++) yield [starts[i] as number, leafAt(i)] as const
    },
    *outlines() {
      for (const offset of offsets) yield readOutline({ bytes, at: offset })
    },
    at: (index) => leafAt(lastAtOrBelow(starts, index)),
  }
}

function lastAtOrBelow(starts: Float64Array, index: number): number {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= index) low = middle
    else high = middle
  }
  return low
}
