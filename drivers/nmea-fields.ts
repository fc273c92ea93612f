/** The fields of a sentence; what is not of the form it must have is SENSOR_GARBLED, what is empty is null. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { parseDecimal } from './decimal.ts'

export interface Position {
  readonly lat: Decimal
  readonly lon: Decimal
}

export interface Utc {
  /** RFC 3339, with the fraction of a second as sent. */
  readonly text: string
  /** Null in a leap second, which Unix time has no number for. */
  readonly unixMs: number | null
}

/** Time of day as sent, `12:35:19.00Z`, to tell which sentences belong together. */
export type TimeOfDay = string | null

export const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)

export function padded(fields: readonly string[], least: number): readonly string[] {
  if (fields.length >= least) return fields
  throw garbled(`${fields.length} fields where ${least} are needed`)
}

export function validity(status: string | undefined): boolean {
  if (status !== 'A' && status !== 'V') throw garbled('a status that is neither A nor V')
  return status === 'A'
}

export function letterOf(text = ''): string | null {
  if (!/^[A-Z]?$/.test(text)) throw garbled('a mode that is no letter')
  return text || null
}

export function decimalOf(text: string | undefined, what: string): Decimal | null {
  if (!text) return null
  const decimal = parseDecimal(text)
  if (decimal === null) throw garbled(`a ${what} that is no number`)
  return decimal
}

export function countOf(text: string | undefined, what: string): number | null {
  if (!text) return null
  if (!/^\d{1,3}$/.test(text)) throw garbled(`a ${what} that is no number`)
  return Number(text)
}

export function positionOf(lat = '', ns = '', lon = '', ew = ''): Position | null {
  if (lat === '' && lon === '') return null
  return { lat: angleOf(lat, ns, 'NS', 90), lon: angleOf(lon, ew, 'EW', 180) }
}

/**
 * `4807.038`, N: 48 degrees and 7.038 minutes. With n decimals of a minute the degrees get n + 3, and
 * six at least, rounded to the nearest: a thirtieth of the last digit is lost at most, so that the
 * minutes can be computed back exactly.
 */
function angleOf(text: string, side: string, sides: string, most: number): Decimal {
  const match = /^(\d{1,3})([0-5]\d)(?:\.(\d{0,8}))?$/.exec(text)
  if (match === null || side.length !== 1 || !sides.includes(side)) {
    throw garbled('a position that is none')
  }
  const [, degrees, minutes = '', fraction = ''] = match
  const places = Math.max(6, fraction.length + 3)
  const scaledMinutes = Number(minutes + fraction) * 10 ** (places - fraction.length)
  const scaled = Number(degrees) * 10 ** places + Math.round(scaledMinutes / 60)
  if (scaled > most * 10 ** places) throw garbled(`a position beyond ${most} degrees`)
  return [side === sides[1] && scaled > 0 ? -scaled : scaled, -places]
}

export function timeOfDay(text = ''): TimeOfDay {
  if (text === '') return null
  const match = /^([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(\.\d{1,9})?\.?$/.exec(text)
  if (match === null) throw garbled('a time that is none')
  const [, hours, minutes, seconds, fraction = ''] = match
  return `${hours}:${minutes}:${seconds}${fraction}Z`
}

/** `230394` as 1994-03-23: two digits of a year below 80 are of this century. */
export function dateOfSix(text = ''): string {
  const [, day, month, year = ''] = /^(\d\d)(\d\d)(\d\d)$/.exec(text) ?? []
  return `${Number(year) < 80 ? 20 : 19}${year}-${month}-${day}`
}

/** Null where a receiver says no time, or a date that is none: its position may be right all the same. */
export function utcOf(date: string, time: TimeOfDay): Utc | null {
  if (time === null || !/^\d{4}-\d\d-\d\d$/.test(date)) return null
  const midnightMs = Date.parse(`${date}T00:00:00Z`)
  // Date.parse takes the 31st of any month.
  if (Number.isNaN(midnightMs) || !new Date(midnightMs).toISOString().startsWith(date)) return null
  const text = `${date}T${time}`
  const unixMs = Date.parse(text.replace(/(\.\d{3})\d+Z$/, '$1Z'))
  return { text, unixMs: Number.isNaN(unixMs) ? null : unixMs }
}
