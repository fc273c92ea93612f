// The drivers over the unmodified package i2c-bus: its calls of the kernel are answered by models of the chips.
import test from 'ava'
import { coldBme280 } from '../drivers/cold-bme280.ts'
import { coldSht } from '../drivers/cold-sht.ts'
import { badCheck, bme280Chip, type SimulatedChip, shtChip } from '../hardware/sim/i2c-sensors.ts'
import { driverSuite, started, until } from './driver-suite.ts'
import { type BusProgram, busIsMissing, busProgram } from './helpers/bus-program.ts'

const why = busIsMissing('i2c-bus')
if (why !== null) console.log(`the tests on the real i2c-bus are skipped: ${why}`)
const runs = why === null || process.env.KEDGE_REQUIRE_TOOLS
const onBus = runs ? test : test.skip

let program: BusProgram
let buses = 0
if (runs) {
  test.before('the shim is compiled', async () => {
    program = await busProgram()
  })
  test.after.always(() => program?.[Symbol.asyncDispose]())
}

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const block = bytesOf('706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b6d01001412031e')
const weather = bytesOf('655ac07eed006d60')
const shtDriver = { get: () => program.driver('cold-sht', coldSht) }
const bmeDriver = { get: () => program.driver('cold-bme280', coldBme280) }

/** A bus of its own with one chip. */
function benchWith(
  address: number,
  chip: SimulatedChip,
  spoil: (said: Uint8Array) => Uint8Array = badCheck,
) {
  const bus = 10 + buses++
  const path = `/dev/i2c-${bus}`
  program.server.putI2c(bus, { [address]: chip })
  return {
    bus,
    chip,
    path,
    speak: async () => {
      chip.deafen(false)
      chip.spoil(null)
    },
    garble: async () => chip.spoil(spoil),
    hush: async () => chip.deafen(true),
    unplug: async () => program.server.unplug(path),
    replug: async () => program.server.replug(path),
    opened: async () => program.server.opened(path),
    [Symbol.asyncDispose]: async () => {},
  }
}

const shtBench = (model: 'sht3x' | 'sht4x' = 'sht4x') => {
  const state = { model, words: [0x4869, 0x8937] as const, serial: [0x0f1e, 0xd3] as const }
  const bench = benchWith(0x44, shtChip(state))
  const options = coldSht.options.parse({ model, bus: bench.bus, everyMs: 20, silentMs: 20_000 })
  return { ...bench, options }
}

const bmeBench = () => {
  const bench = benchWith(0x76, bme280Chip({ trimming: block, measured: weather }), () =>
    new Uint8Array(8).fill(0xff),
  )
  const options = coldBme280.options.parse({ bus: bench.bus, everyMs: 20, silentMs: 20_000 })
  return { ...bench, options }
}

/** The driver is there only when the suite runs. */
const later = <Of extends { read: unknown }>(driver: Of, get: () => Of): Of => ({
  ...driver,
  read: (...args: unknown[]) => (get().read as (...all: unknown[]) => unknown)(...args),
})

if (runs) {
  driverSuite('SHT4x on the real i2c-bus', {
    driver: later(coldSht, shtDriver.get),
    module: 'drivers/cold-sht.ts',
    openBench: async () => shtBench(),
  })
  driverSuite('BME280 on the real i2c-bus', {
    driver: later(coldBme280, bmeDriver.get),
    module: 'drivers/cold-bme280.ts',
    refusedFor: /all ones/,
    openBench: async () => bmeBench(),
  })
}

for (const model of ['sht3x', 'sht4x'] as const) {
  onBus(
    `${model}: a fridge is read through the kernel's calls, and its sensor by its number`,
    async (t) => {
      const bench = shtBench(model)
      await using reading = started(shtDriver.get(), { ...bench.options, source: 'fridge' })
      t.deepEqual((await reading.samples.next()).value, {
        source: 'fridge/temperature',
        kind: 'temperature',
        value: [450, -2],
        unit: 'Cel',
        details: [['serial', '0f1e00d3']],
      })
      t.deepEqual(reading.refused, [])
      t.is(await bench.opened(), 1)
    },
  )
}

onBus('a BME280 says its three values through the kernel’s calls', async (t) => {
  const bench = bmeBench()
  await using reading = started(bmeDriver.get(), bench.options)
  const values = []
  for (let i = 0; i < 3; i++) values.push((await reading.samples.next()).value?.value)
  t.deepEqual(
    [values[0], values[2]],
    [
      [2508, -2],
      [10_065_325, -2],
    ],
  )
})

onBus('a sensor that acknowledges nothing while it measures is asked until it does', async (t) => {
  const bench = shtBench()
  bench.chip.deafen(true)
  await using reading = started(shtDriver.get(), bench.options)
  const next = reading.samples.next()
  setTimeout(() => bench.chip.deafen(false), 200)
  t.deepEqual((await next).value?.value, [450, -2])
})

onBus('a sensor that is not on the bus is absent, with what to check', async (t) => {
  const bench = shtBench()
  await using reading = started(shtDriver.get(), { ...bench.options, address: 0x45, silentMs: 200 })
  const error = await t.throwsAsync(reading.samples.next(), {
    code: 'SENSOR_ABSENT',
    message: new RegExp(`0x45 on /dev/i2c-${bench.bus}`),
  })
  t.regex((error as { hint?: string }).hint ?? '', /i2cdetect/)
})

onBus('a bus that there is not is told with how to switch it on', async (t) => {
  const { options } = shtBench()
  await using reading = started(shtDriver.get(), { ...options, bus: 250 })
  const error = await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT' })
  t.regex((error as { hint?: string }).hint ?? '', /dtparam=i2c_arm=on/)
})

onBus('a bad checksum on the wire is refused with its bytes, never a temperature', async (t) => {
  const bench = shtBench()
  await using reading = started(shtDriver.get(), bench.options)
  t.false((await reading.samples.next()).done)
  await reading.samples.next()
  await bench.garble()
  const next = reading.samples.next()
  await until(() => reading.refused.length > 0)
  t.regex(reading.refused[0]?.reason ?? '', /checksum/)
  t.is(reading.refused[0]?.bytes.length, 6)
  await bench.speak()
  t.deepEqual((await next).value?.value, [450, -2])
})

onBus(
  'an adapter that is drawn in the middle of a measurement ends it by name, and nothing stays open',
  async (t) => {
    const bench = shtBench()
    await using reading = started(shtDriver.get(), { ...bench.options, everyMs: 20 })
    t.false((await reading.samples.next()).done)
    await bench.unplug()
    await t.throwsAsync(
      async () => {
        for await (const _ of reading.samples);
      },
      { code: 'SENSOR_ABSENT' },
    )
    t.is(await bench.opened(), 0)
    await bench.replug()
    await using again = started(shtDriver.get(), bench.options)
    t.deepEqual((await again.samples.next()).value?.value, [450, -2])
  },
)

onBus(
  'the calls for chips with registers are carried too, and a scan finds who is there',
  async (t) => {
    const memory = new Uint8Array(256)
    let pointer = 0
    program.server.putI2c(9, {
      114: {
        write([register, ...rest]) {
          if (register !== undefined) pointer = register
          memory.set(rest, pointer)
          return true
        },
        read: (length) => memory.slice(pointer, pointer + length),
      },
    })
    t.deepEqual([...(await program.smbus(9, 0x72))], [0x5a, 1, 2, 3, 0x5a, 1, 2, 0x72])
  },
)
