import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import test from 'ava'
import fc from 'fast-check'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { coldDs18b20, parseW1Slave } from '../drivers/cold-ds18b20.ts'
import { descriptorsInto, driverSuite, until, watch } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { vectors } from './helpers/vectors.ts'

const { files } = vectors('drivers/w1-therm.json') as {
  files: Record<string, Record<string, string>>
}
const texts = files['28-000005e2fdc3/w1_slave'] ?? {}
const text = (name: string) => texts[name] as string
const address = '28-000005e2fdc3'

/** A 1-Wire folder as the kernel shows it, with one sensor. */
async function openBench() {
  const folder = await scratchFolder()
  const at = `${folder.path}/${address}`
  const say = async (what: string) => {
    // A reader must never see half of it.
    await writeFile(`${folder.path}/next`, what)
    await rename(`${folder.path}/next`, `${at}/w1_slave`)
  }
  await mkdir(at)
  await say(text('ok'))
  return {
    options: coldDs18b20.options.parse({ address, everyMs: 1000, bus: folder.path }),
    say,
    speak: () => say(text('ok')),
    garble: () => say(text('crcBad')),
    hush: () => say(''),
    unplug: () => rm(at, { recursive: true }),
    replug: () => mkdir(at),
    opened: () => descriptorsInto(folder.path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const quick = async () => {
  const bench = await openBench()
  return { ...bench, options: { ...bench.options, everyMs: 5 } }
}

driverSuite('DS18B20', {
  driver: coldDs18b20,
  module: 'drivers/cold-ds18b20.ts',
  openBench: quick,
})

for (const [name, celsius] of [
  ['ok', '23.1250'],
  ['cold', '4.5000'],
] as const) {
  test(`a sensor that measured ${celsius} °C is read with every digit`, (t) => {
    const { celsius: read, quality } = parseW1Slave(text(name))
    t.is(decimalText(read), celsius)
    t.is(quality, null)
  })
}

for (const [title, bytes, celsius] of [
  ['a freezer keeps its sign', '5e ff 4b 46 7f ff 02 10 b6', '-10.1250'],
  ['just below zero is not zero', 'ff ff 4b 46 7f ff 01 10 9a', '-0.0625'],
  ['ice water is zero', '00 00 4b 46 7f ff 10 10 69', '0.0000'],
  [
    'a sensor set to whole and half degrees is not given more digits',
    '97 01 4b 46 1f ff 09 10 8c',
    '25.0',
  ],
] as const) {
  test(title, (t) => t.is(decimalText(parseW1Slave(shown(bytes)).celsius), celsius))
}

test('85 °C straight after power-on is recorded as doubtful, with what the sensor said', async (t) => {
  const [sample] = await first('powerOn')
  t.deepEqual(sample, {
    source: `w1/${address}`,
    kind: 'temperature',
    value: [850000, -4],
    unit: 'Cel',
    quality: 'suspect: power-on value',
    raw: Uint8Array.from([0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0x1c]),
  })
})

test('85 °C in an autoclave is a temperature', (t) => {
  const { celsius, quality } = parseW1Slave(shown('50 05 4b 46 7f ff 10 10 bd'))
  t.is(decimalText(celsius), '85.0000')
  t.is(quality, null)
})

for (const [what, said, reason] of [
  ['a bus held low', text('allZero'), /all zeros/],
  ['a bus where nothing answers', text('allOnes'), /all ones/],
  ['what the kernel calls a bad checksum', text('crcBad'), /CRC NO/],
  ['a bad checksum that the kernel let pass', text('crcBad').replace('NO', 'YES'), /bad checksum/],
  ['an empty answer', '', /empty/],
  ['half an answer', text('ok').slice(0, 20), /not the text/],
  ['a text of something else', 'cold\n'.repeat(2000), /not the text/],
  ['the value of a sensor that is not there', shown('10 f8 4b 46 7f ff 10 10 88'), /-127 °C/],
  ['a temperature that no such sensor can have', shown('d1 07 4b 46 7f ff 0f 10 e2'), /outside/],
] as const) {
  test(`${what} is refused with its reason, never a temperature`, async (t) => {
    t.throws(() => parseW1Slave(said), { code: 'SENSOR_GARBLED', message: reason })
    await using bench = await quick()
    await bench.say(said)
    const stop = new AbortController()
    const { samples, refused } = watch(coldDs18b20, bench.options, stop.signal)
    const next = samples.next()
    await until(() => refused.length > 0)
    stop.abort()
    t.true((await next).done)
    t.regex(refused[0]?.reason ?? '', reason)
    t.is(Buffer.from(refused[0]?.bytes ?? []).toString('latin1'), said)
  })
}

test('whatever the file holds, it is a temperature of the sensor or it is refused', (t) => {
  const mutated = fc
    .tuple(fc.constantFrom(...Object.values(texts)), fc.nat(80), fc.string({ maxLength: 3 }))
    .map(([whole, at, put]) => whole.slice(0, at) + put + whole.slice(at + put.length))
  fc.assert(
    fc.property(mutated, (said) => {
      try {
        const celsius = Number(decimalText(parseW1Slave(said).celsius))
        t.true(celsius >= -55 && celsius <= 125)
      } catch (error) {
        t.like(error as Error, { code: 'SENSOR_GARBLED' })
      }
    }),
    { numRuns: 5000 },
  )
})

test('the stream promises a reading as often as the configuration says', (t) => {
  const options = coldDs18b20.options.parse({ address, source: 'fridge-3', everyMs: 60_000 })
  t.deepEqual(coldDs18b20.sources(options), [
    {
      source: 'fridge-3',
      kinds: ['temperature'],
      promise: { type: 'period', ms: 60_000, toleranceMs: 2000 },
      erasable: false,
    },
  ])
})

for (const [what, options] of Object.entries({
  'an address of another kind of sensor': { address: '10-000005e2fdc3' },
  'an address that leads out of the folder': { address: '28-../../../etc' },
  'a word that is no option': { address, evryMs: 5000 },
  'an interval that the sensor cannot keep': { address, everyMs: 5 },
})) {
  test(`${what} is refused before anything is opened`, (t) => {
    t.false(coldDs18b20.options.safeParse(options).success)
  })
}

test('a gateway that was busy does not catch up with a burst of readings', async (t) => {
  await using bench = await openBench()
  const stop = new AbortController()
  const options = { ...bench.options, everyMs: 40 }
  const { samples } = watch(coldDs18b20, options, stop.signal)
  await samples.next()
  await samples.next()
  await new Promise((resolve) => setTimeout(resolve, 400))
  const started = performance.now()
  for (let i = 0; i < 5; i++) await samples.next()
  t.true(performance.now() - started > 60)
  stop.abort()
  t.true((await samples.next()).done)
})

async function first(name: string) {
  await using bench = await quick()
  await bench.say(text(name))
  const stop = new AbortController()
  for await (const sample of watch(coldDs18b20, bench.options, stop.signal).samples) return [sample]
  return []
}

/** What the kernel shows for nine bytes whose checksum is right. */
function shown(bytes: string): string {
  return `${bytes} : crc=${bytes.slice(-2)} YES\n${bytes} t=0\n`
}
