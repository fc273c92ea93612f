import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { type AnalogForm, measuredBy } from '../drivers/analog.ts'
import { coldFirmata } from '../drivers/cold-firmata.ts'
import { firmataFrames } from '../drivers/transports/firmata-frames.ts'
import { boardOver } from '../drivers/transports/johnny-five.ts'
import { chanceFrom } from '../hardware/sim/chance.ts'
import { openDevicePorts, type PortMeans } from '../hardware/sim/device-port.ts'
import { firmataPeer, type PeerSurroundings } from '../hardware/sim/firmata-board.ts'
import { silent, withNoise } from '../hardware/sim/spoil.ts'
import { driverSuite, started, until } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'

const lm35 = { pin: 0, linear: { scale: 0.48828125 } }

/** An Uno with an LM35 on A0 at 4.5 °C and a door on pin 2. */
async function openBench({
  means,
  peer: surroundings,
  ...more
}: { means?: PortMeans; peer?: PeerSurroundings } & Record<string, unknown> = {}) {
  const folder = await scratchFolder()
  const { ports } = await openDevicePorts(
    [{ link: `${folder.path}/board`, onFault: (what) => console.error(what) }],
    means,
  )
  const [port] = ports
  if (port === undefined) throw new Error('no port')
  const peer = firmataPeer(port, surroundings)
  peer.setCounts(0, 9)
  return {
    port,
    peer,
    options: coldFirmata.options.parse({
      ...{ port: port.name, everyMs: 40, silentMs: 600_000, probes: { lm35 } },
      ...more,
    }),
    speak: async () => peer.spoil(null),
    garble: async () => peer.spoil((said) => (said[0] === 224 ? said.with(2, 0xff) : said)),
    hush: async () => peer.spoil(silent),
    unplug: () => port.unplug(),
    replug: () => port.replug(),
    opened: async () => Number(port.isOpen()),
    async [Symbol.asyncDispose]() {
      peer[Symbol.dispose]()
      await port[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

for (const [name, means] of [
  ['Firmata on a serial port', undefined],
  ['Firmata behind TCP', 'tcp'],
] as const) {
  driverSuite(name, {
    driver: coldFirmata,
    module: 'drivers/cold-firmata.ts',
    refusedFor: /Firmata message/,
    openBench: () => openBench({ ...(means && { means }) }),
  })
}

test('an LM35 at 45 mV is 4.39 °C and not 4, and its counts stay beside it', async (t) => {
  await using bench = await openBench({ source: 'fridge' })
  await using reading = started(coldFirmata, bench.options)
  t.deepEqual((await reading.samples.next()).value, {
    source: 'fridge/lm35',
    kind: 'temperature',
    value: [439, -2],
    unit: 'Cel',
    raw: [9, 0],
  })
  t.is(bench.peer.everyMs, 10)
  t.deepEqual(reading.refused, [])
})

test('a door on a digital pin is recorded when it opens and when it closes, and is heard in between', async (t) => {
  const contacts = { door: { pin: 2 }, tamper: { pin: 9, pull: 'none', activeLow: true } }
  await using bench = await openBench({ probes: {}, contacts, aliveMs: 1000, debounceMs: 20 })
  bench.peer.setPin(2, false)
  bench.peer.setPin(9, true)
  await using reading = started(coldFirmata, { ...bench.options, source: 'box' })
  const next = async () => {
    const { source, value } = (await reading.samples.next()).value ?? {}
    return [source, value]
  }
  t.deepEqual(await next(), ['box/door', false])
  t.deepEqual(await next(), ['box/tamper', false])
  t.is(bench.peer.modeOf(2), 0x0b)
  t.is(bench.peer.modeOf(9), 0)
  const opened = next()
  await until(() => reading.heard.length > 4)
  bench.peer.setPin(2, true)
  t.deepEqual(await opened, ['box/door', true])
  const open = next()
  bench.peer.setPin(9, false)
  t.deepEqual(await open, ['box/tamper', true])
  t.deepEqual(new Set(reading.heard), new Set(['box/door', 'box/tamper']))
})

test('the bouncing of a contact is no opening', async (t) => {
  const contacts = { door: { pin: 2 } }
  await using bench = await openBench({ probes: {}, contacts, debounceMs: 500 })
  await using reading = started(coldFirmata, bench.options)
  t.is((await reading.samples.next()).value?.value, false)
  const next = reading.samples.next()
  for (const isHigh of [true, false, true, false, true]) bench.peer.setPin(2, isHigh)
  t.is((await next).value?.value, true)
  const none = reading.samples.next()
  for (const isHigh of [false, true]) bench.peer.setPin(2, isHigh)
  t.is(await Promise.race([none, setTimeout(1500, 'nothing')]), 'nothing')
  reading.stop()
  await none
})

for (const [what, counts, reason] of [
  ['a probe that is not there', 1023, /1023 counts: no probe, or a short circuit/],
  ['a short circuit', 0, /0 counts: no probe, or a short circuit/],
  ['more counts than the converter has', 1500, /1500 counts of a converter that has 1023/],
  ['a temperature that there cannot be', 800, /outside of what the configuration allows/],
] as const) {
  test(`${what} is refused, never a temperature`, async (t) => {
    await using bench = await openBench({ probes: { lm35: { ...lm35, most: 80 } } })
    bench.peer.setCounts(0, counts)
    await using reading = started(coldFirmata, bench.options)
    const next = reading.samples.next()
    await until(() => reading.refused.length > 0)
    t.regex(reading.refused[0]?.reason ?? '', reason)
    t.is(reading.refused[0]?.bytes[0], 0xe0)
    bench.peer.setCounts(0, 10)
    t.like((await next).value, { value: [488, -2], raw: [10, 0] })
  })
}

test('a board that is still in its boot loader is asked again', async (t) => {
  await using bench = await openBench()
  bench.peer.deafUntil(performance.now() + 1500)
  await using reading = started(coldFirmata, bench.options)
  t.deepEqual((await reading.samples.next()).value?.value, [439, -2])
})

test('a board that was restarted has forgotten its pins: it is told, and asked anew', async (t) => {
  await using bench = await openBench()
  await using reading = started(coldFirmata, bench.options)
  t.false((await reading.samples.next()).done)
  bench.peer.restart()
  await t.throwsAsync(
    async () => {
      for await (const _ of reading.samples);
    },
    { code: 'SENSOR_ABSENT', message: /was restarted/ },
  )
  await using again = started(coldFirmata, bench.options)
  t.false((await again.samples.next()).done)
})

test('what an earlier program left switched on disturbs nothing', async (t) => {
  await using bench = await openBench()
  {
    await using first = started(coldFirmata, {
      ...bench.options,
      probes: { other: { ...bench.options.probes.lm35, pin: 1 } } as never,
    })
    bench.peer.setCounts(1, 50)
    t.deepEqual((await first.samples.next()).value?.raw, [50, 0])
  }
  await using second = started(coldFirmata, bench.options)
  t.deepEqual((await second.samples.next()).value?.raw, [9, 0])
})

test('what waited while the gateway was busy is not taken for a reading of now', async (t) => {
  await using bench = await openBench()
  await using reading = started(coldFirmata, bench.options)
  t.deepEqual((await reading.samples.next()).value?.raw, [9, 0])
  // Nobody asks for the next one: the board goes on saying 9, and then 20.
  await setTimeout(900)
  bench.peer.setCounts(0, 20)
  await setTimeout(300)
  t.deepEqual((await reading.samples.next()).value?.raw, [20, 0])
  t.deepEqual(reading.refused, [])
})

for (const [what, options, message] of [
  ['an analog pin', { probes: { a: { ...lm35, pin: 6 } } }, /no such pin A6: it has 6 analog pins/],
  ['a digital pin', { contacts: { a: { pin: 20 } } }, /no such pin 20/],
  ['the pin of the serial line', { contacts: { a: { pin: 0 } } }, /no such pin 0/],
] as const) {
  test(`${what} that the board does not have is told by name`, async (t) => {
    await using bench = await openBench(options)
    await using reading = started(coldFirmata, bench.options)
    const error = await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT', message })
    t.truthy((error as KedgeError).hint)
  })
}

test('a port where nobody speaks Firmata is told so, and one where nobody speaks at all', async (t) => {
  await using noisy = await openBench({ means: 'tcp', silentMs: 2500 })
  noisy.peer.spoil(silent)
  const noise = setInterval(() => noisy.port.say(new Uint8Array(40).fill(0x55)), 20)
  await using first = started(coldFirmata, noisy.options)
  const garbled = await t.throwsAsync(first.samples.next(), { code: 'SENSOR_GARBLED' })
  clearInterval(noise)
  t.regex(garbled?.message ?? '', /not Firmata/)
  t.true(first.refused.length > 0)

  await using mute = await openBench({ means: 'tcp', silentMs: 300 })
  await mute.hush()
  await using second = started(coldFirmata, mute.options)
  await t.throwsAsync(second.samples.next(), { code: 'SENSOR_ABSENT' })
})

test('a board that contradicts itself about its pins is refused, and the program lives', async (t) => {
  await using bench = await openBench({ means: 'tcp' })
  // More pins in the map than in the list of pins.
  bench.peer.spoil((said) =>
    said[1] === 106 ? Uint8Array.of(240, 106, ...new Uint8Array(100), 247) : said,
  )
  await using reading = started(coldFirmata, bench.options)
  await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_GARBLED', message: /contradicts/ })
})

test('noise between the messages is refused, and they are read', async (t) => {
  await using bench = await openBench({ means: 'tcp' })
  await using reading = started(coldFirmata, bench.options)
  t.false((await reading.samples.next()).done)
  bench.peer.spoil((said) => withNoise(() => 0.1, 5)(said))
  for (let i = 0; i < 3; i++) t.deepEqual((await reading.samples.next()).value?.raw, [9, 0])
  t.true(reading.refused.length > 0)
})

test('johnny-five listens to no signal and prints nothing', async (t) => {
  const signals = ['SIGINT', 'SIGTERM', 'exit', 'uncaughtException'] as const
  const before = signals.map((signal) => process.listenerCount(signal))
  await using bench = await openBench({ means: 'tcp' })
  const written: string[] = []
  const log = console.log
  console.log = (...args) => void written.push(args.join(' '))
  try {
    for (let round = 0; round < 3; round++) {
      await using reading = started(coldFirmata, bench.options)
      t.false((await reading.samples.next()).done)
    }
  } finally {
    console.log = log
  }
  t.deepEqual(
    signals.map((signal) => process.listenerCount(signal)),
    before,
  )
  t.deepEqual(written, [])
})

test('of a board that is let go of nothing is kept, however often it is opened', async (t) => {
  const name: string = 'johnny-five'
  const { Board } = (await import(name)).default
  for (let round = 0; round < 5; round++) {
    const held = await boardOver('/dev/none', () => {})
    t.true(Board.cache.includes(held.board))
    held[Symbol.dispose]()
    t.false(Board.cache.includes(held.board))
  }
})

test('whatever a board says of itself with a bit or two turned over, nothing else than a refusal comes of it', async (t) => {
  const introduction = Buffer.from(
    'f90205f07902055300740061006e006400f7f06c7f7f00010b0101017f00010b010101020a06017ff7f06a7f7f7f00f7e00900910400',
    'hex',
  )
  const random = chanceFrom(8)
  const below = (most: number) => Math.floor(random() * most)
  let refusals = 0
  for (let round = 0; round < 400; round++) {
    const bytes = Uint8Array.from(introduction)
    for (let turns = below(4); turns >= 0; turns--) {
      const at = below(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
    }
    using board = await boardOver('/dev/none', () => {})
    for (const said of firmataFrames()(bytes)) {
      try {
        if (said.what === 'fault') refusals++
        else board.give(said.bytes)
      } catch (error) {
        refusals++
        if (!(error instanceof KedgeError))
          t.fail(`${Buffer.from(bytes).toString('hex')}: ${error}`)
      }
    }
  }
  t.true(refusals > 100, `${refusals}`)
})

const form: AnalogForm = { digits: 2, rails: false }
const ntc = { series: 10_000, to: 'ground', ohm: 10_000, beta: 3950 } as const
/** What a converter of 10 bits says of a thermistor, from its law turned round. */
const countsAt = (celsius: number, to: 'ground' | 'supply') => {
  const ohm = 10_000 * Math.exp(3950 * (1 / (celsius + 273.15) - 1 / 298.15))
  const part = to === 'ground' ? ohm / (ohm + 10_000) : 10_000 / (ohm + 10_000)
  return Math.floor(part * 1024)
}

for (const [what, counts, most, change, text] of [
  ['an LM35', 9, 1023, { linear: { scale: 0.48828125, offset: 0 } }, '4.39'],
  [
    'an LM35 with all digits',
    9,
    1023,
    { linear: { scale: 0.48828125, offset: 0 }, digits: 6 },
    '4.394531',
  ],
  ['a TMP36 below zero', 92, 1023, { linear: { scale: 0.48828125, offset: -50 } }, '-5.08'],
  ['a half below zero', 1, 1023, { linear: { scale: 0.25, offset: -0.5 }, digits: 1 }, '-0.3'],
  ['a half above zero', 1, 1023, { linear: { scale: 0.25, offset: 0 }, digits: 1 }, '0.3'],
  ['whole steps', 300, 4095, { linear: { scale: 2, offset: 1 } }, '601.00'],
  ['a rail that is a value', 0, 1023, { linear: { scale: 0.1, offset: 0 }, rails: true }, '0.00'],
  ['a thermistor at 25 °C', 512, 1023, { ntc, digits: 0 }, '25'],
  [
    'Steinhart and Hart',
    512,
    1023,
    { ntc: { ...ntc, steinhart: [0.001129148, 0.000234125, 8.76741e-8] }, digits: 0 },
    '25',
  ],
] as const) {
  test(`${what}: ${text}`, (t) => {
    t.is(decimalText(measuredBy(counts, most, { ...form, ...change })), text)
  })
}

for (const to of ['ground', 'supply'] as const) {
  test(`a thermistor to ${to} is right within a step of its converter from -30 to 60 °C`, (t) => {
    for (let celsius = -30; celsius <= 60; celsius += 0.5) {
      const counts = countsAt(celsius, to)
      const [mantissa, places] = measuredBy(counts, 1023, { ...form, ntc: { ...ntc, to } })
      const step = Math.abs(celsius - 15) > 40 ? 0.5 : 0.15
      t.true(Math.abs(mantissa * 10 ** places - celsius) <= step, `${celsius}: ${mantissa}`)
    }
  })
}

test('a message is one message in whatever pieces it comes', (t) => {
  const bytes = Uint8Array.of(249, 2, 5, 240, 121, 2, 5, 83, 0, 247, 224, 9, 0, 145, 4, 0)
  const whole = firmataFrames()(bytes)
  t.deepEqual(
    whole.map(({ what }) => what),
    ['version', 'firmware', 'analog', 'digital'],
  )
  const split = firmataFrames()
  t.deepEqual(
    [...bytes].flatMap((byte) => split(Uint8Array.of(byte))),
    [...whole],
  )
})

for (const [what, bytes, reason] of [
  ['half a message', [224, 9, 240, 121, 2, 5, 247], /half a Firmata message/],
  ['a message without an end', [240, 113, ...new Uint8Array(5000)], /without an end/],
  ['bytes of nobody', [1, 2, 3, 247, 255, 224, 1, 1], /noise/],
  ['an empty name', [240, 121, 247], /half a name/],
  ['an empty message', [240, 247], /empty/],
  ['a list of pins that stops', [240, 108, 0, 1, 247], /what pins can do/],
  ['a pin with 100 bits', [240, 108, 2, 100, 127, 247], /more than 32 bits/],
  ['a map of no pins', [240, 106, 247], /no map/],
] as const) {
  test(`${what}: refused with its reason`, (t) => {
    const [said] = firmataFrames()(Uint8Array.from(bytes))
    t.regex(said?.what === 'fault' ? said.reason : '', reason)
    t.true((said?.bytes.length ?? 0) <= 64)
  })
}

for (const [what, change] of Object.entries({
  'nothing to read': { probes: {} },
  'a probe without a conversion': { probes: { a: { pin: 0 } } },
  'a probe with two': { probes: { a: { ...lm35, ntc: { series: 1000 } } } },
  'a scale with too many digits': { probes: { a: { pin: 0, linear: { scale: 1 / 3 } } } },
  'one name for two': { contacts: { lm35: { pin: 2 } } },
  'names that are too long together': { source: 'x'.repeat(60) },
})) {
  test(`a configuration with ${what} is refused`, (t) => {
    const options = { port: '/dev/ttyACM0', probes: { lm35 }, ...change }
    t.false(coldFirmata.options.safeParse(options).success)
    t.true(coldFirmata.options.safeParse({ port: '/dev/ttyACM0', probes: { lm35 } }).success)
  })
}
