import { KedgeError } from './errors.ts'

/**
 * Strict JSON for files that people write by hand and trust: `JSON.parse` keeps the last of two equal keys
 * without a word, and rounds numbers. Objects come back as maps, in the order of the text.
 */
export type Json = null | boolean | number | string | readonly Json[] | ReadonlyMap<string, Json>

const maxDepth = 16

export function parseJson(text: string): Json {
  let at = 0
  const value = readValue(1)
  skipSpace()
  if (at < text.length) throw fault('nothing after the value')
  return value

  function readValue(depth: number): Json {
    skipSpace()
    if (depth > maxDepth) throw fault(`at most ${maxDepth} levels`)
    const next = text[at]
    if (next === '{') return readObject(depth)
    if (next === '[') return readArray(depth)
    if (next === '"') return readString()
    for (const [word, value] of words) {
      if (text.startsWith(word, at)) {
        at += word.length
        return value
      }
    }
    return readNumber()
  }

  function readObject(depth: number): Json {
    const object = new Map<string, Json>()
    readList('}', () => {
      skipSpace()
      const start = at
      if (text[at] !== '"') throw fault('a key in quotes')
      const key = readString()
      if (object.has(key)) {
        at = start
        throw fault(`each key once, but ${JSON.stringify(key)} stands here again`)
      }
      skipSpace()
      if (text[at] !== ':') throw fault('a colon')
      at += 1
      object.set(key, readValue(depth + 1))
    })
    return object
  }

  function readArray(depth: number): Json {
    const array: Json[] = []
    readList(']', () => array.push(readValue(depth + 1)))
    return array
  }

  function readList(end: string, readElement: () => void): void {
    at += 1
    skipSpace()
    if (text[at] === end) {
      at += 1
      return
    }
    while (true) {
      readElement()
      skipSpace()
      if (text[at] === end) break
      if (text[at] !== ',') throw fault(`a comma or ${end}`)
      at += 1
    }
    at += 1
  }

  function readString(): string {
    const match = takeMatch(
      /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy,
    )
    if (match === undefined) throw fault('a string')
    const string: string = JSON.parse(match)
    if (/\p{Cs}/u.test(string)) throw fault('a string of whole characters')
    return string
  }

  function readNumber(): number {
    const match = takeMatch(/-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y)
    const number = Number(match ?? Number.NaN)
    if (!Number.isSafeInteger(number))
      throw fault('a value; numbers are whole and within ±(2^53 − 1)')
    return number === 0 ? 0 : number
  }

  function takeMatch(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    const match = pattern.exec(text)?.[0]
    if (match !== undefined) at += match.length
    return match
  }

  function skipSpace(): void {
    while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1
  }

  function fault(expected: string): KedgeError {
    const lines = text.slice(0, at).split('\n')
    const place = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
    return new KedgeError('TRUST_INVALID', `expected ${expected} (${place})`)
  }
}

const words = [
  ['null', null],
  ['true', true],
  ['false', false],
] as const
