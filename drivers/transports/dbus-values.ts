/** Values of D-Bus in their bytes and back, as its specification has them under "Marshaling": strict, and with bounds. */
import { alignments, garbled, maxDepth, type Type, typesIn } from './dbus-types.ts'

/** A value that says its own type. */
export interface Variant {
  readonly type: string
  readonly value: DBusValue
}

/** 64 bits are a bigint, an array of bytes is one, an array of pairs is a map. */
export type DBusValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly DBusValue[]
  | ReadonlyMap<DBusValue, DBusValue>
  | Variant

export interface Reader {
  /** The next values, of the types in the signature. */
  values(signature: string): readonly DBusValue[]
  align(to: number): void
  at(): number
}

/** Reads from the first byte of a message, or of its body: both begin where everything is aligned. */
export function readerOf(said: Uint8Array, isLittle: boolean): Reader {
  // A slice of a Buffer would be no copy, and keep all that arrived with it.
  const bytes = new Uint8Array(said.buffer, said.byteOffset, said.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0

  /** Where the next `length` bytes begin, once they are known to be there. */
  function advance(length: number, to = length): number {
    align(to)
    if (length > bytes.length - at) throw garbled('half a message')
    at += length
    return at - length
  }

  function align(to: number): void {
    const next = Math.ceil(at / to) * to
    if (next > bytes.length) throw garbled('half a message')
    while (at < next) if (bytes[at++] !== 0) throw garbled('padding that is not zero')
  }

  function text(length: number): string {
    const start = advance(length + 1, 1)
    if (bytes[start + length] !== 0) throw garbled('a text without its end')
    const content = bytes.subarray(start, start + length)
    if (content.includes(0)) throw garbled('a text with a zero in it')
    try {
      return utf8.decode(content)
    } catch {
      throw garbled('a text that is not UTF-8')
    }
  }

  function array([element]: Type[], depth: number): DBusValue {
    const length = view.getUint32(advance(4), isLittle)
    align(alignments[element?.code ?? 'y'] ?? 1)
    const start = advance(length, 1)
    if (element?.code === 'y') return bytes.slice(start, at)
    const end = at
    at = start
    const values: DBusValue[] = []
    while (at < end) values.push(value(element as Type, depth))
    if (at !== end) throw garbled('an array that is longer than it says')
    return element?.code === '{' ? new Map(values as [DBusValue, DBusValue][]) : values
  }

  function value({ code, inner }: Type, depth: number): DBusValue {
    if (depth > maxDepth) throw garbled(`values in more than ${maxDepth} others`)
    switch (code) {
      case 'y':
        return view.getUint8(advance(1))
      case 'n':
        return view.getInt16(advance(2), isLittle)
      case 'q':
        return view.getUint16(advance(2), isLittle)
      case 'i':
        return view.getInt32(advance(4), isLittle)
      case 'u':
      case 'h':
        return view.getUint32(advance(4), isLittle)
      case 'x':
        return view.getBigInt64(advance(8), isLittle)
      case 't':
        return view.getBigUint64(advance(8), isLittle)
      case 'd':
        return view.getFloat64(advance(8), isLittle)
      case 'b': {
        const bit = view.getUint32(advance(4), isLittle)
        if (bit > 1) throw garbled('a boolean that is neither 0 nor 1')
        return bit === 1
      }
      case 's':
        return text(view.getUint32(advance(4), isLittle))
      case 'o': {
        const path = text(view.getUint32(advance(4), isLittle))
        if (!/^(?:\/|(?:\/\w+)+)$/.test(path)) throw garbled('an object path that is none')
        return path
      }
      case 'g':
        return text(view.getUint8(advance(1)))
      case 'v': {
        const type = text(view.getUint8(advance(1)))
        const [only, ...more] = typesIn(type)
        if (only === undefined || more.length > 0)
          throw garbled('a variant that is not of one type')
        return { type, value: value(only, depth + 1) }
      }
      case 'a':
        return array(inner, depth + 1)
      default:
        align(8)
        return inner.map((one) => value(one, depth + 1))
    }
  }

  return {
    values: (signature) => typesIn(signature).map((type) => value(type, 0)),
    align,
    at: () => at,
  }
}

/** The same values as little-endian bytes; only what is sent from here can be written. */
export function writeValues(signature: string, values: readonly DBusValue[]): Uint8Array {
  const out: number[] = []
  const align = (to: number) => {
    while (out.length % to !== 0) out.push(0)
  }
  const word = (number: number) => {
    align(4)
    out.push(number & 255, (number >> 8) & 255, (number >> 16) & 255, (number >> 24) & 255)
  }
  const text = (content: string) => out.push(...new TextEncoder().encode(content), 0)

  function write({ code, inner }: Type, value: DBusValue): void {
    if (code === 'y') out.push(value as number)
    else if (code === 'b' || code === 'u') word(Number(value))
    else if (code === 's' || code === 'o') {
      word(new TextEncoder().encode(value as string).length)
      text(value as string)
    } else if (code === 'g') {
      out.push((value as string).length)
      text(value as string)
    } else if (code === 'v') {
      const { type, value: content } = value as Variant
      out.push(type.length)
      text(type)
      write(typesIn(type)[0] as Type, content)
    } else if (code === 'a') {
      word(0)
      const lengthAt = out.length - 4
      align(alignments[inner[0]?.code ?? 'y'] ?? 1)
      const start = out.length
      const elements = value instanceof Map ? [...value] : (value as readonly DBusValue[])
      for (const element of elements) write(inner[0] as Type, element)
      const length = out.length - start
      out.splice(lengthAt, 2, length & 255, length >> 8)
    } else if (code === '(' || code === '{') {
      align(8)
      for (const [i, one] of inner.entries()) write(one, (value as readonly DBusValue[])[i] ?? 0)
    } else throw new TypeError(`${code} is not written here`)
  }

  for (const [i, type] of typesIn(signature).entries()) write(type, values[i] ?? 0)
  return Uint8Array.from(out)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
