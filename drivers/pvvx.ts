/**
 * What a Xiaomi thermometer with free firmware advertises as service data of 181A: 15 bytes of pvvx's
 * own format, little-endian, or 13 bytes of atc1441's, big-endian. Pure.
 */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'

interface PvvxAdvertisement {
  readonly form: 'pvvx' | 'atc1441'
  /** Two decimals from pvvx, one from atc1441. */
  readonly celsius: Decimal
  /** Percent: two decimals from pvvx, none from atc1441. */
  readonly humidity: Decimal
  readonly batteryMilliVolt: number
  readonly batteryPercent: number
  /** Counts measurements up to 255. */
  readonly counter: number
  /** `AA:BB:CC:DD:EE:FF`. */
  readonly mac: string
}

/** Told apart by their length; what is neither is SENSOR_GARBLED, with the reason. */
export function parsePvvx(bytes: Uint8Array): PvvxAdvertisement {
  if (bytes.every((byte) => byte === 0)) throw garbled('all zeros')
  if (bytes.every((byte) => byte === 0xff)) throw garbled('all ones')
  const said = bytes.length === 15 ? pvvx(bytes) : bytes.length === 13 ? atc1441(bytes) : null
  if (said === null) {
    const isSecret = bytes.length === 8 || bytes.length === 11
    throw garbled(`${bytes.length} bytes${isSecret ? ' (encrypted)' : ''}, not 15 or 13`)
  }
  const celsius = said.celsius[0] * 10 ** said.celsius[1]
  if (celsius < -40 || celsius > 125) {
    throw garbled(`${celsius} °C: outside the sensor's range of -40 to 125 °C`)
  }
  if (said.humidity[0] * 10 ** said.humidity[1] > 100) throw garbled('more than 100 % humidity')
  if (said.batteryPercent > 100) throw garbled('a battery of more than 100 %')
  return said
}

function pvvx(bytes: Uint8Array): PvvxAdvertisement {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    form: 'pvvx',
    celsius: [view.getInt16(6, true), -2],
    humidity: [view.getUint16(8, true), -2],
    batteryMilliVolt: view.getUint16(10, true),
    batteryPercent: view.getUint8(12),
    counter: view.getUint8(13),
    mac: macOf(bytes.slice(0, 6).reverse()),
  }
}

function atc1441(bytes: Uint8Array): PvvxAdvertisement {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    form: 'atc1441',
    celsius: [view.getInt16(6), -1],
    humidity: [view.getUint8(8), 0],
    batteryMilliVolt: view.getUint16(10),
    batteryPercent: view.getUint8(9),
    counter: view.getUint8(12),
    mac: macOf(bytes.slice(0, 6)),
  }
}

const macOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase()

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
