/** What the humidity sensors SHT3x and SHT4x of Sensirion say: two words, each with its CRC-8. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'

export const shtModels = ['sht3x', 'sht4x'] as const
type ShtModel = (typeof shtModels)[number]

export interface Climate {
  /** Two decimals each: the resolution that the data sheets give. */
  readonly celsius: Decimal
  /** Percent, from 0 to 100. */
  readonly humidity: Decimal
  /** The humidity as it was computed, where it lay outside of 0 to 100; else null. */
  readonly unclipped: Decimal | null
}

/** Percent of relative humidity in hundredths: what a word of zero means, and what all of it spans. */
const humidityOf = {
  sht3x: { least: 0, span: 10_000 },
  sht4x: { least: -600, span: 12_500 },
} as const

/** The six bytes of one measurement; what is none is SENSOR_GARBLED, with the reason. */
export function parseSht(model: ShtModel, bytes: Uint8Array): Climate {
  const [temperature, moisture] = wordsOf(bytes, ['temperature', 'humidity'])
  const hundredths = scaled(temperature, 17_500) - 4500
  if (hundredths < -4000 || hundredths > 12_500) {
    throw garbled(`${hundredths / 100} °C: outside the sensor's range of -40 to 125 °C`)
  }
  const { least, span } = humidityOf[model]
  const computed = scaled(moisture, span) + least
  const humidity = Math.min(Math.max(computed, 0), 10_000)
  return {
    celsius: [hundredths, -2],
    humidity: [humidity, -2],
    unclipped: humidity === computed ? null : [computed, -2],
  }
}

/** The serial number in eight hexadecimal digits. */
export function parseShtSerial(bytes: Uint8Array): string {
  const [high, low] = wordsOf(bytes, ['serial number', 'serial number'])
  return (high * 0x10000 + low).toString(16).padStart(8, '0')
}

function wordsOf(bytes: Uint8Array, names: readonly [string, string]): readonly [number, number] {
  if (bytes.length !== 6) throw garbled(`${bytes.length} bytes, not six`)
  if (bytes.every((byte) => byte === 0)) throw garbled('all zeros: the bus is held low (CRC-8)')
  if (bytes.every((byte) => byte === 0xff))
    throw garbled('all ones: nothing answers on the bus (CRC-8)')
  const word = (at: number, name: string): number => {
    const [high = 0, low = 0, crc] = bytes.subarray(at, at + 3)
    if (sensirionCrc8(bytes.subarray(at, at + 2)) !== crc) {
      throw garbled(`bad checksum of the ${name} (CRC-8)`)
    }
    return (high << 8) | low
  }
  return [word(0, names[0]), word(3, names[1])]
}

/** Half a hundredth goes up. */
const scaled = (word: number, span: number): number => Math.floor((2 * word * span) / 131_070 + 0.5)

/** Polynomial 31 from all ones, not reflected. */
export function sensirionCrc8(bytes: Uint8Array): number {
  let crc = 0xff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x31) & 0xff : crc << 1
  }
  return crc
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
