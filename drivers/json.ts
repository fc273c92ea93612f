/**
 * Strict JSON as publishers send it: numbers keep their digits, and no key stands twice. What is wrong is told
 * without a word of what was sent, as that may be personal.
 */
import { Buffer, isUtf8 } from 'node:buffer'

/** A number as it was written. */
export interface Numeral {
  readonly digits: string
}

export type Json = null | boolean | string | Numeral | readonly Json[] | ReadonlyMap<string, Json>

export type JsonOrFault = { readonly value: Json } | { readonly fault: string }

export function readJson(bytes: Uint8Array, maxDepth: number): JsonOrFault {
  if (!isUtf8(bytes)) return { fault: 'the payload is no UTF-8' }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  let at = 0
  let fault: string | undefined

  const value = readValue(1)
  skipSpace()
  if (fault === undefined && at < text.length) expected('nothing after it')
  return value === undefined || fault !== undefined ? { fault: fault ?? '' } : { value }

  /** Undefined after a fault, here and below. */
  function readValue(depth: number): Json | undefined {
    skipSpace()
    if (depth > maxDepth) return expected(`at most ${maxDepth} levels`)
    switch (text[at]) {
      case '{':
        return readObject(depth)
      case '[':
        return readArray(depth)
      case '"':
        return readString()
      case 't':
        return readWord('true', true)
      case 'f':
        return readWord('false', false)
      case 'n':
        return readWord('null', null)
      default:
        return readNumeral()
    }
  }

  function readObject(depth: number): Json | undefined {
    const object = new Map<string, Json>()
    return readList('}', () => {
      skipSpace()
      const key = text[at] === '"' ? readString() : expected('a key in quotes')
      if (key === undefined) return false
      if (object.has(key)) fault = `${named(key)} stands there twice`
      skipSpace()
      if (text[at] !== ':') expected('a colon')
      at += 1
      const value = fault === undefined ? readValue(depth + 1) : undefined
      if (value !== undefined) object.set(key, value)
      return value !== undefined
    })
      ? object
      : undefined
  }

  function readArray(depth: number): Json | undefined {
    const array: Json[] = []
    return readList(']', () => {
      const value = readValue(depth + 1)
      if (value !== undefined) array.push(value)
      return value !== undefined
    })
      ? array
      : undefined
  }

  function readList(end: string, readElement: () => boolean): boolean {
    at += 1
    skipSpace()
    if (text[at] !== end) {
      while (true) {
        if (!readElement()) return false
        skipSpace()
        if (text[at] === end) break
        if (text[at] !== ',') {
          expected(`a comma or ${end}`)
          return false
        }
        at += 1
      }
    }
    at += 1
    return true
  }

  function readString(): string | undefined {
    const match = takeMatch(plainString) ?? takeMatch(anyString)
    if (match === undefined) return expected('a string')
    if (!match.includes('\\')) return match.slice(1, -1)
    const string: string = JSON.parse(match)
    return /\p{Cs}/u.test(string) ? expected('whole characters before this point') : string
  }

  function readNumeral(): Numeral | undefined {
    const digits = takeMatch(numeral)
    return digits === undefined ? expected('a value') : { digits }
  }

  function readWord<Value>(word: string, value: Value): Value | undefined {
    if (!text.startsWith(word, at)) return expected('a value')
    at += word.length
    return value
  }

  function takeMatch(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    // `test` makes no array: this is most of what reading costs.
    if (!pattern.test(text)) return undefined
    const start = at
    at = pattern.lastIndex
    return text.slice(start, at)
  }

  function skipSpace(): void {
    while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1
  }

  function expected(what: string): undefined {
    fault ??= `the payload is no JSON: expected ${what} at character ${at + 1}`
    return undefined
  }
}

/** A key is the publisher's own word: it is repeated only where it looks like a name. */
export const named = (key: string): string =>
  /^[A-Za-z0-9_.-]{1,32}$/.test(key) ? `the key ${key}` : 'a key with an unusual name'

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
const plainString = /"[^"\\\u0000-\u001f]*"/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const anyString = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const numeral = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
