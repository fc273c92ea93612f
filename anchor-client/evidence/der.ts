/** DER (X.690) as far as keys, requests and certificates need it: what is written here has one form. */
import { concat, utf8 } from './bytes.ts'

export const derSequence = (...parts: readonly Uint8Array[]) => tagged(0x30, ...parts)
export const derSet = (part: Uint8Array) => tagged(0x31, part)
export const derOctets = (bytes: Uint8Array) => tagged(0x04, bytes)
export const derUtf8 = (text: string) => tagged(0x0c, utf8(text))
export const derPrintable = (text: string) => tagged(0x13, utf8(text))
export const derTrue = Uint8Array.of(0x01, 0x01, 0xff)

/** Whole bytes, or with so many bits of the last one unused. */
export const derBits = (bytes: Uint8Array, unused = 0) => tagged(0x03, Uint8Array.of(unused), bytes)

/** A number without a sign, from its big-endian bytes. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  // A set top bit would read as a negative number.
  return tagged(0x02, Uint8Array.of(...((digits[0] ?? 0) >= 0x80 ? [0] : [])), digits)
}

/** The context's own tag `[number]`, around what has one of its own. */
export const derContext = (number: number, ...parts: readonly Uint8Array[]) =>
  tagged(0xa0 | number, ...parts)

export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Uint8Array.from([40 * first + second, ...rest].flatMap(base128)))
}

/** A time in the form that X.509 wants of its year: two digits of it before 2050. */
export function derTime(timeMs: number): Uint8Array {
  const digits = new Date(timeMs).toISOString().replace(/[-:T]|\.\d+/g, '')
  const isShort = digits < '2050' && digits >= '1950'
  return isShort ? tagged(0x17, utf8(digits.slice(2))) : tagged(0x18, utf8(digits))
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts)
  const { length } = content
  const width = length < 0x80 ? [] : length < 0x100 ? [0x81] : [0x82, length >> 8]
  if (length > 0xffff) throw new TypeError('more than DER is written for here')
  return concat(Uint8Array.of(tag, ...width, length & 0xff), content)
}

function base128(value: number): number[] {
  const digits = [value % 128]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift(0x80 | (left % 128))
  }
  return digits
}

/** The content of the item with this tag at `at`, and where the next one starts. Lengths are not believed. */
export function derItem(
  bytes: Uint8Array,
  at: number,
  tag: number,
): { content: Uint8Array; next: number } | undefined {
  const first = bytes[at + 1]
  if (bytes[at] !== tag || first === undefined) return undefined
  const width = first < 0x80 ? 0 : first - 0x80
  if (width > 2 || first === 0x80) return undefined
  let length = width === 0 ? first : 0
  for (let i = 0; i < width; i++) length = 256 * length + (bytes[at + 2 + i] ?? 0)
  const start = at + 2 + width
  const next = start + length
  return next <= bytes.length ? { content: bytes.subarray(start, next), next } : undefined
}
