import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { connectAsync } from 'mqtt'
import { chanceFrom } from '../hardware/sim/chance.ts'
import * as gnss from '../hardware/sim/gnss-receiver.ts'
import { crcNo } from '../hardware/sim/one-wire.ts'
import { half, type Spoil, silent, withNoise } from '../hardware/sim/spoil.ts'
import * as uhf from '../hardware/sim/uhf-reader.ts'
import {
  type Line,
  newGateway,
  quickConfig,
  startGateway,
  startKedge,
  until,
} from './helpers/gateway.ts'
import {
  exported,
  fridge,
  isReading,
  judged,
  openSite,
  readingsMore,
  recordsIn,
  refusals,
  statusOf,
  wholeStream,
} from './helpers/gateway-site.ts'

const base = quickConfig('bench')

test('a probe that is unplugged is an alarm and a declared gap, and is read again when it is back', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder)
  await using running = await startGateway(gateway.data, base + site.devices)
  await readingsMore(gateway.data, fridge, 2)
  site.sensor.unplug()
  const alarm = await running.event('alarm', ({ matter }) => matter === 'device fridge')
  t.regex(alarm.why, /no DS18B20 answers/)
  t.like(await running.event('gap', ({ stream }) => stream === fridge), { cause: 'silent' })
  const { degraded } = await statusOf(gateway.data)
  t.regex(degraded.join(), /device fridge: no DS18B20 answers/)
  site.sensor.replug()
  await running.event('alarm', ({ matter, over }) => matter === 'device fridge' && over)
  await readingsMore(gateway.data, fridge, 2)
  const { verdict, why, shown } = await wholeStream(gateway.data, fridge)
  t.is(verdict, 'complete-with-declared-gaps', why)
  t.deepEqual(shown.find(({ gap }) => gap)?.gap, { cause: 'absent', count: null })
})

const noise = withNoise(chanceFrom(3), 300)
const onlyNoise: Spoil = (said) => noise(silent(said))

for (const [what, spoilWire, spoilFile] of [
  ['garbage', onlyNoise, () => '\u0000\u00ff no thermometer'],
  ['half of what was said', half, (text: string) => text.slice(0, 20)],
  ['a bad checksum', null, crcNo],
] as const) {
  test(`${what} on every wire is refused, counted and shown, and the next good frame is read`, async (t) => {
    await using gateway = await newGateway(base)
    await using site = await openSite(gateway.folder)
    await using running = await startGateway(gateway.data, base + site.devices)
    const sources = [fridge, 'uhf/dock', 'gnss']
    await Promise.all(sources.map((source) => readingsMore(gateway.data, source)))
    site.sensor.spoil(spoilFile)
    site.reader.spoil(spoilWire ?? uhf.badChecksum)
    site.receiver.spoil(spoilWire ?? gnss.badChecksum)
    for (const source of sources) {
      await running.event('refused', (event) => event.source === source)
      const refusal = await until(async () =>
        (await refusals(gateway.data)).find((line) => line.source === source),
      )
      t.regex(refusal.sm3, /^[0-9a-f]{64}$/)
      t.true(refusal.bytes > 0 && refusal.reason.length > 0)
    }
    site.sensor.spoil(null)
    site.reader.spoil(null)
    site.receiver.spoil(null)
    await Promise.all(sources.map((source) => readingsMore(gateway.data, source)))
    for (const source of sources) {
      const readings = (await exported(gateway.data, source)).filter(isReading)
      t.true(
        readings.every(({ quality }) => quality === 'good'),
        `${source}: nothing that was refused is a value`,
      )
      const { verdict, why } = await wholeStream(gateway.data, source)
      t.regex(verdict, /^complete/, why)
    }
  })
}

test('what a publisher sends otherwise than was agreed is acknowledged, refused and on record', async (t) => {
  const config = `${base}
ingest:
  mqtt:
    listen: "127.0.0.1:0"
    unlisted: refuse
    sources: { probe: { kinds: { temperature: Cel } } }
`
  await using gateway = await newGateway(config)
  await using running = await startGateway(gateway.data, config)
  const client = await connectAsync(running.url)
  const cases: readonly (readonly [source: string, payload: string, reason: RegExp])[] = [
    ['probe', '{"kind":"humidity","value":4}', /kind is none of those configured/],
    ['probe', '{"kind":"temperature","value":4,"unit":"[degF]"}', /unit is not the one configured/],
    ['probe', '{"kind":"temperature","value":"warm"', /JSON|end/i],
    ['probe', '{"kind":"temperature","value":1e99}', /exponent/],
    ['stranger', '{"kind":"temperature","value":4}', /not listed in the configuration/],
  ]
  for (const [source, payload] of cases)
    await client.publishAsync(`ingest/${source}`, payload, { qos: 1 })
  await client.publishAsync('ingest/probe', '{"kind":"temperature","value":4.250}', { qos: 1 })
  await client.endAsync()
  const said = await refusals(gateway.data)
  t.is(said.length, cases.length)
  for (const [i, [source, payload, reason]] of cases.entries()) {
    t.is(said[i]?.source, `mqtt/${source}`)
    t.regex(said[i]?.reason, reason)
    t.is(said[i]?.bytes, payload.length)
  }
  t.is(running.events.filter(({ event }) => event === 'refused').length, cases.length)
  const readings = await exported(gateway.data, 'mqtt/probe')
  t.deepEqual(
    readings.map(({ value, unit }) => [value, unit]),
    [['4.250', 'Cel']],
  )
  t.deepEqual(await exported(gateway.data, 'mqtt/stranger'), [])
})

