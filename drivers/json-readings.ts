/**
 * A JSON message as readings, by a mapping. Pure. Numbers keep the digits as they were sent, and no refusal quotes
 * what was sent.
 */
import type { Decimal, Details, Value } from '../anchor-client/evidence/model.ts'
import { parseTime } from '../anchor-client/evidence/rfc3339.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { decimalOf, parseDecimal, rounded } from './decimal.ts'
import { type Json, readJson } from './json.ts'
import type { JsonMapping, JsonReading } from './json-mapping.ts'

export interface Mapped {
  readonly readings: readonly MappedReading[]
  /** Why a value that should be there is none. */
  readonly refused: readonly { readonly name: string; readonly why: string }[]
  readonly id: string | null
  readonly counter: number | null
  /** As the publisher wrote it, and what that means. */
  readonly time: { readonly text: string; readonly unixMs: number } | null
}

interface MappedReading {
  readonly name: string
  readonly kind: string
  readonly value: Value
  readonly unit?: string
  readonly raw?: Value
}

export const maxMessageBytes = 65_536
const maxDepth = 8

/** A string says why the message as a whole is refused. */
export function readingsIn(payload: Uint8Array, mapping: JsonMapping): Mapped | string {
  if (payload.length > maxMessageBytes) return 'the payload is larger than 64 KiB'
  const json = readJson(payload, maxDepth)
  if ('fault' in json) return json.fault
  const at = (pointer: string) => valueAt(json.value, pointer)

  const id = mapping.id === undefined ? null : idFrom(at(mapping.id))
  if (id === undefined) return 'the id is no number and no text of 1 to 128 bytes'
  const counter = mapping.counter === undefined ? null : counterFrom(at(mapping.counter))
  if (counter === undefined) return 'the counter is no whole number from 0 to 2^53 - 1'
  const time = mapping.time === undefined ? null : timeFrom(at(mapping.time.at), mapping.time.form)
  if (time === undefined) return `the time is no ${mapping.time?.form} time that exists`

  const readings: MappedReading[] = []
  const refused: { name: string; why: string }[] = []
  for (const [name, reading] of Object.entries(mapping.readings)) {
    const found = at(reading.at)
    if (found === undefined) continue
    const read = valueFrom(found, reading)
    if (typeof read === 'string') refused.push({ name, why: read })
    else {
      const { kind = name, unit } = reading
      readings.push({ name, kind, ...read, ...(unit !== undefined && { unit }) })
    }
  }
  if (readings.length === 0 && refused.length === 0) {
    return 'nothing of what the configuration names stands in it'
  }
  return { readings, refused, id, counter, time }
}

/** What stays beside a reading, names ascending. */
export const detailsOf = ({ id, time }: Mapped): Details => [
  ...(id === null ? [] : [['publisher-id', id] as const]),
  ...(time === null ? [] : [['publisher-time', time.text] as const]),
]

/** RFC 6901; undefined where it leads nowhere. */
function valueAt(json: Json, pointer: string): Json | undefined {
  let found: Json | undefined = json
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (found instanceof Map) found = (found as ReadonlyMap<string, Json>).get(key)
    else if (Array.isArray(found) && /^(?:0|[1-9]\d{0,5})$/.test(key)) found = found[Number(key)]
    else return undefined
  }
  return found
}

function valueFrom(
  json: Json,
  form: JsonReading,
): { readonly value: Value; readonly raw?: Value } | string {
  if (json === null) return 'null: no value'
  if (form.states !== undefined) {
    const word = wordOf(json) ?? ''
    const state = Object.hasOwn(form.states, word) ? form.states[word] : undefined
    return state === undefined
      ? 'none of the states that the configuration names'
      : { value: state }
  }
  if (typeof json === 'boolean') return { value: json }
  const numeral = numeralOf(json)
  return numeral === undefined ? 'no number' : numberFrom(numeral, form)
}

function numberFrom(numeral: string, { scale, places, least, most, noValue }: JsonReading) {
  const said = places === undefined ? decimalOf(numeral, 'it') : rounded(numeral, places)
  if ('refused' in said) return said.refused
  if (noValue?.includes(numberOf(said.value))) return 'its mark for no value'
  const value = scaled(said.value, scale)
  if (value === null) return 'a number beyond all bounds'
  const number = numberOf(value)
  if (number < (least ?? number) || number > (most ?? number)) {
    return 'outside of what the configuration allows'
  }
  const isRounded = places !== undefined && numeral !== decimalText(said.value)
  return isRounded ? { value, raw: numeral } : { value }
}

function scaled([mantissa, exponent]: Decimal, scale: number): Decimal | null {
  const [step, places] = parseDecimal(String(scale)) ?? [1, 0]
  const value: Decimal = [mantissa * step + 0, exponent + places]
  return Number.isSafeInteger(value[0]) && value[1] >= -18 ? value : null
}

const numberOf = (decimal: Decimal): number => Number(decimalText(decimal))

/** Digits in quotes are numbers, too. */
function numeralOf(json: Json): string | undefined {
  if (typeof json === 'string') return numeralPattern.test(json) ? json : undefined
  return digitsOf(json)
}

const digitsOf = (json: Json | undefined): string | undefined =>
  typeof json === 'object' && json !== null && 'digits' in json ? json.digits : undefined

const wordOf = (json: Json): string | undefined =>
  typeof json === 'string' || typeof json === 'boolean' ? String(json) : digitsOf(json)

function idFrom(json: Json | undefined): string | undefined {
  const text = typeof json === 'string' ? json : digitsOf(json)
  if (text === undefined || text === '') return undefined
  return new TextEncoder().encode(text).length <= 128 ? text : undefined
}

function counterFrom(json: Json | undefined): number | undefined {
  const digits = digitsOf(json)
  const counter = digits !== undefined && /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN
  return Number.isSafeInteger(counter) ? counter : undefined
}

function timeFrom(json: Json | undefined, form: 'rfc3339' | 'unix-s' | 'unix-ms') {
  const text = typeof json === 'string' ? json : digitsOf(json)
  if (text === undefined || text.length > 40) return undefined
  const unixMs = form === 'rfc3339' ? parseTime(text) : unixFrom(text, form === 'unix-s' ? 1000 : 1)
  return unixMs === undefined ? undefined : { text, unixMs }
}

function unixFrom(text: string, factor: number): number | undefined {
  const unixMs = /^\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) * factor : Number.NaN
  return unixMs <= latestMs ? Math.floor(unixMs) : undefined
}

/** The end of the year 9999. */
const latestMs = 253_402_300_799_999
const numeralPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
