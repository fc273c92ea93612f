import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import { command, type Frame, framesIn, parametersOf, parseTag } from '../drivers/m100.ts'
import { rfidUhfM100 } from '../drivers/rfid-uhf-m100.ts'
import { openDevicePorts, type PortMeans } from '../hardware/sim/device-port.ts'
import { half, silent } from '../hardware/sim/spoil.ts'
import { demoTags } from '../hardware/sim/tags.ts'
import { badChecksum, frameOf, uhfReader } from '../hardware/sim/uhf-reader.ts'
import { driverSuite, started, until } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { vectors } from './helpers/vectors.ts'

interface Vector {
  readonly name: string
  readonly hex: string
  readonly expect?: object
}

const { frames: published } = vectors('drivers/uhf-m100.json') as { frames: Vector[] }
const named = (name: string) =>
  bytesOf(published.find((vector) => vector.name === name)?.hex ?? name)
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const tagFrame = named('tag notification')
const [box = tagFrame, other = tagFrame] = demoTags

/** A port without a device behind it yet. */
async function openPort(means?: PortMeans) {
  const folder = await scratchFolder()
  const faults: string[] = []
  const { ports } = await openDevicePorts(
    [{ link: `${folder.path}/uhf`, onFault: (what) => faults.push(what) }],
    means,
  )
  const [port] = ports
  if (port === undefined) throw new Error('no port')
  return {
    port,
    options: rfidUhfM100.options.parse({
      port: port.name,
      everyMs: 20,
      seenAgainMs: 0,
      silentMs: 600_000,
    }),
    async [Symbol.asyncDispose]() {
      await port[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** A simulated reader with one box before its antenna. */
async function openBench(means?: PortMeans) {
  const opened = await openPort(means)
  const { port } = opened
  const field = new Set([box])
  const reader = uhfReader(port, { inField: () => Array.from(field), random: () => 0.5 })
  return {
    ...opened,
    field,
    reader,
    speak: async () => {
      field.add(box)
      reader.spoil(null)
    },
    garble: async () => reader.spoil(badChecksum),
    hush: async () => reader.spoil(silent),
    idle: async () => {
      field.clear()
      reader.spoil(null)
    },
    unplug: () => port.unplug(),
    replug: () => port.replug(),
    opened: async () => Number(port.isOpen()),
    async [Symbol.asyncDispose]() {
      reader[Symbol.dispose]()
      await opened[Symbol.asyncDispose]()
    },
  }
}

for (const [name, means] of [
  ['UHF reader on a serial port', undefined],
  ['UHF reader on the network', 'tcp'],
] as const) {
  driverSuite(name, {
    driver: rfidUhfM100,
    module: 'drivers/rfid-uhf-m100.ts',
    saysWhenIdle: true,
    openBench: () => openBench(means),
  })
}

for (const { name, hex, expect } of published) {
  test(`the published frame "${name}" is read as one frame`, async (t) => {
    const [frame, ...more] = await framesOf(bytesOf(hex))
    t.deepEqual(more, [])
    t.is(frame?.fault, null)
    const parameters = parametersOf(frame?.bytes ?? new Uint8Array())
    if (expect && 'epc' in expect) t.like(parseTag(parameters), expect)
    else if (expect) t.deepEqual(expect, { error: parameters[0] })
  })
}

test('what the driver asks is what the protocol says, and the simulator says it the same way', (t) => {
  t.deepEqual(command(0x22), named('single poll'))
  t.deepEqual(command(0x03, 0), named('get hw version'))
  t.deepEqual(command(0x27, 0x22, 10_000 >> 8, 10_000 & 0xff), named('multi poll 10000'))
  t.deepEqual(frameOf(1, 0xff, [0x15]), named('no tag'))
  t.deepEqual(frameOf(1, 3, [0, ...Buffer.from('M100 V1.00')]), named('hw version M100 V1.00'))
})

test('frames are found among noise, in pieces of any size, and no byte is lost', async (t) => {
  const bytes = Buffer.concat([
    Buffer.from('7e00ffbb', 'hex'),
    ...published.map(({ hex }) => bytesOf(hex)),
    tagFrame.subarray(0, 11),
    tagFrame,
    named('no tag'),
    Buffer.alloc(1000, 0x55),
    tagFrame.subarray(0, 20),
  ])
  for (const size of [1, 2, 7, 64, 10_000]) {
    const chunks = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    const frames = await framesOf(...chunks)
    const good = frames.filter(({ fault }) => fault === null).map(({ bytes }) => hexOf(bytes))
    t.deepEqual(good, [
      ...published.map(({ hex }) => hex.toLowerCase()),
      hexOf(tagFrame),
      hexOf(named('no tag')),
    ])
    t.is(frames.map(({ bytes }) => hexOf(bytes)).join(''), bytes.toString('hex'))
    t.true(frames.every(({ bytes }) => bytes.length <= 256))
  }
})

test('whatever a wire carries, it is a frame with a right checksum or it is refused', async (t) => {
  const noise = fc.uint8Array({ maxLength: 60 })
  const mutated = fc
    .tuple(fc.constantFrom(...published.map(({ hex }) => bytesOf(hex))), fc.nat(23), fc.nat(255))
    .map(([frame, at, byte]) => frame.with(at % frame.length, byte))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(noise, mutated), { maxLength: 8 }), async (chunks) => {
      const frames = await framesOf(...chunks)
      t.is(frames.map(({ bytes }) => hexOf(bytes)).join(''), chunks.map(hexOf).join(''))
      for (const { bytes, fault } of frames) {
        if (fault !== null) continue
        const [, type = 0, code = 0, ...rest] = bytes
        t.deepEqual(bytes, frameOf(type, code, rest.slice(2, -2)))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a tag whose bits changed on the way through the air is never another tag', (t) => {
  for (let bit = 0; bit < (tagFrame.length - 8) * 8; bit++) {
    const parameters = parametersOf(tagFrame).slice()
    const at = 1 + (bit >> 3)
    parameters[at] = (parameters[at] ?? 0) ^ (1 << (bit & 7))
    t.throws(() => parseTag(parameters), { code: 'SENSOR_GARBLED' }, `bit ${bit}`)
  }
})

for (const [what, bytes, reason] of [
  ['a bad checksum', badChecksum(tagFrame), /^bad checksum$/],
  ['half a frame', half(tagFrame), /^half a frame/],
  ['the second half of a frame', tagFrame.subarray(12), /^noise between frames$/],
  ['a length that lies', tagFrame.with(4, 0x40), /^half a frame/],
  ['a frame of 64 KiB', tagFrame.with(3, 0xff), /too long/],
  ['a frame of a type that there is not', tagFrame.with(1, 9), /type 9/],
  [
    "a bad checksum of the tag's own",
    noticed('3400', '30751feb705c5904e3d50d70', '3a77'),
    /CRC-16/,
  ],
  ['an EPC of another length than the tag says', noticed('3000', '30751feb', '3a76'), /6 words/],
  ['a tag without an EPC', noticed('0000', '', 'e2f0'), /without an EPC/],
  ['a tag of no bytes at all', frameOf(2, 0x22, []), /0 words in 0 bytes/],
] as const) {
  test(`${what} is refused with its reason, never a tag, and the next tag is read`, async (t) => {
    await using bench = await openBench()
    let isSent = false
    // The fault once, then the reader as it is.
    bench.reader.spoil((said) => {
      if (isSent) return said
      isSent = true
      return bytes
    })
    await using reading = started(rfidUhfM100, bench.options)
    const { samples, refused } = reading
    t.is((await samples.next()).value?.value, hexOf(box))
    t.regex(refused[0]?.reason ?? '', reason)
    t.is(refused.map((one) => hexOf(one.bytes)).join(''), hexOf(bytes), 'every byte is kept')
  })
}

test('a tag carries what the reader knew about it', async (t) => {
  await using line = await openPort()
  line.port.listen(() => line.port.say(tagFrame))
  await using reading = started(rfidUhfM100, { ...line.options, source: 'dock' })
  const { samples } = reading
  t.deepEqual((await samples.next()).value, {
    source: 'dock',
    kind: 'tag',
    value: '30751feb705c5904e3d50d70',
    details: [
      ['pc', '3400'],
      ['rssi-dbm', [-55, 0]],
    ],
  })
})

test('a tag that stays is recorded once, shows that the reader lives, and others are seen beside it', async (t) => {
  await using bench = await openBench()
  const options = { ...bench.options, seenAgainMs: 3_600_000 }
  await using reading = started(rfidUhfM100, options)
  const { samples, heard } = reading
  t.is((await samples.next()).value?.value, hexOf(box))
  const next = samples.next()
  await until(() => heard.length > 5)
  t.true(heard.length > 5)
  bench.field.add(other)
  t.is((await next).value?.value, hexOf(other))
})

test('a tag that stays is recorded again after the time that was set', async (t) => {
  await using bench = await openBench()
  await using reading = started(rfidUhfM100, { ...bench.options, seenAgainMs: 30 })
  const { samples } = reading
  for (let i = 0; i < 3; i++) t.is((await samples.next()).value?.value, hexOf(box))
})

test('a reader that does not answer counts as gone', async (t) => {
  await using bench = await openBench()
  await bench.hush()
  await using reading = started(rfidUhfM100, { ...bench.options, silentMs: 100 })
  const { samples, heard } = reading
  await t.throwsAsync(samples.next(), { code: 'SENSOR_ABSENT', message: /said nothing/ })
  t.deepEqual(heard, [])
})

// Alone, since a machine that is busy elsewhere looks like a silent line.
test.serial('a line that carries only noise is no reader', async (t) => {
  await using bench = await openBench('tcp')
  bench.reader.spoil(() => new Uint8Array(300).fill(0x55))
  await using reading = started(rfidUhfM100, { ...bench.options, silentMs: 3000 })
  const { samples, heard, refused } = reading
  await t.throwsAsync(samples.next(), { code: 'SENSOR_GARBLED', message: /only noise/ })
  t.true(refused.length > 0)
  t.deepEqual(heard, [])
})

test.serial('a line that says back what it is told is no reader', async (t) => {
  await using line = await openPort('tcp')
  line.port.listen((bytes) => line.port.say(bytes))
  await using reading = started(rfidUhfM100, { ...line.options, silentMs: 3000 })
  const { samples, heard } = reading
  await t.throwsAsync(samples.next(), { code: 'SENSOR_GARBLED', message: /questions, no answer/ })
  t.deepEqual(heard, [])
})

test('a reader that cannot look for tags says so once, and that is no sign of life', async (t) => {
  await using line = await openPort()
  let asked = 0
  line.port.listen(() => {
    asked++
    line.port.say(frameOf(1, 0xff, [0x20]))
  })
  await using reading = started(rfidUhfM100, line.options)
  const { samples, heard, warnings } = reading
  const next = samples.next()
  await until(() => asked > 5)
  reading.stop()
  t.true((await next).done)
  t.is(warnings.length, 1)
  t.regex(warnings[0] ?? '', /error 32/)
  t.deepEqual(heard, [])
})

test('region and power are set before the reader transmits', async (t) => {
  await using bench = await openBench()
  const told: string[] = []
  bench.port.listen((bytes) => {
    told.push(hexOf(bytes))
    const [, , code = 0] = bytes
    bench.port.say(code === 0x22 ? tagFrame : frameOf(1, code, [0]))
  })
  const options = { ...bench.options, region: 'eu' as const, powerDbm: 20 }
  await using reading = started(rfidUhfM100, options)
  const { samples } = reading
  t.false((await samples.next()).done)
  t.regex(told.join(''), /^bb00070001030b7ebb00b6000207d08f7ebb00220000227e/)
})

test('a simulated reader keeps to the region and power that it was told', async (t) => {
  await using bench = await openBench()
  const options = { ...bench.options, region: 'us' as const, powerDbm: 26 }
  await using reading = started(rfidUhfM100, options)
  const { samples } = reading
  t.false((await samples.next()).done)
  t.deepEqual(bench.reader.settings, { region: 2, power: 2600 })
})

test('a reader that does not take its region is not asked to transmit', async (t) => {
  await using line = await openPort()
  const told: number[] = []
  line.port.listen((bytes) => {
    told.push(bytes[2] ?? 0)
    line.port.say(frameOf(1, 0xff, [0x17]))
  })
  await using reading = started(rfidUhfM100, { ...line.options, region: 'eu' })
  const { samples } = reading
  await t.throwsAsync(samples.next(), {
    code: 'SENSOR_GARBLED',
    message: /does not take region eu/,
  })
  t.deepEqual(told, [7])
})

test('unplugged in the middle of a frame: half of it is refused, and the same name is read when it is back', async (t) => {
  await using bench = await openBench()
  const part = half(tagFrame)
  let isSent = false
  bench.reader.spoil((said) => {
    if (isSent) return silent(said)
    isSent = true
    return Uint8Array.from([...said, ...part])
  })
  await using reading = started(rfidUhfM100, bench.options)
  const { samples, refused } = reading
  t.is((await samples.next()).value?.value, hexOf(box))
  const next = samples.next()
  await bench.unplug()
  await t.throwsAsync(next, { code: 'SENSOR_ABSENT' })
  t.deepEqual(
    refused.map(({ reason, bytes }) => [reason, hexOf(bytes)]),
    [['half a frame', hexOf(part)]],
  )
  await bench.replug()
  await bench.speak()
  await using again = started(rfidUhfM100, bench.options)
  t.is((await again.samples.next()).value?.value, hexOf(box))
  t.deepEqual(again.refused, [])
})

test('a gateway that is busy does not ask on, and finds no heap of old answers afterwards', async (t) => {
  await using bench = await openBench()
  await using reading = started(rfidUhfM100, bench.options)
  const { samples } = reading
  t.false((await samples.next()).done)
  let asked = 0
  bench.reader.spoil((said) => {
    asked++
    return said
  })
  // Time enough to ask 25 times; some questions may have been on the way.
  await setTimeout(500)
  t.true(asked < 5, `asked ${asked} times while nobody listened`)
  t.false((await samples.next()).done)
})

test('the stream is named for ever after the end of the port, or as the configuration says', (t) => {
  const source = (options: object) =>
    rfidUhfM100.sources(rfidUhfM100.options.parse(options))[0]?.source
  t.is(source({ port: '/dev/ttyUSB0' }), 'uhf/ttyUSB0')
  t.is(source({ port: 'tcp://10.0.0.9:4001' }), 'uhf/10.0.0.9-4001')
  t.is(source({ port: '/dev/ttyUSB0', source: 'dock' }), 'dock')
  const long = `/dev/serial/by-id/usb-${'x'.repeat(80)}_A1-if00-port0`
  t.regex(source({ port: long }) ?? '', /^uhf\/x+_A1-if00-port0$/)
  t.true((source({ port: long }) ?? '').length <= 64)
})

test('a port in a folder whose name has a space is a port', (t) => {
  t.true(rfidUhfM100.options.safeParse({ port: '/home/my data/demo/dev/uhf' }).success)
  t.false(rfidUhfM100.options.safeParse({ port: '/dev/ttyUSB0\nx' }).success)
})

test('the stream promises events, with a sign of life as often as the configuration says', (t) => {
  const options = rfidUhfM100.options.parse({ port: '/dev/ttyUSB0', aliveMs: 30_000 })
  t.deepEqual(rfidUhfM100.sources(options), [
    {
      source: 'uhf/ttyUSB0',
      kinds: ['tag'],
      promise: { type: 'events', ms: 30_000 },
      erasable: false,
    },
  ])
})

for (const [what, options] of Object.entries({
  'no port': {},
  'a region that the reader does not know': { port: '/dev/ttyUSB0', region: 'moon' },
  'a power beyond what is allowed anywhere': { port: '/dev/ttyUSB0', powerDbm: 40 },
  'a word that is no option': { port: '/dev/ttyUSB0', seenAgain: 5 },
})) {
  test(`${what} is refused before anything is opened`, (t) => {
    t.false(rfidUhfM100.options.safeParse(options).success)
  })
}

async function framesOf(...chunks: readonly Uint8Array[]): Promise<readonly Frame[]> {
  const frames: Frame[] = []
  for await (const frame of framesIn(chunks)) frames.push(frame)
  return frames
}

/** What a reader says of a tag that sent these three. */
function noticed(pc: string, epc: string, crc: string): Uint8Array {
  return frameOf(2, 0x22, [0xc9, ...bytesOf(pc + epc + crc)])
}
