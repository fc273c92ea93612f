import { utf8 } from './bytes.ts'
import { maxDepth, maxTextBytes } from './codec.ts'

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
