/**
 * What a BME280 or BMP280 says, made a temperature, a pressure and a humidity by the integer formulas
 * of the data sheet (Bosch BME280, BST-BME280-DS002, section 4.2.3). Pure.
 */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'

export interface Trimming {
  readonly t: readonly [bigint, bigint, bigint]
  readonly p: readonly bigint[]
  /** Null for a BMP280, which knows no humidity. */
  readonly h: readonly bigint[] | null
}

export interface Weather {
  /** Two decimals. */
  readonly celsius: Decimal
  /** Two decimals, rounded from 1/256 Pa; null where it was not measured, as the next. */
  readonly pascal: Decimal | null
  /** Percent in three decimals, rounded from 1/1024. */
  readonly humidity: Decimal | null
  /** The formula put the humidity back to 0 or 100. */
  readonly isClipped: boolean
  /** The fine temperature that the other two formulas start from. */
  readonly tFine: number
}

/**
 * The chip's own constants: registers 88 to A1 and then E1 to E7, 33 bytes (32 without A0, which
 * means nothing). 24 or 26 bytes are those of a chip without humidity.
 */
export function parseTrimming(bytes: Uint8Array): Trimming {
  if (![24, 26, 32, 33].includes(bytes.length)) {
    throw garbled(`a calibration of ${bytes.length} bytes, not 33 (or 24 without humidity)`)
  }
  if (bytes.every((byte) => byte === 0)) throw garbled('a calibration of all zeros')
  if (bytes.every((byte) => byte === 0xff)) throw garbled('a calibration of all ones')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const signed = (at: number) => BigInt(view.getInt16(at, true))
  const unsigned = (at: number) => BigInt(view.getUint16(at, true))
  const p = Array.from({ length: 9 }, (_, i) => (i === 0 ? unsigned(6) : signed(6 + 2 * i)))
  const t = [unsigned(0), signed(2), signed(4)] as const
  // By both of these something is divided.
  if (t[0] === 0n || p[0] === 0n) throw garbled('a calibration with a zero where none can be')
  if (bytes.length < 32) return { t, p, h: null }
  const at = bytes.length - 7
  const middle = view.getUint8(at + 4)
  const h = [
    view.getUint8(at - 1),
    view.getInt16(at, true),
    view.getUint8(at + 2),
    // Two numbers of twelve bits share a byte.
    (view.getInt8(at + 3) << 4) | (middle & 15),
    (view.getInt8(at + 5) << 4) | (middle >> 4),
    view.getInt8(at + 6),
  ].map(BigInt)
  return { t, p, h }
}

/** Registers F7 to FE (or FC without humidity); what is no measurement is SENSOR_GARBLED, with the reason. */
export function parseWeather(trimming: Trimming, bytes: Uint8Array): Weather {
  if (bytes.length !== 8 && bytes.length !== 6) {
    throw garbled(`${bytes.length} bytes, not eight (or six without humidity)`)
  }
  if (bytes.every((byte) => byte === 0)) throw garbled('all zeros: the bus is held low')
  if (bytes.every((byte) => byte === 0xff)) throw garbled('all ones: nothing answers on the bus')
  const [pHigh = 0, pMiddle = 0, pLow = 0, tHigh = 0, tMiddle = 0, tLow = 0] = bytes
  const [hHigh = 0x80, hLow = 0] = bytes.subarray(6)
  const twenty = (high: number, middle: number, low: number) =>
    (high << 12) | (middle << 4) | (low >> 4)
  const [adcT, adcP] = [twenty(tHigh, tMiddle, tLow), twenty(pHigh, pMiddle, pLow)]
  const adcH = (hHigh << 8) | hLow
  // What was skipped stands as a one and zeros; without a temperature nothing else can be computed.
  if (adcT === skipped) throw garbled('the temperature was not measured')
  const tFine = fineTemperature(trimming, BigInt(adcT))
  const hundredths = Number((tFine * 5n + 128n) >> 8n)
  if (hundredths < -4000 || hundredths > 8500) {
    throw garbled(`${hundredths / 100} °C: outside the sensor's range of -40 to 85 °C`)
  }
  const pascal = adcP === skipped ? null : pressure(trimming, tFine, BigInt(adcP))
  if (pascal !== null && (pascal < 30_000n << 8n || pascal > 110_000n << 8n)) {
    throw garbled(`${pascal >> 8n} Pa: outside the sensor's range of 30000 to 110000 Pa`)
  }
  const { h } = trimming
  const moist = h === null || adcH === 0x8000 ? null : humidity(h, tFine, BigInt(adcH))
  const held = moist === null ? null : moist < 0n ? 0n : moist > hundred ? hundred : moist
  return {
    celsius: [hundredths, -2],
    pascal: pascal === null ? null : [Number((pascal * 100n + 128n) >> 8n), -2],
    humidity: held === null ? null : [Number(((held >> 12n) * 1000n + 512n) >> 10n), -3],
    isClipped: held !== moist,
    tFine: Number(tFine),
  }
}

const skipped = 0x80000
const hundred = 419_430_400n

function fineTemperature({ t: [t1, t2, t3] }: Trimming, adc: bigint): bigint {
  const first = (((adc >> 3n) - (t1 << 1n)) * t2) >> 11n
  const away = (adc >> 4n) - t1
  return first + ((((away * away) >> 12n) * t3) >> 14n)
}

/** In 1/256 Pa. */
function pressure({ p }: Trimming, tFine: bigint, adc: bigint): bigint {
  const [p1 = 0n, p2 = 0n, p3 = 0n, p4 = 0n, p5 = 0n, p6 = 0n, p7 = 0n, p8 = 0n, p9 = 0n] = p
  const warm = tFine - 128_000n
  const offset = warm * warm * p6 + ((warm * p5) << 17n) + (p4 << 35n)
  const slope = (((1n << 47n) + ((warm * warm * p3) >> 8n) + ((warm * p2) << 12n)) * p1) >> 33n
  if (slope === 0n) throw garbled('a pressure that would be divided by zero')
  const rough = ((((1_048_576n - adc) << 31n) - offset) * 3125n) / slope
  const square = (p9 * (rough >> 13n) * (rough >> 13n)) >> 25n
  return ((rough + square + ((p8 * rough) >> 19n)) >> 8n) + (p7 << 4n)
}

/** In 1/4194304 percent, not yet held between 0 and 100. */
function humidity(h: readonly bigint[], tFine: bigint, adc: bigint): bigint {
  const [h1 = 0n, h2 = 0n, h3 = 0n, h4 = 0n, h5 = 0n, h6 = 0n] = h
  const warm = tFine - 76_800n
  const dry = ((adc << 14n) - (h4 << 20n) - h5 * warm + 16_384n) >> 15n
  const gain = (((warm * h6) >> 10n) * (((warm * h3) >> 11n) + 32_768n)) >> 10n
  const rough = dry * (((gain + 2_097_152n) * h2 + 8192n) >> 14n)
  return rough - (((((rough >> 15n) * (rough >> 15n)) >> 7n) * h1) >> 4n)
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
