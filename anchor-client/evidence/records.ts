/** What a leaf records, from its bytes and back (FORMAT.md section 5). */
import { type Cursor, decodeWhole, malformed, readArray, readUint } from './codec.ts'
import { encode, type Item } from './encode.ts'
import type { LeafRecord } from './model.ts'
import { recordCodes } from './record-codes.ts'
import { recordRows } from './record-rows.ts'
import { timeItem } from './values.ts'

export const isReading = ({ type }: LeafRecord): boolean => type === 'reading' || type === 'private'
export const isControl = ({ type }: LeafRecord): boolean => recordCodes[type] >= recordCodes.boot

/** Whether sound bytes hold a reading: its code stands in the second byte, and is below all others. */
export const holdsReading = (bytes: Uint8Array): boolean =>
  (bytes[1] as number) <= recordCodes.private

export const decodeRecord = (bytes: Uint8Array): LeafRecord => decodeWhole(bytes, readRecord)

function readRecord(cursor: Cursor): LeafRecord {
  const length = readArray(cursor, 'a record')
  const code = readUint(cursor)
  const row = recordRows.get(code)
  if (row === undefined) throw malformed(cursor, `a record whose code is known, not ${code}`)
  if (row.length !== length) throw malformed(cursor, `a record of ${row.length} elements`)
  return row.read(cursor)
}

export const encodeRecord = (record: LeafRecord): Uint8Array =>
  encode([recordCodes[record.type], ...elements(record)])

function elements(record: LeafRecord): readonly Item[] {
  switch (record.type) {
    case 'reading':
      return [
        record.kind,
        record.value,
        record.unit,
        record.quality,
        record.raw,
        record.counter,
        timeItem(record.time),
        record.source,
        record.details,
      ]
    case 'private':
      return [record.commitments]
    case 'lost':
      return [record.cause]
    case 'open':
      return [timeItem(record.time), record.id, record.members]
    case 'close':
      return [timeItem(record.time), record.members]
    case 'gap':
      return [timeItem(record.time), record.cause, record.count]
    case 'alive':
    case 'clock':
      return [timeItem(record.time)]
    case 'join':
      return [timeItem(record.time), record.tag, record.start]
    case 'boot':
      return [timeItem(record.time), record.program]
    case 'config':
      return [timeItem(record.time), record.bytes]
    case 'stream':
      return [timeItem(record.time), record.descriptor]
    case 'rotation':
      return [timeItem(record.time), record.key, record.seq]
    case 'damage': {
      const { time, tag, from, to, size, root } = record
      return [timeItem(time), tag, from, to, size, root]
    }
    case 'erase': {
      const { time, tag, order, controller, signature } = record
      return [timeItem(time), tag, order, controller, signature]
    }
    case 'silent':
      return [timeItem(record.time), record.ledger]
    case 'note':
      return [timeItem(record.time), record.name, record.bytes]
  }
}