test('there are at most 512 publishers, also after a restart', async (t) => {
  const config = `${base}ingest: { mqtt: { listen: "127.0.0.1:0" } }\n`
  await using gateway = await newGateway(config)
  const publishFrom = async (url: string, sources: readonly string[]) => {
    const client = await connectAsync(url)
    const payload = '{"kind":"temperature","value":4}'
    const all = sources.map((of) => client.publishAsync(`ingest/${of}`, payload, { qos: 1 }))
    await Promise.all(all)
    await client.endAsync()
  }
  {
    await using running = await startGateway(gateway.data, config)
    await publishFrom(
      running.url,
      Array.from({ length: 512 }, (_, i) => `probe-${i}`),
    )
    await running.stop()
  }
  await using running = await startGateway(gateway.data, config)
  await publishFrom(running.url, ['probe-0', 'probe-512'])
  t.is((await exported(gateway.data, 'mqtt/probe-0')).length, 2)
  t.deepEqual(await exported(gateway.data, 'mqtt/probe-512'), [])
  const [refused, ...more] = await refusals(gateway.data)
  t.like(refused, { source: 'mqtt/probe-512', reason: 'more than 512 sources' })
  t.deepEqual(more, [])
})

test('a stream of events that is quiet gives signs of life, so that its silence is proved', async (t) => {
  const config = `${base}
ingest: { mqtt: { listen: "127.0.0.1:0", sources: { bell: { promise: { atLeastEvery: 5s } } } } }
`
  await using gateway = await newGateway(config)
  await using running = await startGateway(gateway.data, config)
  const client = await connectAsync(running.url)
  const ring = () =>
    client.publishAsync('ingest/bell', '{"kind":"contact","value":true}', { qos: 1 })
  await ring()
  const leaves = async () =>
    (await statusOf(gateway.data)).streams.find(({ stream }: Line) => stream === 'mqtt/bell').leaves
  await until(async () => (await leaves()) >= 4)
  await ring()
  await client.endAsync()
  const { verdict, why, shown, bytes } = await wholeStream(gateway.data, 'mqtt/bell')
  t.regex(verdict, /^complete/, why)
  t.is(shown.filter(isReading).length, 2)
  t.true(recordsIn(bytes).some((record) => record?.type === 'alive'))
})

test('once a receiver has told the time, readings have a bound, and questions by time are answered', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder, false)
  await using _ = await startGateway(gateway.data, base + site.devices)
  await until(async () => (await statusOf(gateway.data)).clock.source === 'gnss')
  await readingsMore(gateway.data, fridge, 8)
  const dated = (await exported(gateway.data, fridge)).filter(
    ({ timeQuality }) => timeQuality.source === 'gnss',
  )
  t.true(dated.every(({ timeQuality }) => timeQuality.boundMs >= 1000))
  // Neighbours on both sides lie beyond what is asked for by their own bounds.
  const [from, to] = [dated[3]?.time, dated[4]?.time]
  const question = `${fridge},${from},${to}`
  const { verdict, why } = await judged(gateway.data, { stream: fridge, from, to }, [question])
  t.is(verdict, 'complete', why)
  const { bytes } = await wholeStream(gateway.data, 'control')
  const mapping = recordsIn(bytes).find((record) => record?.type === 'clock')
  t.like(mapping, { type: 'clock', time: { clock: 3 } })
})

test('a gateway that stood still declares the readings that it missed', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder)
  await writeFile(gateway.data.config, base + site.devices)
  await using running = startKedge('run', '--data', gateway.data.folder)
  await running.event('started')
  await readingsMore(gateway.data, fridge, 2)
  process.kill(running.pid, 'SIGSTOP')
  await sleep(4000)
  process.kill(running.pid, 'SIGCONT')
  await readingsMore(gateway.data, fridge, 2)
  const { verdict, why, shown } = await wholeStream(gateway.data, fridge)
  t.is(verdict, 'complete-with-declared-gaps', why)
  t.true(shown.some(({ gap }) => gap))
  t.is(await running.stop(), 0, running.stderr())
})
