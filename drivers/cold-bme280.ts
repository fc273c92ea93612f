/** BME280 of Bosch on I²C: temperature, humidity and pressure, one forced measurement a poll. */
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { equalBytes } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { parseTrimming, parseWeather, type Weather } from './bme280.ts'
import { calibrated, calibrationOption } from './calibration.ts'
import { type Driver, defineDriver, type Sample, sourceOption } from './driver.ts'
import { type I2c, i2cOptions, importI2cBus, openI2c } from './transports/i2c.ts'
import { pollOptions, pollPromise, polls } from './transports/polling.ts'

const kinds = ['temperature', 'humidity', 'pressure'] as const
type Kind = (typeof kinds)[number]

const options = z.strictObject({
  ...i2cOptions({ least: 0x76, most: 0x77 }),
  source: sourceOption('i2c/BUS-ADDRESS').describe(
    'First part of the names of the streams SOURCE/temperature, /humidity and /pressure (i2c/BUS-ADDRESS if not given)',
  ),
  ...pollOptions({ leastMs: 20 }),
  calibration: calibrationOption(...kinds),
})

type Options = z.output<typeof options>

/** The driver over another I²C than that of this computer. */
export const coldBme280Over = (load: typeof importI2cBus): Driver<typeof options> =>
  defineDriver({
    summary: 'BME280 thermometer, hygrometer and barometer (I²C)',
    options,

    sources: (options) =>
      kinds.map((kind) => ({
        source: sourceOf(options, kind),
        kinds: [kind],
        promise: pollPromise(options),
        erasable: false,
      })),

    async *read(options, { signal, refuse }) {
      await using i2c = await openI2c(load, options, signal)
      const block = await readTrimming(i2c)
      const trimming = parseTrimming(block)
      for await (const _ of polls(options.everyMs, signal)) {
        // Nothing else tells that somebody has put in another one, or that a bit of it was read wrong.
        if (!equalBytes(await readTrimming(i2c), block)) throw changed()
        const bytes = await measure(i2c, signal)
        try {
          const weather = parseWeather(trimming, bytes)
          const refuseOnly = (kind: Kind) =>
            refuse(`the ${kind} was not measured`, bytes, [sourceOf(options, kind)])
          if (weather.humidity === null) refuseOnly('humidity')
          if (weather.pascal === null) refuseOnly('pressure')
          yield* samplesOf(options, weather)
        } catch (error) {
          if (!(error instanceof KedgeError && error.code === 'SENSOR_GARBLED')) throw error
          refuse(error.message, bytes)
        }
      }
    },
  })

export const coldBme280 = coldBme280Over(importI2cBus)

async function readTrimming(i2c: I2c): Promise<Uint8Array> {
  const [id = 0] = await registers(i2c, 0xd0, 1)
  if (id !== 0x60) {
    const what = id === 0x58 ? 'a BMP280, which knows no humidity' : `a chip of type ${id}`
    throw new KedgeError('SENSOR_GARBLED', `no BME280 but ${what}`, {
      hint: 'Check the address: it is 0x76 or 0x77.',
    })
  }
  const [first, second] = [await registers(i2c, 0x88, 26), await registers(i2c, 0xe1, 7)]
  return Uint8Array.of(...first, ...second)
}

const changed = () =>
  new KedgeError('SENSOR_GARBLED', 'its calibration is not the one that was read before', {
    hint: 'Another BME280 was put in, or there is noise on the bus: it is read anew.',
  })

async function measure(i2c: I2c, signal: AbortSignal): Promise<Uint8Array> {
  // The word for humidity counts only when the one after it is written.
  await i2c.write(0xf2, 1)
  // One sample each of temperature and pressure, then back to sleep.
  await i2c.write(0xf4, 0x25)
  await setTimeout(10, undefined, { signal })
  for (let tries = 0; tries < 10; tries++) {
    const [status = 0] = await registers(i2c, 0xf3, 1)
    if ((status & 8) === 0) break
    await setTimeout(5, undefined, { signal })
  }
  return registers(i2c, 0xf7, 8)
}

async function registers(i2c: I2c, first: number, count: number): Promise<Uint8Array> {
  await i2c.write(first)
  return i2c.read(count)
}

function samplesOf(options: Options, said: Weather): readonly Sample[] {
  const values = { temperature: said.celsius, humidity: said.humidity, pressure: said.pascal }
  const units = { temperature: 'Cel', humidity: '%', pressure: 'Pa' }
  return kinds.flatMap((kind) => {
    const value = values[kind]
    if (value === null) return []
    const isClipped = kind === 'humidity' && said.isClipped
    const sample: Sample = {
      ...{ source: sourceOf(options, kind), kind, value, unit: units[kind] },
      ...(isClipped && { quality: 'suspect: clipped' }),
    }
    return [calibrated(sample, options.calibration?.[kind])]
  })
}

function sourceOf(
  { source, bus, address }: Pick<Options, 'source' | 'bus' | 'address'>,
  kind: Kind,
): string {
  return `${source ?? `i2c/${bus}-${address.toString(16)}`}/${kind}`
}
