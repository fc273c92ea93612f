import { compareBytes, utf8 } from './bytes.ts'
import {
  type Cursor,
  majorAt,
  malformed,
  maxTextBytes,
  readArray,
  readBoolean,
  readBytes,
  readCount,
  readInt,
  readOptional,
  readText,
  readTuple,
  readUint,
} from './codec.ts'
import type { Item } from './encode.ts'
import type { Decimal, Details, Time, Value, WallTime } from './model.ts'

/** The small parts that records share (FORMAT.md section 1): names, values, details, times. */

export const namePattern = /^[a-z][a-z0-9-]{0,31}$/
const fieldPattern = /^[a-z][A-Za-z0-9_-]{0,31}$/
export const maxUint32 = 0xffffffff
/** The last millisecond of the year 9999: beyond it RFC 3339 has no words. */
const maxWallMs = 253402300799999
const clockNeverSet = 0
/** Longer spans (8,900 years) say nothing, and their sums would lose digits. */
export const maxSpan = 2 ** 48

export const readName = (cursor: Cursor): string => readText(cursor, maxTextBytes, namePattern)
export const readLongText = (cursor: Cursor): string => readText(cursor, maxTextBytes)

export function readDecimal(cursor: Cursor): Decimal {
  readTuple(cursor, 2, 'a decimal')
  const mantissa = readInt(cursor)
  const exponent = readInt(cursor)
  if (exponent < -18 || exponent > 18) throw malformed(cursor, 'an exponent within ±18')
  return [mantissa, exponent]
}

function readSimpleValue(cursor: Cursor): Value {
  switch (majorAt(cursor)) {
    case 2: {
      const bytes = readBytes(cursor)
      if (bytes.length < 1 || bytes.length > 256)
        throw malformed(cursor, 'a value of 1 to 256 bytes')
      return bytes
    }
    case 3:
      return readLongText(cursor)
    case 4:
      return readDecimal(cursor)
    default:
      return readOptional(cursor, readBoolean)
  }
}

export function readValue(cursor: Cursor): Value {
  if (majorAt(cursor) !== 4) return readSimpleValue(cursor)
  const start = cursor.at
  readArray(cursor)
  const several = majorAt(cursor) === 4
  cursor.at = start
  return several ? readPairs(cursor, fieldPattern, readDecimal) : readDecimal(cursor)
}

export const readDetails = (cursor: Cursor): Details =>
  readPairs(cursor, namePattern, readSimpleValue)

function readPairs<T>(
  cursor: Cursor,
  pattern: RegExp,
  read: (cursor: Cursor) => T,
): (readonly [string, T])[] {
  const pairs: (readonly [string, T])[] = []
  for (let left = readCount(cursor, 1, 16, 'pairs'); left > 0; left--) {
    readTuple(cursor, 2, 'a pair')
    const name = readText(cursor, maxTextBytes, pattern)
    const before = pairs.at(-1)
    if (before !== undefined && compareBytes(utf8(before[0]), utf8(name)) >= 0) {
      throw malformed(cursor, 'names in ascending order')
    }
    pairs.push([name, read(cursor)])
  }
  return pairs
}

export const readWall = (cursor: Cursor): number => readUint(cursor, maxWallMs)

export const readBound = (cursor: Cursor): number => readUint(cursor, maxSpan)

function readWallParts(cursor: Cursor): WallTime {
  const wallMs = readOptional(cursor, readWall)
  const clock = readUint(cursor, 3)
  const boundMs = readOptional(cursor, readBound)
  if ((wallMs === null || clock === clockNeverSet) && boundMs !== null) {
    throw malformed(cursor, 'no bound where no clock was set')
  }
  return { wallMs, clock, boundMs }
}

export function readWallTime(cursor: Cursor): WallTime {
  readTuple(cursor, 3, 'a wall time')
  return readWallParts(cursor)
}

export function readTime(cursor: Cursor): Time {
  readTuple(cursor, 5, 'a time')
  const boot = readUint(cursor, maxUint32)
  const monoMs = readUint(cursor)
  const { wallMs, clock, boundMs } = readWallParts(cursor)
  return { boot, monoMs, wallMs, clock, boundMs }
}

export const timeItem = (time: Time | null): Item =>
  time && [time.boot, time.monoMs, time.wallMs, time.clock, time.boundMs]

/** A time that can be held against a clock, because its error is bounded. */
export interface KnownWall {
  readonly wallMs: number
  readonly boundMs: number
}

export const knownWall = (time: {
  readonly wallMs: number | null
  readonly boundMs: number | null
}): KnownWall | null =>
  time.wallMs === null || time.boundMs === null
    ? null
    : { wallMs: time.wallMs, boundMs: time.boundMs }
