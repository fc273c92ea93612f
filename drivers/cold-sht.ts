/** SHT3x and SHT4x of Sensirion on I²C: temperature and humidity, one measurement a poll. */
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { calibrated, calibrationOption } from './calibration.ts'
import { type Driver, defineDriver, type Sample, sourceOption } from './driver.ts'
import { type Climate, parseSht, parseShtSerial, shtModels } from './sht.ts'
import { type I2c, i2cOptions, importI2cBus, openI2c } from './transports/i2c.ts'
import { pollOptions, pollPromise, polls } from './transports/polling.ts'

const options = z.strictObject({
  model: z.enum(shtModels).describe('Which of the two it is; they differ in humidity'),
  ...i2cOptions({ least: 0x44, most: 0x46 }),
  source: sourceOption('i2c/BUS-ADDRESS').describe(
    'First part of the names of the streams SOURCE/temperature and SOURCE/humidity (i2c/BUS-ADDRESS if not given)',
  ),
  ...pollOptions({ leastMs: 20 }),
  calibration: calibrationOption('temperature', 'humidity'),
})

type Options = z.output<typeof options>

/** Commands for a measurement of high repeatability, and for the serial number. */
const commands = {
  sht3x: { measure: [0x24, 0x00], measureMs: 16, serial: [0x37, 0x80] },
  sht4x: { measure: [0xfd], measureMs: 9, serial: [0x89] },
} as const

/** The driver over another I²C than that of this computer. */
export const coldShtOver = (load: typeof importI2cBus): Driver<typeof options> =>
  defineDriver({
    summary: 'SHT3x or SHT4x thermometer and hygrometer (I²C)',
    options,

    sources: (options) =>
      (['temperature', 'humidity'] as const).map((kind) => ({
        source: `${nameOf(options)}/${kind}`,
        kinds: [kind],
        promise: pollPromise(options),
        erasable: false,
      })),

    async *read(options, { signal, refuse }) {
      const { model, everyMs } = options
      await using i2c = await openI2c(load, options, signal)
      let serial: string | null = null
      for await (const _ of polls(everyMs, signal)) {
        let bytes = new Uint8Array()
        try {
          if (serial === null) {
            bytes = await answer(i2c, commands[model].serial, 1, signal)
            serial = parseShtSerial(bytes)
          }
          bytes = await answer(i2c, commands[model].measure, commands[model].measureMs, signal)
          yield* samplesOf(options, serial, parseSht(model, bytes))
        } catch (error) {
          if (!(error instanceof KedgeError && error.code === 'SENSOR_GARBLED')) throw error
          refuse(error.message, bytes)
        }
      }
    },
  })

export const coldSht = coldShtOver(importI2cBus)

async function answer(
  i2c: I2c,
  command: readonly number[],
  ms: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  await i2c.write(...command)
  await setTimeout(ms, undefined, { signal })
  return Uint8Array.from(await i2c.read(6))
}

function samplesOf(options: Options, serial: string, said: Climate): readonly Sample[] {
  const details = [['serial', serial]] as const
  const name = nameOf(options)
  const { temperature, humidity } = options.calibration ?? {}
  return [
    calibrated(
      {
        source: `${name}/temperature`,
        kind: 'temperature',
        value: said.celsius,
        unit: 'Cel',
        details,
      },
      temperature,
    ),
    calibrated(
      {
        ...{
          source: `${name}/humidity`,
          kind: 'humidity',
          value: said.humidity,
          unit: '%',
          details,
        },
        ...(said.unclipped && { quality: 'suspect: clipped', raw: said.unclipped }),
      },
      humidity,
    ),
  ]
}

const nameOf = ({ source, bus, address }: Pick<Options, 'source' | 'bus' | 'address'>) =>
  source ?? `i2c/${bus}-${address.toString(16)}`
