/** The fields that MQTT packets are made of. Reading beyond the end gives 0 and marks the cursor as broken. */
import { type Buffer, isUtf8 } from 'node:buffer'

export interface Cursor {
  readonly bytes: Buffer
  at: number
  isBroken: boolean
}

export const cursorOf = (bytes: Buffer): Cursor => ({ bytes, at: 0, isBroken: false })

export function takeUint(cursor: Cursor, length: 1 | 2): number {
  const { bytes, at } = cursor
  skip(cursor, length)
  if (cursor.isBroken) return 0
  const first = bytes[at] as number
  return length === 1 ? first : (first << 8) | (bytes[at + 1] as number)
}

export function skip(cursor: Cursor, length: number): void {
  if (length > cursor.bytes.length - cursor.at) cursor.isBroken = true
  else cursor.at += length
}

export function takeText(cursor: Cursor, maxBytes: number): string {
  const length = takeUint(cursor, 2)
  const { bytes, at } = cursor
  skip(cursor, length)
  if (cursor.isBroken) return ''
  const view = bytes.subarray(at, at + length)
  if (length <= maxBytes && isUtf8(view) && !view.includes(0)) return view.toString()
  cursor.isBroken = true
  return ''
}

/** Passes over the properties of MQTT 5 and gives their numbers; most packets have none. */
export function readProperties(cursor: Cursor): readonly number[] {
  const length = takeLength(cursor)
  const end = cursor.at + length
  if (length === 0 || end > cursor.bytes.length) {
    if (length > 0) cursor.isBroken = true
    return none
  }
  const found: number[] = []
  while (!cursor.isBroken && cursor.at < end) {
    const property = takeUint(cursor, 1)
    const form = forms[property]
    if (form === undefined || (form !== 'pair' && found.includes(property))) cursor.isBroken = true
    else skipForm(cursor, form)
    if (form !== 'pair') found.push(property)
  }
  if (cursor.at !== end) cursor.isBroken = true
  return found
}

const none: readonly number[] = []

function takeLength(cursor: Cursor): number {
  let length = 0
  for (let shift = 0; shift <= 21; shift += 7) {
    const byte = takeUint(cursor, 1)
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) return length
  }
  cursor.isBroken = true
  return 0
}

function skipForm(cursor: Cursor, form: Form): void {
  if (typeof form === 'number') skip(cursor, form)
  else {
    skip(cursor, takeUint(cursor, 2))
    if (form === 'pair') skip(cursor, takeUint(cursor, 2))
  }
}

type Form = number | 'text' | 'pair'

/** MQTT 5 section 2.2.2.2, as far as a publisher may send them; numbers are bytes. */
const forms: Readonly<Record<number, Form>> = {
  1: 1, // payload format
  2: 4, // message expiry
  3: 'text', // content type
  8: 'text', // response topic
  9: 'text', // correlation data
  17: 4, // session expiry
  21: 'text', // authentication method
  22: 'text', // authentication data
  23: 1, // request problem information
  24: 4, // will delay
  25: 1, // request response information
  31: 'text', // reason
  33: 2, // receive maximum
  34: 2, // topic alias maximum
  35: 2, // topic alias
  38: 'pair', // user property
  39: 4, // maximum packet size
}
