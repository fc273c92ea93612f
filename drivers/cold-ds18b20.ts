/**
 * DS18B20 thermometer on the 1-Wire bus, read through the kernel's `w1_slave` file.
 * Data sheet: Analog Devices DS18B20, rev 6.
 */
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { calibrated, calibrationOption } from './calibration.ts'
import { defineDriver, sourceOption } from './driver.ts'
import { readOneWire } from './transports/one-wire.ts'
import { pollOptions, pollPromise, polls } from './transports/polling.ts'

export const coldDs18b20 = defineDriver({
  summary: 'DS18B20 thermometer (1-Wire)',
  options: z.strictObject({
    address: z
      .string()
      .regex(/^28-[0-9a-f]{12}$/, '28- and twelve hexadecimal digits')
      .describe('Address of the sensor, as `ls /sys/bus/w1/devices` prints it'),
    source: sourceOption('w1/ADDRESS'),
    ...pollOptions({ leastMs: 1000 }),
    calibration: calibrationOption('temperature'),
    bus: z.string().min(1).default('/sys/bus/w1/devices').describe('Folder of the 1-Wire bus'),
  }),

  sources: (options) => [
    {
      source: nameOf(options),
      kinds: ['temperature'],
      promise: pollPromise(options),
      erasable: false,
    },
  ],

  async *read(options, { signal, refuse }) {
    const file = `${options.bus}/${options.address}/w1_slave`
    for await (const _ of polls(options.everyMs, signal)) {
      const bytes = await readOneWire(file, signal).catch((cause) => {
        throw new KedgeError('SENSOR_ABSENT', `no DS18B20 answers at ${file}`, {
          cause,
          hint: 'Check the wiring, and dtoverlay=w1-gpio in config.txt.',
        })
      })
      try {
        const { celsius, quality, scratchpad } = parseW1Slave(bytes.toString('latin1'))
        const sample = {
          source: nameOf(options),
          kind: 'temperature',
          value: celsius,
          unit: 'Cel',
          ...(quality && { quality, raw: scratchpad }),
        }
        yield calibrated(sample, options.calibration?.temperature)
      } catch (error) {
        if (!(error instanceof KedgeError && error.code === 'SENSOR_GARBLED')) throw error
        refuse(error.message, Uint8Array.from(bytes))
      }
    }
  },
})

const nameOf = ({ source, address }: { source?: string | undefined; address: string }) =>
  source ?? `w1/${address}`

interface Measured {
  /** As many decimals as the sensor's resolution gives: four at 12 bits, one at 9. */
  readonly celsius: Decimal
  readonly quality: string | null
  readonly scratchpad: Uint8Array
}

/** The two lines of a `w1_slave` file; what is no temperature is SENSOR_GARBLED, with the reason. */
export function parseW1Slave(text: string): Measured {
  if (text.trim() === '') throw garbled('empty: the sensor did not answer')
  const match = /^((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)\s/.exec(text)
  if (match === null) throw garbled('not the text of a w1_slave file')
  const [, hex = '', crc] = match
  const bytes = Uint8Array.from(hex.trim().split(' '), (byte) => Number.parseInt(byte, 16))
  // `t=` is not looked at: it is rounded, and may be the value of an earlier read.
  return parseScratchpad(bytes, crc === 'NO')
}

/** The sensor's memory of nine bytes, its CRC computed anew. */
export function parseScratchpad(bytes: Uint8Array, kernelSaysNo = false): Measured {
  if (bytes.length !== 9) throw garbled(`${bytes.length} bytes, not nine`)
  // Nine zeros have a right CRC.
  if (bytes.every((byte) => byte === 0)) throw garbled('all zeros: the bus is held low')
  if (bytes.every((byte) => byte === 0xff)) throw garbled('all ones: nothing answers on the bus')
  if (kernelSaysNo) throw garbled('CRC NO: the kernel saw a bad checksum')
  if (crc8(bytes.subarray(0, 8)) !== bytes[8]) throw garbled('bad checksum')

  const [low = 0, high = 0, , , configuration = 0, , reserved = 0] = bytes
  const sixteenths = ((high << 24) | (low << 16)) >> 16
  if (sixteenths === -127 * 16) throw garbled('-127 °C: the value of a sensor that is not there')
  if (sixteenths < -55 * 16 || sixteenths > 125 * 16) {
    throw garbled(`${sixteenths / 16} °C: outside the sensor's range of -55 to 125 °C`)
  }
  // 1 to 4 binary places; the bits below them are undefined.
  const places = 1 + ((configuration >> 5) & 3)
  const steps = sixteenths >> (4 - places)
  // A sensor that lost power before it had measured says 85 °C and leaves 0x0c in byte 6.
  const isPowerOnValue = sixteenths === 85 * 16 && reserved === 0x0c
  return {
    celsius: [steps * 5 ** places, -places],
    quality: isPowerOnValue ? 'suspect: power-on value' : null,
    scratchpad: bytes,
  }
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)

/** Maxim's CRC-8: x⁸ + x⁵ + x⁴ + 1, reflected, from zero. */
function crc8(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8c : crc >> 1
  }
  return crc
}
