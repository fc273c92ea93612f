import test from 'ava'
import { coldBme280Over } from '../drivers/cold-bme280.ts'
import { coldSht, coldShtOver } from '../drivers/cold-sht.ts'
import { i2cBus } from '../hardware/sim/i2c-bus.ts'
import { badCheck, bme280Chip, type SimulatedChip, shtChip } from '../hardware/sim/i2c-sensors.ts'
import { driverSuite, started } from './driver-suite.ts'
import { vectors } from './helpers/vectors.ts'

const { sht4x, crc8 } = vectors('drivers/i2c.json') as {
  sht4x: { raw: string }
  crc8: readonly (readonly [string, string])[]
}
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const fridge = [0x4869, 0x8937] as const

const block = bytesOf('706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b6d01001412031e')
const weather = bytesOf('655ac07eed006d60')

function bench(chip: SimulatedChip, address: number, spoil: (said: Uint8Array) => Uint8Array) {
  const bus = i2cBus({ [address]: chip })
  return {
    load: async () => bus,
    controls: {
      speak: async () => {
        chip.deafen(false)
        chip.spoil(null)
      },
      garble: async () => chip.spoil(spoil),
      hush: async () => chip.deafen(true),
      unplug: async () => bus.unplug(),
      replug: async () => bus.replug(),
      opened: async () => bus.opened(),
      [Symbol.asyncDispose]: async () => {},
    },
  }
}

const shtBench = (model: 'sht3x' | 'sht4x') => {
  const state = {
    model,
    words: fridge as readonly [number, number],
    serial: [0x0f1e, 0xd3] as const,
  }
  const chip = shtChip(state)
  const { load, controls } = bench(chip, 0x44, badCheck)
  const driver = coldShtOver(load)
  return {
    state,
    chip,
    driver,
    ...controls,
    options: driver.options.parse({ model, everyMs: 20, silentMs: 20_000 }),
  }
}

const bmeBench = (
  state: Parameters<typeof bme280Chip>[0] = { trimming: block, measured: weather },
) => {
  const chip = bme280Chip(state)
  const { load, controls } = bench(chip, 0x76, () => new Uint8Array(8).fill(0xff))
  const driver = coldBme280Over(load)
  return {
    state,
    chip,
    driver,
    ...controls,
    options: driver.options.parse({ everyMs: 20, silentMs: 20_000 }),
  }
}

/** One driver for the whole suite, whose bus is that of the bench which is open. */
for (const model of ['sht3x', 'sht4x'] as const) {
  suiteOver(model, 'drivers/cold-sht.ts', () => shtBench(model))
}
suiteOver('BME280', 'drivers/cold-bme280.ts', bmeBench, /all ones/)

function suiteOver(
  name: string,
  module: string,
  open: typeof bmeBench | (() => ReturnType<typeof shtBench>),
  refusedFor?: RegExp,
) {
  // The tests of a suite overlap: the bus goes by the number in the options.
  const benches: ReturnType<typeof open>[] = []
  const { driver } = open()
  const byBus = {
    ...driver,
    read: (options: never, surroundings: never) =>
      benches[(options as { bus: number }).bus]?.driver.read(options, surroundings),
  }
  driverSuite(name, {
    driver: byBus as never,
    module,
    ...(refusedFor && { refusedFor }),
    openBench: async () => {
      const opened = open()
      const bus = benches.push(opened) - 1
      return { ...opened, options: { ...opened.options, bus } as never }
    },
  })
}

test('the simulated sensor says the published bytes, with the published checksums', (t) => {
  for (const [word, crc] of crc8) {
    const chip = shtChip({ model: 'sht4x', words: fridge, serial: [Number.parseInt(word, 16), 0] })
    t.true(chip.write(bytesOf('89')))
    t.is(Buffer.from(chip.read(6) ?? []).toString('hex'), `${word}${crc}000081`)
  }
  t.is(sht4x.raw.slice(0, 4), fridge[0].toString(16))
})

