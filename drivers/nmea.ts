/** Sentences of NMEA 0183: pure, for any talker (GP, GN, BD, GB, GL, GA and whoever comes next). */
import type { Decimal } from '../anchor-client/evidence/model.ts'
import {
  countOf,
  dateOfSix,
  decimalOf,
  garbled,
  letterOf,
  type Position,
  padded,
  positionOf,
  type TimeOfDay,
  timeOfDay,
  type Utc,
  utcOf,
  validity,
} from './nmea-fields.ts'

/** The standard says 82; receivers with many satellites say more. */
export const maxSentence = 256

export interface Rmc {
  readonly type: 'RMC'
  /** The receiver vouches for it. */
  readonly isValid: boolean
  readonly time: TimeOfDay
  readonly utc: Utc | null
  readonly position: Position | null
  readonly speedKnots: Decimal | null
  readonly courseDegrees: Decimal | null
  /** A autonomous, D differential, E dead reckoning, M by hand, S simulator, N none; null before NMEA 2.3. */
  readonly mode: string | null
}

export interface Gga {
  readonly type: 'GGA'
  readonly time: TimeOfDay
  readonly position: Position | null
  /** 0 none, 1 GNSS, 2 differential, 4 and 5 RTK, 6 dead reckoning, 7 by hand, 8 simulator. */
  readonly fix: number | null
  readonly satellites: number | null
  readonly hdop: Decimal | null
  readonly altitudeMetres: Decimal | null
}

interface Gll {
  readonly type: 'GLL'
  readonly isValid: boolean
  readonly time: TimeOfDay
  readonly position: Position | null
}

interface Zda {
  readonly type: 'ZDA'
  readonly utc: Utc | null
}

interface Other {
  readonly type: 'other'
  readonly fields: readonly string[]
}

export type Sentence = { readonly talker: string; readonly name: string } & (
  | Rmc
  | Gga
  | Gll
  | Zda
  | Other
)

/** One sentence, without its line end; what is none is SENSOR_GARBLED, with the reason. */
export function decodeSentence(line: string): Sentence {
  if (line.length > maxSentence) throw garbled(`longer than ${maxSentence} characters`)
  const match = /^\$(P[A-Z0-9]{2,9}|[A-Z0-9]{5})((?:,[\x20-\x7e]*)?)\*([0-9A-Fa-f]{2})$/.exec(line)
  if (match === null) throw garbled(whyNoSentence(line))
  const [, address = '', rest = '', sum = ''] = match
  if (/[$!*]/.test(rest)) throw garbled('a sentence within a sentence')
  const computed = checksum(address + rest)
  if (computed !== Number.parseInt(sum, 16)) {
    const right = computed.toString(16).toUpperCase().padStart(2, '0')
    throw garbled(`bad checksum: *${sum} where *${right} would be right`)
  }
  // A maker's own sentence begins with P and names the maker, not a talker.
  const isProprietary = address.startsWith('P')
  const talker = isProprietary ? 'P' : address.slice(0, -3)
  const name = isProprietary ? address.slice(1) : address.slice(-3)
  const decode = isProprietary || !Object.hasOwn(decoders, name) ? other : decoders[name]
  return { talker, name, ...(decode ?? other)(rest === '' ? [] : rest.slice(1).split(',')) }
}

function whyNoSentence(line: string): string {
  if (/[^\x20-\x7e]/.test(line)) return 'bytes that are no text'
  if (!line.startsWith('$')) return 'no sentence: it does not begin with $'
  if (!/\*[0-9A-Fa-f]{2}$/.test(line)) return 'half a sentence: it does not end with a checksum'
  return 'no sentence of NMEA 0183'
}

function checksum(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) sum ^= text.charCodeAt(i)
  return sum
}

type Fields = readonly string[]
type Decoded = Rmc | Gga | Gll | Zda | Other

const decoders: Readonly<Record<string, (fields: Fields) => Decoded>> = {
  RMC: (fields) => {
    const [time, , lat, ns, lon, ew, speed, course, date, , , mode] = padded(fields, 9)
    const isValid = validity(fields[1]) && letterOf(mode) !== 'N'
    return {
      type: 'RMC',
      isValid,
      time: timeOfDay(time),
      utc: utcOf(dateOfSix(date), timeOfDay(time)),
      position: isValid ? positionOf(lat, ns, lon, ew) : null,
      speedKnots: decimalOf(speed, 'speed'),
      courseDegrees: decimalOf(course, 'course'),
      mode: letterOf(mode),
    }
  },
  GGA: (fields) => {
    const [time, lat, ns, lon, ew, quality, satellites, hdop, altitude] = padded(fields, 9)
    const fix = countOf(quality, 'fix quality')
    return {
      type: 'GGA',
      time: timeOfDay(time),
      position: fix === null || fix === 0 ? null : positionOf(lat, ns, lon, ew),
      fix,
      satellites: countOf(satellites, 'number of satellites'),
      hdop: decimalOf(hdop, 'dilution'),
      altitudeMetres: decimalOf(altitude, 'altitude'),
    }
  },
  GLL: (fields) => {
    const [lat, ns, lon, ew, time, , mode] = padded(fields, 4)
    // Receivers before NMEA 2.0 send neither time nor status.
    const isValid = (fields[5] === undefined || validity(fields[5])) && mode !== 'N'
    return {
      type: 'GLL',
      isValid,
      time: timeOfDay(time),
      position: isValid ? positionOf(lat, ns, lon, ew) : null,
    }
  },
  ZDA: (fields) => {
    const [time, day = '', month = '', year = ''] = padded(fields, 4)
    return { type: 'ZDA', utc: utcOf(`${year}-${month}-${day}`, timeOfDay(time)) }
  },
}

const other = (fields: Fields): Other => ({ type: 'other', fields })
