import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { coldModbus } from '../drivers/cold-modbus.ts'
import { type NumberForm, numberFrom } from '../drivers/modbus-values.ts'
import { openDevicePorts, type PortMeans } from '../hardware/sim/device-port.ts'
import {
  badChecksum,
  modbusSlave,
  onSerial,
  otherTransaction,
} from '../hardware/sim/modbus-slave.ts'
import { half, silent, withNoise } from '../hardware/sim/spoil.ts'
import { driverSuite, started } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { vectors } from './helpers/vectors.ts'

const { profiles } = vectors('drivers/modbus.json') as {
  profiles: {
    model: string
    fn: number
    temperature: { reg: number; scale: number }
    humidity: { reg: number; scale: number }
  }[]
}

const climate = { temperature: { slave: 1, table: 'input', address: 1, scale: 0.1, unit: 'Cel' } }

/** A line with two transmitters, of which the second also has floats and switches. */
async function openBench({
  means,
  framing = 'rtu',
  readings = climate,
  ...more
}: {
  means?: PortMeans
  framing?: 'rtu' | 'tcp'
  readings?: object
  silentMs?: number
  everyMs?: number
} = {}) {
  const folder = await scratchFolder()
  const { ports } = await openDevicePorts(
    [{ link: `${folder.path}/line`, onFault: (what) => console.error(what) }],
    means,
  )
  const [port] = ports
  if (port === undefined) throw new Error('no port')
  const memory = {
    1: { 4: { 1: 0xffd3, 2: 612 }, 3: { 0: 612, 1: 0xffd3 } },
    2: { 4: { 8: 0x4090, 9: 0, 10: 0x7fc0, 11: 0 }, 1: { 3: 1 }, 2: { 0: 0 }, 3: { 7: 0x8000 } },
  }
  const slave = modbusSlave(port, { framing, memory })
  return {
    port,
    slave,
    options: coldModbus.options.parse({
      ...{ port: port.name, framing, readings, everyMs: 20, silentMs: 600_000 },
      ...more,
    }),
    speak: async () => slave.spoil(null),
    garble: async () => slave.spoil(framing === 'rtu' ? badChecksum : otherTransaction),
    hush: async () => slave.spoil(silent),
    unplug: () => port.unplug(),
    replug: () => port.replug(),
    opened: async () => Number(port.isOpen()),
    async [Symbol.asyncDispose]() {
      await port[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

for (const [name, bench, refusedFor] of [
  ['Modbus RTU on a serial port', {}, undefined],
  ['Modbus RTU behind a serial server', { means: 'tcp' }, undefined],
  ['Modbus TCP', { means: 'tcp', framing: 'tcp', silentMs: 5000 }, /another question/],
] as const) {
  driverSuite(name, {
    driver: coldModbus,
    module: 'drivers/cold-modbus.ts',
    ...(refusedFor && { refusedFor }),
    openBench: () => openBench(bench),
  })
}

for (const { model, fn, temperature, humidity } of profiles) {
  test(`${model}: a fridge at -4.5 °C and 61.2 % is read by its register map`, async (t) => {
    const table = fn === 4 ? 'input' : 'holding'
    const one = ({ reg, scale }: { reg: number; scale: number }) => ({
      slave: 1,
      table,
      address: reg,
      scale,
    })
    const readings = {
      temperature: { ...one(temperature), unit: 'Cel', least: -40, most: 80 },
      humidity: { ...one(humidity), type: 'uint16', unit: '%' },
    }
    await using bench = await openBench({ means: 'tcp', readings })
    await using reading = started(coldModbus, { ...bench.options, source: 'fridge' })
    t.deepEqual((await reading.samples.next()).value, {
      source: 'fridge/temperature',
      kind: 'temperature',
      value: [-45, -1],
      unit: 'Cel',
    })
    t.deepEqual((await reading.samples.next()).value, {
      source: 'fridge/humidity',
      kind: 'humidity',
      value: [612, -1],
      unit: '%',
    })
    t.deepEqual(bench.slave.asked.slice(0, 2), [fn, fn])
    t.deepEqual(reading.refused, [])
  })
}

test('floats, coils and contacts of another transmitter on the line are read too', async (t) => {
  const readings = {
    float: {
      slave: 2,
      table: 'input',
      address: 8,
      type: 'float32',
      scale: 0.01,
      kind: 'temperature',
    },
    coil: { slave: 2, table: 'coil', address: 3, kind: 'contact' },
    contact: { slave: 2, table: 'discrete', address: 0 },
  }
  await using bench = await openBench({ means: 'tcp', readings })
  await using reading = started(coldModbus, bench.options)
  const values = []
  for (let i = 0; i < 3; i++) values.push((await reading.samples.next()).value)
  t.deepEqual(
    values.map((sample) => [sample?.kind, sample?.value]),
    [
      ['temperature', [450, -2]],
      ['contact', true],
      ['contact', false],
    ],
  )
})

test('what is no value is refused with its reason and its bytes, and the others are read', async (t) => {
  const readings = {
    nan: { slave: 2, table: 'input', address: 10, type: 'float32' },
    mark: { slave: 2, table: 'holding', address: 7, noValue: [0x8000] },
    unsigned: { slave: 1, table: 'input', address: 1, type: 'uint16', scale: 0.1, most: 80 },
    nowhere: { slave: 1, table: 'input', address: 500 },
    never: { slave: 1, table: 'coil', address: 0 },
    ...climate,
  }
  await using bench = await openBench({ means: 'tcp', readings })
  await using reading = started(coldModbus, bench.options)
  t.deepEqual((await reading.samples.next()).value?.value, [-45, -1])
  t.deepEqual(
    reading.refused.map(({ reason }) => reason),
    [
      'nan: NaN: no number',
      'mark: 32768: its mark for no value',
      'unsigned: 6549.1: outside of what the configuration allows',
      'the slave refused with exception 2: it has no such address',
      'the slave refused with exception 1: it does not know this function',
    ],
  )
  t.true(reading.refused.every(({ bytes }) => bytes.length >= 5))
})

test('a transmitter that does not answer is told once, and takes no others with it', async (t) => {
  const readings = { gone: { slave: 9, table: 'input', address: 1 }, ...climate }
  await using bench = await openBench({ means: 'tcp', readings, silentMs: 1500 })
  await using reading = started(coldModbus, bench.options)
  for (let i = 0; i < 3; i++) t.deepEqual((await reading.samples.next()).value?.value, [-45, -1])
  t.deepEqual(reading.warnings.length, 1)
  t.regex(reading.warnings[0] ?? '', /transmitter 9 .* does not answer/)
})

test('a line on which nobody answers counts as gone', async (t) => {
  await using bench = await openBench({ means: 'tcp', silentMs: 100 })
  await bench.hush()
  await using reading = started(coldModbus, bench.options)
  await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT' })
})

test('a line that carries only noise is no line of transmitters', async (t) => {
  await using bench = await openBench({ means: 'tcp', silentMs: 1500 })
  bench.slave.spoil(() => new Uint8Array(7).fill(0x55))
  await using reading = started(coldModbus, { ...bench.options, everyMs: 600 })
  await t.throwsAsync(reading.samples.next(), {
    code: 'SENSOR_GARBLED',
    message: /no usable answer/,
  })
  t.true(reading.refused.length >= 3)
})

const right = onSerial(1, Uint8Array.of(4, 2, 0xff, 0xd3))
for (const [what, said, reason] of [
  ['an answer of another transmitter', onSerial(2, Uint8Array.of(4, 2, 0, 45)), /slave 2, not 1/],
  ['an answer to another function', onSerial(1, Uint8Array.of(3, 2, 0, 45)), /function 3, not 4/],
  ['half an answer', half(right), /half an answer/],
  // A zero behind a right checksum has a right checksum.
  ['an answer with a byte behind it', Uint8Array.of(...right, 0), /length that does not belong/],
  ['an answer with noise before it', withNoise(() => 0.1, 3)(right), /checksum|half/],
  ['an answer of 4000 bytes', new Uint8Array(4000).fill(4), /more than/],
] as const) {
  test(`${what} is refused, never a temperature, and the next answer is read`, async (t) => {
    await using bench = await openBench({ means: 'tcp', silentMs: 60_000 })
    let isSent = false
    bench.slave.spoil((usual) => {
      if (isSent) return usual
      isSent = true
      return said
    })
    await using reading = started(coldModbus, bench.options)
    t.deepEqual((await reading.samples.next()).value?.value, [-45, -1])
    t.regex(reading.refused[0]?.reason ?? '', reason)
  })
}

test('an answer that comes too late is refused, and is not taken for the answer to the next question', async (t) => {
  const readings = {
    first: { slave: 1, table: 'input', address: 1 },
    second: { slave: 2, table: 'coil', address: 3 },
  }
  await using bench = await openBench({ means: 'tcp', readings, silentMs: 1500, everyMs: 4000 })
  const late = onSerial(1, Uint8Array.of(4, 2, 0x12, 0x34))
  let asked = 0
  bench.slave.spoil((usual) => {
    asked++
    if (asked === 1) return new Uint8Array()
    // Together with the answer to the second question comes what the first one should have had.
    if (asked === 2) sleep(40).then(() => bench.port.say(late))
    return usual
  })
  await using reading = started(coldModbus, bench.options)
  t.is((await reading.samples.next()).value?.value, true)
  t.deepEqual((await reading.samples.next()).value?.value, [-45, 0])
  t.deepEqual(
    reading.refused.map(({ reason, bytes }) => [reason, Buffer.from(bytes)]),
    [['not asked for: late, or noise', Buffer.from(late)]],
  )
})

test('answers to the questions of others that keep coming are no answer, and the time of a question ends', async (t) => {
  const readings = { first: climate.temperature, second: climate.temperature }
  await using bench = await openBench({ means: 'tcp', framing: 'tcp', readings, silentMs: 300 })
  const other = Uint8Array.of(0x7f, 0xff, 0, 0, 0, 5, 1, 4, 2, 0, 42)
  bench.slave.spoil(silent)
  const talking = setInterval(() => bench.port.say(other), 60).unref()
  await using reading = started(coldModbus, { ...bench.options, everyMs: 300 })
  const next = reading.samples.next()
  // Where the machine is busy they come in clumps, and it is the line that is noticed first.
  const message = /no usable answer|the line is never silent/
  const failure = t.throwsAsync(next, { code: 'SENSOR_GARBLED', message })
  const said = await Promise.race([failure, sleep(20_000, 'nothing', { ref: false })])
  clearInterval(talking)
  t.not(said, 'nothing')
  t.true(reading.refused.every(({ reason }) => /another question|not asked/.test(reason)))
})

test('an adapter that hears what it says itself disturbs nothing', async (t) => {
  await using bench = await openBench({ means: 'tcp' })
  const question = onSerial(1, Uint8Array.of(4, 0, 1, 0, 1))
  bench.slave.spoil((usual) => Uint8Array.of(...question, ...usual))
  await using reading = started(coldModbus, bench.options)
  t.deepEqual((await reading.samples.next()).value?.value, [-45, -1])
  t.deepEqual(reading.refused, [])
})

test('an answer that comes a byte at a time is one answer', async (t) => {
  await using bench = await openBench({ means: 'tcp' })
  bench.slave.spoil((usual) => {
    void (async () => {
      for (const byte of usual) {
        bench.port.say(Uint8Array.of(byte))
        await sleep(2)
      }
    })()
    return new Uint8Array()
  })
  await using reading = started(coldModbus, bench.options)
  t.deepEqual((await reading.samples.next()).value?.value, [-45, -1])
  t.deepEqual(reading.refused, [])
})

const form: NumberForm = { type: 'int16', words: 'high-first', scale: 0.1 }
for (const [what, registers, change, text] of [
  ['a signed register', [0xffd3], {}, '-4.5'],
  ['an unsigned register', [0xffd3], { type: 'uint16' }, '6549.1'],
  ['two registers', [0xffff, 0xffd3], { type: 'int32' }, '-4.5'],
  [
    'two registers in the other order',
    [0xffd3, 0xffff],
    { type: 'int32', words: 'low-first' },
    '-4.5',
  ],
  ['two registers without a sign', [1, 0], { type: 'uint32', scale: 0.001 }, '65.536'],
  ['a float', [0xc090, 0], { type: 'float32', scale: 0.01 }, '-4.50'],
  ['a float that is almost nothing', [0x8000, 1], { type: 'float32', scale: 0.01 }, '0.00'],
  ['a step of a half', [9], { scale: 0.5 }, '4.5'],
  ['whole numbers', [9], { scale: 1 }, '9'],
] as const) {
  test(`${what}: ${text}`, (t) => {
    t.is(decimalText(numberFrom(registers, { ...form, ...change })), text)
  })
}

for (const [what, change] of Object.entries({
  'no reading': { readings: {} },
  'a reading without a table': { readings: { a: { slave: 1, address: 1 } } },
  'a slave that there cannot be': { readings: { a: { ...climate.temperature, slave: 248 } } },
  'a scale of nothing': { readings: { a: { ...climate.temperature, scale: 0 } } },
  'names that are too long together': { source: 'x'.repeat(60) },
  'a word that is no option': { slave: 1 },
})) {
  test(`${what} is refused before anything is opened`, (t) => {
    const options = { port: '/dev/ttyUSB0', readings: climate }
    t.true(coldModbus.options.safeParse(options).success)
    t.false(coldModbus.options.safeParse({ ...options, ...change }).success)
  })
}

test('each reading has a stream that promises it as often as the configuration says', (t) => {
  const options = coldModbus.options.parse({ port: '/dev/ttyUSB0', readings: climate })
  t.deepEqual(coldModbus.sources(options), [
    {
      source: 'modbus/ttyUSB0/temperature',
      kinds: ['temperature'],
      promise: { type: 'period', ms: 10_000, toleranceMs: 2000 },
      erasable: false,
    },
  ])
})