test('a fridge is recorded with its temperature, its humidity and the number of its sensor', async (t) => {
  const { driver, options } = shtBench('sht4x')
  await using reading = started(driver, { ...options, source: 'fridge' })
  const details = [['serial', '0f1e00d3']] as const
  t.deepEqual((await reading.samples.next()).value, {
    ...{
      source: 'fridge/temperature',
      kind: 'temperature',
      value: [450, -2],
      unit: 'Cel',
      details,
    },
  })
  t.deepEqual((await reading.samples.next()).value, {
    ...{ source: 'fridge/humidity', kind: 'humidity', value: [6100, -2], unit: '%', details },
  })
})

test('a humidity above 100 % is doubtful, and what was computed stays beside it', async (t) => {
  const { driver, options, state } = shtBench('sht4x')
  state.words = [0x6666, 0xffff]
  await using reading = started(driver, options)
  t.is((await reading.samples.next()).value?.quality, undefined)
  t.like((await reading.samples.next()).value, {
    ...{ value: [10_000, -2], quality: 'suspect: clipped', raw: [11_900, -2] },
  })
})

test('a sensor that is taken off the bus counts as gone', async (t) => {
  const { driver, options, chip } = shtBench('sht3x')
  await using reading = started(driver, { ...options, silentMs: 300 })
  t.false((await reading.samples.next()).done)
  await reading.samples.next()
  chip.deafen(true)
  await t.throwsAsync(reading.samples.next(), {
    code: 'SENSOR_ABSENT',
    message: /0x44 on .dev.i2c-1/,
  })
})

test('a BME280 says temperature, humidity and pressure', async (t) => {
  const { driver, options } = bmeBench()
  await using reading = started(driver, { ...options, source: 'room' })
  const said = []
  for (let i = 0; i < 3; i++) said.push((await reading.samples.next()).value)
  t.deepEqual(
    said.map((sample) => [sample?.source, sample?.unit]),
    [
      ['room/temperature', 'Cel'],
      ['room/humidity', '%'],
      ['room/pressure', 'Pa'],
    ],
  )
  t.deepEqual(said[0]?.value, [2508, -2])
  t.deepEqual(said[2]?.value, [10_065_325, -2])
})

test('a BME280 that skipped its pressure is refused for it, and says the rest', async (t) => {
  const measured = weather.slice()
  measured.set([0x80, 0, 0])
  const { driver, options } = bmeBench({ trimming: block, measured })
  await using reading = started(driver, options)
  const kinds = []
  for (let i = 0; i < 3; i++) kinds.push((await reading.samples.next()).value?.kind)
  t.deepEqual(kinds, ['temperature', 'humidity', 'temperature'])
  t.regex(reading.refused[0]?.reason ?? '', /pressure was not measured/)
})

test('a BME280 that is exchanged for another is never read by the calibration of the first', async (t) => {
  const { driver, options, state } = bmeBench()
  await using reading = started(driver, options)
  for (let i = 0; i < 3; i++) t.false((await reading.samples.next()).done)
  state.trimming = block.with(2, 0x68)
  await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_GARBLED', message: /calibration/ })
  await using again = started(driver, options)
  const { value } = await again.samples.next()
  t.is(value?.kind, 'temperature')
  t.notDeepEqual(value?.value, [2508, -2])
})

for (const [what, state, reason] of [
  ['a BMP280', { trimming: block, measured: weather, id: 0x58 }, /BMP280, which knows no humidity/],
  ['another chip', { trimming: block, measured: weather, id: 0x61 }, /a chip of type 97/],
  [
    'a chip without a calibration',
    { trimming: new Uint8Array(33), measured: weather },
    /all zeros/,
  ],
] as const) {
  test(`${what} is not taken for a BME280`, async (t) => {
    const { driver, options } = bmeBench(state)
    await using reading = started(driver, options)
    await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_GARBLED', message: reason })
  })
}

test('without its package, or without its bus, a sensor on I²C is absent, and a person is told why', async (t) => {
  const options = coldSht.options.parse({ model: 'sht4x', bus: 250, silentMs: 100 })
  await using reading = started(coldSht, options)
  const error = await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT' })
  t.regex(error?.message ?? '', /need the package i2c-bus|no sensor answers/)
  t.truthy((error as { hint?: string }).hint)
})
