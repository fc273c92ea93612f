import { KedgeError } from './errors.ts'

/**
 * The CBOR profile of FORMAT.md section 1. Readers take one item each from a cursor and refuse everything
 * that is not in its one canonical form; no length is believed before it is compared with what is left.
 */
export interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

export const cursorOf = (bytes: Uint8Array): Cursor => ({ bytes, at: 0 })

export function malformed(cursor: Cursor, expected: string): KedgeError {
  return new KedgeError('EVIDENCE_MALFORMED', `expected ${expected} at byte ${cursor.at}`)
}

/** Decodes one nested byte string whole: nothing may follow its item. */
export function decodeWhole<T>(bytes: Uint8Array, read: (cursor: Cursor) => T): T {
  const cursor = cursorOf(bytes)
  const item = read(cursor)
  if (cursor.at !== bytes.length) throw malformed(cursor, 'the end')
  return item
}

/** The number of elements that follow. */
export function readArray(cursor: Cursor, expected = 'an array'): number {
  const count = readArgument(cursor, 4, expected)
  // Every element takes at least one byte, so a count beyond what is left is a lie.
  if (count > cursor.bytes.length - cursor.at) throw malformed(cursor, `${count} elements`)
  return count
}

export function readTuple(cursor: Cursor, count: number, what: string): void {
  const start = cursor.at
  if (readArray(cursor, what) !== count) {
    cursor.at = start
    throw malformed(cursor, `${what} of ${count} elements`)
  }
}

export function readCount(cursor: Cursor, least: number, most: number, what: string): number {
  const start = cursor.at
  const count = readArray(cursor, what)
  if (count < least || count > most) {
    cursor.at = start
    throw malformed(cursor, `${least} to ${most} ${what}`)
  }
  return count
}

export function readUint(cursor: Cursor, most = Number.MAX_SAFE_INTEGER): number {
  const start = cursor.at
  const value = readArgument(cursor, 0, 'a whole number')
  if (value > most) {
    cursor.at = start
    throw malformed(cursor, `a whole number up to ${most}`)
  }
  return value
}

export function readInt(cursor: Cursor): number {
  if (majorAt(cursor) === 0) return readArgument(cursor, 0, 'an integer')
  const start = cursor.at
  const argument = readArgument(cursor, 1, 'an integer')
  if (argument === Number.MAX_SAFE_INTEGER) {
    cursor.at = start
    throw malformed(cursor, 'an integer within ±(2^53 − 1)')
  }
  return -1 - argument
}

/** A view into the input, not a copy. */
export function readBytes(cursor: Cursor, expected = 'a byte string'): Uint8Array {
  const length = readArgument(cursor, 2, expected)
  return take(cursor, length, expected)
}

export function readFixedBytes(cursor: Cursor, length: number): Uint8Array {
  const start = cursor.at
  const bytes = readBytes(cursor)
  if (bytes.length === length) return bytes
  cursor.at = start
  throw malformed(cursor, `${length} bytes`)
}

export function readText(cursor: Cursor, most: number, pattern?: RegExp): string {
  const start = cursor.at
  const length = readArgument(cursor, 3, 'text')
  const text = length >= 1 && length <= most ? takeText(cursor, length) : undefined
  if (text === undefined || pattern?.test(text) === false) {
    cursor.at = start
    throw malformed(
      cursor,
      pattern ? `text matching ${pattern.source}` : `UTF-8 of 1 to ${most} bytes`,
    )
  }
  return text
}

export function readBoolean(cursor: Cursor): boolean {
  const byte = cursor.bytes[cursor.at]
  if (byte !== 0xf4 && byte !== 0xf5) throw malformed(cursor, 'true or false')
  cursor.at += 1
  return byte === 0xf5
}

/** `null`, or what `read` gives. */
export function readOptional<T>(cursor: Cursor, read: (cursor: Cursor) => T): T | null {
  if (cursor.bytes[cursor.at] !== 0xf6) return read(cursor)
  cursor.at += 1
  return null
}

/** The major type of the next item; 7 stands for `false`, `true` and `null` alike. */
export const majorAt = (cursor: Cursor): number => (cursor.bytes[cursor.at] ?? 0xff) >> 5

/** Passes over any item of the profile, for what may go on beyond this version's knowledge. */
export function skipItem(cursor: Cursor, depth = 1): void {
  switch (majorAt(cursor)) {
    case 0:
    case 1:
      readInt(cursor)
      break
    case 2:
      readBytes(cursor)
      break
    case 3:
      if (cursor.bytes[cursor.at] === 0x60) cursor.at += 1
      else readText(cursor, maxTextBytes)
      break
    case 4: {
      if (depth > maxDepth) throw malformed(cursor, `at most ${maxDepth} nested arrays`)
      for (let left = readArray(cursor); left > 0; left--) skipItem(cursor, depth + 1)
      break
    }
    default:
      if (readOptional(cursor, readBoolean) === undefined) throw malformed(cursor, 'an item')
  }
}

export const maxTextBytes = 256
export const maxDepth = 10

function readArgument(cursor: Cursor, major: number, expected: string): number {
  const { bytes, at } = cursor
  const initial = bytes[at]
  if (initial === undefined || initial >> 5 !== major) throw malformed(cursor, expected)
  const short = initial & 31
  if (short < 24) {
    cursor.at = at + 1
    return short
  }
  const width = [1, 2, 4, 8][short - 24]
  if (width === undefined || at + 1 + width > bytes.length) throw malformed(cursor, expected)
  let value = 0
  for (let i = 1; i <= width; i++) value = value * 256 + (bytes[at + i] as number)
  const least = [24, 0x100, 0x10000, 0x100000000][short - 24] as number
  if (value < least || value > Number.MAX_SAFE_INTEGER) {
    throw malformed(cursor, `${expected} in its shortest form`)
  }
  cursor.at = at + 1 + width
  return value
}

function take(cursor: Cursor, length: number, expected: string): Uint8Array {
  if (length > cursor.bytes.length - cursor.at)
    throw malformed(cursor, `${expected}, ${length} long`)
  const bytes = cursor.bytes.subarray(cursor.at, cursor.at + length)
  cursor.at += length
  return bytes
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function takeText(cursor: Cursor, length: number): string | undefined {
  const { bytes, at } = cursor
  if (length > bytes.length - at) throw malformed(cursor, `text, ${length} long`)
  // A file says few words often: what was said before is found again without making a new string.
  let slot = length
  for (let i = at; i < at + length; i++) slot = (31 * slot + (bytes[i] as number)) & 0xff
  const said = words[slot]
  cursor.at = at + length
  if (said?.bytes.length === length && said.bytes.every((byte, i) => byte === bytes[at + i])) {
    return said.text
  }
  // A copy: what calls itself a slice may be a view of bytes that change.
  const fresh = Uint8Array.from(bytes.subarray(at, at + length))
  const text = decodeWide(fresh)
  if (text !== undefined) words[slot] = { bytes: fresh, text }
  return text
}

/** The last text of each slot: bounded, whatever the input. */
const words: { readonly bytes: Uint8Array; readonly text: string }[] = []

function decodeWide(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
