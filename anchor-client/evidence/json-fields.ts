import { hexToBytes, utf8 } from './bytes.ts'
import { KedgeError } from './errors.ts'
import type { Json } from './json.ts'
import { parseTime } from './rfc3339.ts'
import { isPublicKey } from './sm2.ts'

/** Reads one JSON object key by key; `end` then names the first key that nobody asked for. */
export interface Fields {
  /** Where the object stands, such as `ledgers[0]`. */
  readonly path: string
  list(key: string): Fields[]
  /** Empty where it is left out. */
  optionalList(key: string): Fields[]
  text(key: string, pattern: RegExp, expected: string): string
  optionalText(key: string): string | null
  publicKey(key: string): Uint8Array
  hex(key: string, bytes: number): string
  /** At least one, each once. */
  hexes(key: string, bytes: number, most: number): string[]
  uint(key: string, least: number, fallback?: number, most?: number): number
  optionalUint(key: string, least: number): number | null
  time(key: string): number
  optionalTime(key: string): number | null
  flag(key: string): boolean
  oneOf(key: string, names: readonly string[], fallback?: string): string
  /** What to throw where the values, each right by itself, do not fit. */
  refusal(expected: string): KedgeError
  end(): void
}

export function fieldsOf(json: Json, path: string): Fields {
  const fault = (at: string, expected: string) =>
    new KedgeError('TRUST_INVALID', `${at || 'the trust file'}: expected ${expected}`, {
      hint: 'The keys of a trust file are listed in FORMAT.md section 9.',
    })
  if (!(json instanceof Map)) throw fault(path, 'an object')
  const object = json as ReadonlyMap<string, Json>
  const asked = new Set<string>()
  const place = (key: string) => (path ? `${path}.${key}` : key)

  function take<T>(
    key: string,
    expected: string,
    read: (value: Json) => T | undefined,
    fallback?: T,
  ): T {
    asked.add(key)
    const value = object.get(key)
    if (value === undefined && fallback !== undefined) return fallback
    const taken = value === undefined ? undefined : read(value)
    if (taken === undefined) throw fault(place(key), expected)
    return taken
  }

  const orNull =
    <T>(read: (value: Json) => T | undefined) =>
    (value: Json): T | null | undefined =>
      value === null ? null : read(value)
  const asUint = (least: number, most: number) => (value: Json) =>
    typeof value === 'number' && value >= least && value <= most ? value : undefined
  const asTime = (value: Json) => (typeof value === 'string' ? parseTime(value) : undefined)
  const timeForm = 'a time such as "2026-01-31T00:00:00Z"'

  const list = (key: string, fallback?: Json[]) =>
    take(
      key,
      'an array',
      (value) => (Array.isArray(value) ? (value as Json[]) : undefined),
      fallback,
    ).map((element, i) => fieldsOf(element, `${place(key)}[${i}]`))
  const isHex = (value: Json, bytes: number): value is string =>
    typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value)

  return {
    path,
    list: (key) => list(key),
    optionalList: (key) => list(key, []),
    text: (key, pattern, expected) =>
      take(key, expected, (value) =>
        typeof value === 'string' && pattern.test(value) ? value : undefined,
      ),
    optionalText: (key) =>
      take(key, 'a text of 1 to 256 bytes, or null', orNull(asShortText), null),
    publicKey: (key) =>
      take(key, '130 lower-case hex digits: 04, x and y of a point on the SM2 curve', (value) => {
        const bytes = isHex(value, 65) ? hexToBytes(value) : undefined
        return bytes !== undefined && isPublicKey(bytes) ? bytes : undefined
      }),
    hex: (key, bytes) =>
      take(key, `${2 * bytes} lower-case hex digits`, (value) =>
        isHex(value, bytes) ? value : undefined,
      ),
    hexes: (key, bytes, most) =>
      take(key, `1 to ${most} texts of ${2 * bytes} lower-case hex digits, each once`, (value) => {
        const isList = Array.isArray(value) && value.length >= 1 && value.length <= most
        if (!isList || !(value as Json[]).every((one) => isHex(one, bytes))) return undefined
        return new Set(value).size === value.length ? (value as string[]) : undefined
      }),
    uint: (key, least, fallback, most = Number.MAX_SAFE_INTEGER) =>
      take(key, `a whole number, ${least} to ${most}`, asUint(least, most), fallback),
    optionalUint: (key, least) =>
      take(
        key,
        `a whole number of at least ${least}, or null`,
        orNull(asUint(least, Number.MAX_SAFE_INTEGER)),
        null,
      ),
    time: (key) => take(key, timeForm, asTime),
    optionalTime: (key) => take(key, `${timeForm}, or null`, orNull(asTime), null),
    flag: (key) =>
      take(
        key,
        'true or false',
        (value) => (typeof value === 'boolean' ? value : undefined),
        false,
      ),
    oneOf: (key, names, fallback) =>
      take(
        key,
        names.map((name) => JSON.stringify(name)).join(' or '),
        (value) => names.find((name) => name === value),
        fallback,
      ),
    refusal: (expected) => fault(path, expected),
    end() {
      for (const key of object.keys()) {
        if (!asked.has(key)) {
          throw fault(place(key), `no such key; known here: ${[...asked].join(', ')}`)
        }
      }
    },
  }
}

const asShortText = (value: Json): string | undefined =>
  typeof value === 'string' && value !== '' && utf8(value).length <= 256 ? value : undefined
