import { concat } from './bytes.ts'
import { KedgeError } from './errors.ts'

/**
 * Recursive length prefix, in which an EVM chain writes what it hashes: headers, trie nodes, receipts. Only the one
 * canonical form of an item is read; a decoded byte string is a view into the input, not a copy.
 */
export type RlpItem = Uint8Array | readonly RlpItem[]

/** Lists nest no deeper than this in anything that is read here. */
const maxDepth = 32

/** The one item that the bytes are, whole. */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const { item, end } = readItem(bytes, 0, bytes.length, 0)
  if (end !== bytes.length) throw malformed('nothing after the item', end)
  return item
}

export const isRlpBytes = (item: RlpItem | undefined): item is Uint8Array =>
  item instanceof Uint8Array

export function encodeRlp(item: RlpItem): Uint8Array {
  if (!isRlpBytes(item)) {
    const content = concat(...item.map(encodeRlp))
    return concat(head(0xc0, content.length), content)
  }
  if (item.length === 1 && (item[0] as number) < 0x80) return item
  return concat(head(0x80, item.length), item)
}

/** A whole number as RLP keeps it: big-endian without leading zeros, and 0 as no bytes. */
export function rlpUint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  for (let left = BigInt(value); left > 0n; left >>= 8n) bytes.unshift(Number(left & 255n))
  return Uint8Array.from(bytes)
}

/** The number up to 2^53 − 1 that an item is, else undefined. */
export function readRlpUint(item: RlpItem | undefined): number | undefined {
  if (!isRlpBytes(item) || item.length > 8 || item[0] === 0) return undefined
  let value = 0
  for (const byte of item) value = value * 256 + byte
  return Number.isSafeInteger(value) ? value : undefined
}

const malformed = (expected: string, at: number): KedgeError =>
  new KedgeError('EVIDENCE_MALFORMED', `RLP: expected ${expected} at byte ${at}`)

function readItem(
  bytes: Uint8Array,
  at: number,
  limit: number,
  depth: number,
): { readonly item: RlpItem; readonly end: number } {
  const first = at < limit ? (bytes[at] as number) : undefined
  if (first === undefined) throw malformed('an item', at)
  if (first < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 }
  const isList = first >= 0xc0
  const { start, length } = readHead(bytes, at, limit, first - (isList ? 0xc0 : 0x80))
  const end = start + length
  if (isList) return { item: readList(bytes, start, end, depth), end }
  if (length === 1 && (bytes[start] as number) < 0x80) {
    throw malformed('a byte below 128 to stand for itself', at)
  }
  return { item: bytes.subarray(start, end), end }
}

function readList(bytes: Uint8Array, start: number, end: number, depth: number): RlpItem[] {
  if (depth === maxDepth) throw malformed(`at most ${maxDepth} nested lists`, start)
  const items: RlpItem[] = []
  for (let at = start; at < end; ) {
    const read = readItem(bytes, at, end, depth + 1)
    items.push(read.item)
    at = read.end
  }
  return items
}

/** Where the content starts and how long it is: never beyond the limit. */
function readHead(bytes: Uint8Array, at: number, limit: number, short: number) {
  let start = at + 1
  let length = short
  if (short > 55) {
    const width = short - 55
    if (width > 4 || width > limit - start || bytes[start] === 0) {
      throw malformed('a length in its shortest form', at)
    }
    length = 0
    for (let i = 0; i < width; i++) length = length * 256 + (bytes[start + i] as number)
    if (length < 56) throw malformed('a length in its shortest form', at)
    start += width
  }
  if (length > limit - start) throw malformed(`${length} bytes`, start)
  return { start, length }
}

function head(type: number, length: number): Uint8Array {
  if (length < 56) return Uint8Array.of(type + length)
  const width = rlpUint(length)
  return concat(Uint8Array.of(type + 55 + width.length), width)
}
