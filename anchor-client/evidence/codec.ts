import { utf8 } from './bytes.ts'
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
const maxDepth = 10

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

/** Whatever the profile can say. */
export type Item = number | string | boolean | null | Uint8Array | readonly Item[]

/** The one encoding of an item. Throws a `TypeError` for what the profile cannot say. */
export function encode(item: Item): Uint8Array {
  // One room for all of them, as most are short; only a long one takes its own.
  const sink: Sink = { bytes: scratch, length: 0 }
  write(sink, item, 0)
  return sink.bytes.slice(0, sink.length)
}
const scratch = new Uint8Array(4096)

/** Bytes that grow as they are written. */
interface Sink {
  bytes: Uint8Array
  length: number
}

function room(sink: Sink, more: number): void {
  if (sink.length + more <= sink.bytes.length) return
  const grown = new Uint8Array(Math.max(2 * sink.bytes.length, sink.length + more))
  grown.set(sink.bytes)
  sink.bytes = grown
}

function put(sink: Sink, byte: number): void {
  room(sink, 1)
  sink.bytes[sink.length++] = byte
}

function putAll(sink: Sink, major: number, content: Uint8Array): void {
  writeHead(sink, major, content.length)
  room(sink, content.length)
  sink.bytes.set(content, sink.length)
  sink.length += content.length
}

function write(sink: Sink, item: Item, depth: number): void {
  if (item === null) put(sink, 0xf6)
  else if (typeof item === 'boolean') put(sink, item ? 0xf5 : 0xf4)
  else if (typeof item === 'number') {
    if (!Number.isSafeInteger(item)) throw new TypeError(`not a safe integer: ${item}`)
    if (item < 0) writeHead(sink, 1, -1 - item)
    else writeHead(sink, 0, item)
  } else if (typeof item === 'string') {
    if (!putAscii(sink, item)) putText(sink, item)
  } else if (item instanceof Uint8Array) {
    putAll(sink, 2, item)
  } else {
    if (depth === maxDepth) throw new TypeError(`more than ${maxDepth} nested arrays`)
    writeHead(sink, 4, item.length)
    for (const element of item) write(sink, element, depth + 1)
  }
}

/** False where it is not short and plain: most text is, and needs no other encoder. */
function putAscii(sink: Sink, text: string): boolean {
  const { length } = text
  if (length >= 24) return false
  room(sink, length + 1)
  const { bytes, length: at } = sink
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return false
    bytes[at + 1 + i] = code
  }
  bytes[at] = 0x60 | length
  sink.length = at + 1 + length
  return true
}

function putText(sink: Sink, text: string): void {
  if (/\p{Cs}/u.test(text)) throw new TypeError('text with a lone surrogate')
  const bytes = utf8(text)
  if (bytes.length > maxTextBytes) throw new TypeError(`text of ${bytes.length} bytes`)
  putAll(sink, 3, bytes)
}

function writeHead(sink: Sink, major: number, argument: number): void {
  room(sink, 9)
  const type = major << 5
  const { bytes } = sink
  if (argument < 24) {
    bytes[sink.length++] = type | argument
  } else if (argument < 0x100) {
    bytes[sink.length++] = type | 24
    bytes[sink.length++] = argument
  } else if (argument < 0x10000) {
    bytes[sink.length++] = type | 25
    bytes[sink.length++] = argument >>> 8
    bytes[sink.length++] = argument
  } else if (argument < 0x100000000) {
    bytes[sink.length++] = type | 26
    putWord(sink, argument)
  } else {
    bytes[sink.length++] = type | 27
    putWord(sink, Math.floor(argument / 0x100000000))
    putWord(sink, argument % 0x100000000)
  }
}

/** Where there is room already. */
function putWord(sink: Sink, word: number): void {
  const { bytes } = sink
  for (let shift = 24; shift >= 0; shift -= 8) bytes[sink.length++] = word >>> shift
}
