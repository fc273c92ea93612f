import { type Cursor, decodeWhole, readOptional, readTuple, readUint } from './codec.ts'
import { encode, type Item } from './encode.ts'
import type { Field, Leaf, Time } from './model.ts'
import { commitmentsOfPrivate } from './record-codes.ts'
import { readUnit } from './record-rows.ts'
import {
  type KnownWall,
  knownWall,
  maxUint32,
  readDecimal,
  readDetails,
  readLongText,
  readName,
  readValue,
  readWallTime,
} from './values.ts'

/** The fields of a private reading, each committed apart (FORMAT.md section 5). */
export const fieldNumbers = {
  kind: 0,
  value: 1,
  unit: 2,
  quality: 3,
  raw: 4,
  counter: 5,
  boot: 6,
  mono: 7,
  wall: 8,
  source: 9,
  details: 10,
  band: 11,
} as const satisfies { [Name in Field['name']]: number }

const names = Object.keys(fieldNumbers) as Field['name'][]

export function decodeField(bytes: Uint8Array): { number: number; field: Field } {
  return decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 2, 'a field')
    const number = readUint(cursor, commitmentsOfPrivate - 1)
    return { number, field: readContent(cursor, names[number] as Field['name']) }
  })
}

function readContent(at: Cursor, name: Field['name']): Field {
  switch (name) {
    case 'kind':
      return { name, content: readName(at) }
    case 'value':
    case 'raw':
      return { name, content: readValue(at) }
    case 'unit':
      return { name, content: readOptional(at, readUnit) }
    case 'quality':
    case 'source':
      return { name, content: readOptional(at, readLongText) }
    case 'counter':
      return { name, content: readOptional(at, (counter) => readUint(counter)) }
    case 'boot':
      return { name, content: readUint(at, maxUint32) }
    case 'mono':
      return { name, content: readUint(at) }
    case 'wall':
      return { name, content: readWallTime(at) }
    case 'details':
      return { name, content: readOptional(at, readDetails) }
    case 'band':
      return { name, content: readOptional(at, readBand) }
  }
}

function readBand(cursor: Cursor) {
  readTuple(cursor, 2, 'a band')
  return [readDecimal(cursor), readDecimal(cursor)] as const
}

export const encodeField = ({ name, content }: Field): Uint8Array =>
  encode([
    fieldNumbers[name],
    name === 'wall' ? [content.wallMs, content.clock, content.boundMs] : (content as Item),
  ])

/** What a reading's leaf discloses, plain and private alike; a hidden field is absent. */
export type Disclosed = { readonly [F in Field as F['name']]?: F['content'] }

const nothing: Disclosed = {}

export function disclosedBy(leaf: Leaf): Disclosed {
  if (leaf.form !== 'opened') return nothing
  const { record } = leaf
  if (record.type === 'reading') {
    const { boot, monoMs, ...wall } = record.time
    return { ...record, boot, mono: monoMs, wall }
  }
  return Object.fromEntries(leaf.openings.map(({ field }) => [field.name, field.content]))
}

/** The whole time of a leaf: a record's own, or put together from opened fields. */
export function timeOf(leaf: Leaf): Time | null {
  if (leaf.form !== 'opened') return null
  const { record } = leaf
  if (record.type !== 'private') return record.type === 'lost' ? null : record.time
  const { boot, mono, wall } = disclosedBy(leaf)
  return boot === undefined || mono === undefined || wall === undefined
    ? null
    : { boot, monoMs: mono, ...wall }
}

/** The wall time that a leaf discloses, if its error is bounded. */
export function wallOf(leaf: Leaf): KnownWall | null {
  if (leaf.form !== 'opened') return null
  const wall = leaf.record.type === 'private' ? disclosedBy(leaf).wall : timeOf(leaf)
  return wall ? knownWall(wall) : null
}

/** Whether an opened reading shows all that its stream's promise is judged by. */
export function isKnownReading(leaf: Leaf): boolean {
  if (leaf.form !== 'opened') return false
  if (leaf.record.type === 'reading') return true
  const { kind, value, counter } = disclosedBy(leaf)
  return kind !== undefined && value !== undefined && counter !== undefined && timeOf(leaf) !== null
}
