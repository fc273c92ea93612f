/** Transmitters that speak Modbus, RTU on a serial line or TCP: which register means what is said by the configuration. */
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { calibrated, calibrationOfOne } from './calibration.ts'
import {
  type Driver,
  defineDriver,
  inOrder,
  kindOption,
  outOfOrder,
  partName,
  type Sample,
  sourceOption,
  unitOption,
} from './driver.ts'
import { type Table, tables } from './modbus.ts'
import { type Framing, modbusMaster } from './modbus-master.ts'
import { numberFrom, registersOf, registerTypes, scaleFrom } from './modbus-values.ts'
import { openWire, wireOptions } from './transports/any-wire.ts'
import { pollOptions, pollPromise, polls } from './transports/polling.ts'

const reading = z
  .strictObject({
    slave: z.int().min(1).max(247).describe('Address of the transmitter on the line'),
    table: z
      .enum(Object.keys(tables) as [Table])
      .describe('Where it stands: function 1, 2, 3 or 4 in the order of these names'),
    address: z
      .int()
      .min(0)
      .max(65_535)
      .describe('Its first register, counted from 0: what a manual calls 30001 is input 0'),
    type: z.enum(registerTypes).default('int16').describe('What the register holds'),
    words: z
      .enum(['high-first', 'low-first'])
      .default('high-first')
      .describe('Order of two registers'),
    scale: z
      .number()
      .refine((scale) => scaleFrom(scale) !== null, 'a positive number of a few digits')
      .default(1)
      .describe('What one step is worth, such as 0.1; a float is rounded to it'),
    kind: kindOption.optional().describe('Kind of the reading (its name if not given)'),
    unit: unitOption.optional().describe('Unit in UCUM, such as Cel or %'),
    least: z.number().optional().describe('What is below is refused'),
    most: z.number().optional().describe('What is above is refused'),
    noValue: z
      .array(z.int().min(0).max(0xffffffff))
      .max(8)
      .optional()
      .describe('Register values that stand for no value, such as 32768'),
    calibration: calibrationOfOne,
  })
  .refine(inOrder, outOfOrder)
  .describe('One value of one transmitter')

const options = z
  .strictObject({
    ...wireOptions({ baudRate: 9600, silentMs: 1000 }),
    parity: z.enum(['none', 'even', 'odd']).default('none').describe('Parity of a serial port'),
    framing: z
      .enum(['rtu', 'tcp'])
      .optional()
      .describe('tcp behind tcp://, else rtu; rtu behind tcp:// is a serial server'),
    source: sourceOption('modbus/ and the last part of the port').describe(
      'First part of the names of the streams, which are kept for ever (modbus/ and the last part of the port if not given)',
    ),
    ...pollOptions({ leastMs: 20 }),
    readings: z
      .record(partName, reading)
      .refine(
        (all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 64,
        '1 to 64 readings',
      )
      .describe('What is read; each has a stream of its own, named SOURCE/NAME'),
  })
  .refine(
    ({ source = '', readings }) =>
      Object.keys(readings).every((name) => source.length + 1 + name.length <= 64),
    'source and the name of a reading together have at most 63 characters',
  )

type Options = z.output<typeof options>

export const coldModbus: Driver<typeof options> = defineDriver({
  summary: 'Transmitters that speak Modbus (RTU or TCP)',
  options,

  // A stream each, so that the silence of one is not hidden by the others.
  sources: (options) =>
    Object.entries(options.readings).map(([name, { kind = name }]) => ({
      source: `${nameOf(options)}/${name}`,
      kinds: [kind],
      promise: pollPromise(options),
      erasable: false,
    })),

  async *read(options, { signal, refuse, warn }) {
    const { port, everyMs, silentMs, readings } = options
    const framing: Framing = options.framing ?? (port.startsWith('tcp:') ? 'tcp' : 'rtu')
    const slaves = new Set(Object.values(readings).map(({ slave }) => slave))
    // Each may be silent in its turn; the wire itself gives up only when all were.
    const patienceMs = everyMs + (slaves.size + 1) * silentMs
    await using wire = await openWire(port, { ...options, silentMs: patienceMs, signal })
    const master = modbusMaster(wire, { framing, silentMs, refuse })
    const warned = new Set<number>()
    let fruitless = 0
    for await (const _ of polls(everyMs, signal)) {
      const silent = new Set<number>()
      let isFruitful = false
      for (const [name, one] of Object.entries(readings)) {
        if (silent.has(one.slave)) continue
        const source = `${nameOf(options)}/${name}`
        const answer = await master.ask({
          unit: one.slave,
          sources: [source],
          table: one.table,
          address: one.address,
          count: isSwitch(one.table) ? 1 : registersOf(one.type),
        })
        if (signal.aborted) return
        if (answer === 'silent') silent.add(one.slave)
        if (typeof answer === 'string') continue
        isFruitful = true
        try {
          yield sampleOf(source, name, one, answer)
        } catch (error) {
          if (!(error instanceof KedgeError)) throw error
          refuse(`${name}: ${error.message}`, answer.bytes, [source])
        }
      }
      if (silent.size === slaves.size) throw absent(port)
      for (const slave of silent) {
        if (!warned.has(slave)) warn(`transmitter ${slave} at ${port} does not answer`)
        warned.add(slave)
      }
      fruitless = isFruitful ? 0 : fruitless + 1
      if (fruitless >= 3 && fruitless * everyMs > silentMs) throw noAnswers(port, fruitless)
    }
  },
})

type Reading = z.output<typeof reading>

const isSwitch = (table: Table) => table === 'coil' || table === 'discrete'

function sampleOf(
  source: string,
  name: string,
  { table, kind = name, unit, calibration, ...form }: Reading,
  { registers, bits: [bit = false] }: { registers: readonly number[]; bits: readonly boolean[] },
): Sample {
  if (isSwitch(table)) return { source, kind, value: bit }
  const sample = { source, kind, value: numberFrom(registers, form), ...(unit && { unit }) }
  return calibrated(sample, calibration)
}

/** Two lines of one kind differ at the end of their names. */
const nameOf = ({ source, port }: Pick<Options, 'source' | 'port'>) =>
  source ?? `modbus/${(port.split('/').at(-1) ?? '').replace(/[^\w.-]+/g, '-').slice(-32)}`

const absent = (port: string) =>
  new KedgeError('SENSOR_ABSENT', `no transmitter answers at ${port}`, {
    hint: 'Check slave, baudRate and parity, and that the wires A and B are not exchanged.',
  })

const noAnswers = (port: string, rounds: number) =>
  new KedgeError('SENSOR_GARBLED', `no usable answer from ${port} in ${rounds} rounds`, {
    hint: 'Check baudRate and parity, and the registers against the manual.',
  })
