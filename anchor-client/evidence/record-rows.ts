/** How each record is read: one row a code (FORMAT.md section 5). */
import { compareBytes } from './bytes.ts'
import {
  type Cursor,
  decodeWhole,
  malformed,
  readArray,
  readBytes,
  readFixedBytes,
  readInt,
  readOptional,
  readText,
  readTuple,
  readUint,
} from './codec.ts'
import type { LeafRecord, Members, Reading } from './model.ts'
import { commitmentsOfPrivate, recordCodes } from './record-codes.ts'
import { readDescriptor } from './stream.ts'
import { readDetails, readLongText, readName, readTime, readValue } from './values.ts'

interface Row {
  readonly length: number
  read(cursor: Cursor): LeafRecord
}

// Object literals below read in the order in which they are written: the order of the bytes.
export const recordRows: ReadonlyMap<number, Row> = new Map<number, Row>([
  [recordCodes.reading, { length: 10, read: readReading }],
  [
    recordCodes.private,
    {
      length: 2,
      read: (at) => ({
        type: 'private',
        commitments: readFixedBytes(at, 32 * commitmentsOfPrivate),
      }),
    },
  ],
  [
    recordCodes.open,
    {
      length: 4,
      read: (at) => ({
        type: 'open',
        time: optionalTime(at),
        id: readLongText(at),
        members: readMembers(at, 0),
      }),
    },
  ],
  [
    recordCodes.close,
    {
      length: 3,
      read: (at) => ({
        type: 'close',
        time: optionalTime(at),
        members: readOptional(at, (members) => readMembers(members, -1)),
      }),
    },
  ],
  [
    recordCodes.gap,
    {
      length: 4,
      read: (at) => ({
        type: 'gap',
        time: optionalTime(at),
        cause: readName(at),
        count: optionalUint(at),
      }),
    },
  ],
  [recordCodes.lost, { length: 2, read: (at) => ({ type: 'lost', cause: readName(at) }) }],
  [recordCodes.alive, { length: 2, read: (at) => ({ type: 'alive', time: optionalTime(at) }) }],
  [
    recordCodes.join,
    {
      length: 4,
      read: (at) => ({
        type: 'join',
        time: optionalTime(at),
        tag: readHash(at),
        start: readUint(at),
      }),
    },
  ],
  [
    recordCodes.boot,
    { length: 3, read: (at) => ({ type: 'boot', time: readTime(at), program: readLongText(at) }) },
  ],
  [
    recordCodes.config,
    { length: 3, read: (at) => ({ type: 'config', time: readTime(at), bytes: readBytes(at) }) },
  ],
  [recordCodes.stream, { length: 3, read: readStreamOpening }],
  [recordCodes.clock, { length: 2, read: (at) => ({ type: 'clock', time: readTime(at) }) }],
  [
    recordCodes.rotation,
    {
      length: 4,
      read: (at) => ({
        type: 'rotation',
        time: readTime(at),
        key: readKey(at),
        seq: readUint(at),
      }),
    },
  ],
  [recordCodes.damage, { length: 7, read: readDamage }],
  [
    recordCodes.erase,
    {
      length: 6,
      read: (at) => ({
        type: 'erase',
        time: readTime(at),
        tag: readHash(at),
        order: readHash(at),
        controller: readKey(at),
        signature: readFixedBytes(at, 64),
      }),
    },
  ],
  [
    recordCodes.silent,
    { length: 3, read: (at) => ({ type: 'silent', time: readTime(at), ledger: readHash(at) }) },
  ],
  [
    recordCodes.note,
    {
      length: 4,
      read: (at) => ({
        type: 'note',
        time: readTime(at),
        name: readName(at),
        bytes: readBytes(at),
      }),
    },
  ],
])

const optionalTime = (cursor: Cursor) => readOptional(cursor, readTime)
const optionalUint = (cursor: Cursor) => readOptional(cursor, readUintOf)
const readUintOf = (cursor: Cursor) => readUint(cursor)
const readHash = (cursor: Cursor) => readFixedBytes(cursor, 32)
const readKey = (cursor: Cursor) => readFixedBytes(cursor, 65)

function readReading(cursor: Cursor): Reading {
  return {
    type: 'reading',
    kind: readName(cursor),
    value: readValue(cursor),
    unit: readOptional(cursor, readUnit),
    quality: readOptional(cursor, readLongText),
    raw: readValue(cursor),
    counter: optionalUint(cursor),
    time: readTime(cursor),
    source: readOptional(cursor, readLongText),
    details: readOptional(cursor, readDetails),
  }
}

export const readUnit = (cursor: Cursor): string => readText(cursor, 16)

function readStreamOpening(cursor: Cursor): LeafRecord {
  const time = readTime(cursor)
  const descriptor = readBytes(cursor)
  decodeWhole(descriptor, readDescriptor)
  return { type: 'stream', time, descriptor }
}

function readDamage(cursor: Cursor): LeafRecord {
  const time = readTime(cursor)
  const tag = readHash(cursor)
  const from = readUint(cursor)
  const to = readUint(cursor)
  const size = readUint(cursor)
  if (from >= to || to > size) throw malformed(cursor, 'a < b ≤ size')
  return { type: 'damage', time, tag, from, to, size, root: readHash(cursor) }
}

function readMembers(cursor: Cursor, least: number): Members {
  const members: (readonly [Uint8Array, number])[] = []
  for (let left = readArray(cursor, 'members'); left > 0; left--) {
    readTuple(cursor, 2, 'a member')
    const tag = readHash(cursor)
    const before = members.at(-1)
    if (before !== undefined && compareBytes(before[0], tag) >= 0) {
      throw malformed(cursor, 'members in ascending order')
    }
    const index = readInt(cursor)
    if (index < least) throw malformed(cursor, `an index of at least ${least}`)
    members.push([tag, index])
  }
  return members
}
