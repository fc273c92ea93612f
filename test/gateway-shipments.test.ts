import test from 'ava'
import { connectAsync } from 'mqtt'
import { demoTags } from '../hardware/sim/tags.ts'
import { newGateway, quickConfig, startGateway } from './helpers/gateway.ts'
import {
  exported,
  fridge,
  isReading,
  judged,
  openSite,
  readingsMore,
  recordsIn,
} from './helpers/gateway-site.ts'
import { asked } from './helpers/running-gateway.ts'

const base = quickConfig(
  'dock',
  `
ingest:
  mqtt: { listen: "127.0.0.1:0", sources: { scale: { promise: { atLeastEvery: 1h } } } }
shipments:
  dock: { members: [fridge, mqtt/scale] }
`,
)
const stream = 'shipment/dock/S1'

async function weigh(url: string): Promise<void> {
  const client = await connectAsync(url)
  await client.publishAsync('ingest/scale', '{"kind":"mass","value":12.5,"unit":"kg"}', { qos: 1 })
  await client.endAsync()
}

test('a shipment with its tags and temperatures is proved whole', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder, false)
  await using running = await startGateway(gateway.data, base + site.devices)
  await weigh(running.url)
  await readingsMore(gateway.data, fridge)
  await readingsMore(gateway.data, 'uhf/dock')
  const opened = await asked(gateway.data, 'shipment', { what: 'open', reader: 'dock', id: 'S1' })
  t.like(opened.lines[0], { id: 'S1', reader: 'dock', stream })
  await t.throwsAsync(asked(gateway.data, 'shipment', { what: 'open', reader: 'dock', id: 'S2' }), {
    message: /S1 is open at dock/,
  })
  await readingsMore(gateway.data, stream, 2)
  await readingsMore(gateway.data, fridge, 2)
  await weigh(running.url)
  await t.throwsAsync(asked(gateway.data, 'prove', { shipment: 'S1' }), {
    code: 'NOT_FOUND',
    message: /not closed/,
  })
  const own = (await exported(gateway.data, 'uhf/dock')).filter(isReading).length
  t.is((await asked(gateway.data, 'shipment', { what: 'ls' })).lines.length, 1)
  await asked(gateway.data, 'shipment', { what: 'close', reader: 'dock', id: 'S1' })
  t.is((await asked(gateway.data, 'shipment', { what: 'ls' })).lines.length, 0)

  const { verdict, why, shown } = await judged(gateway.data, { shipment: 'S1' })
  t.is(verdict, 'complete', why)
  const tags = shown.filter((line) => line.stream === stream)
  const epcs = demoTags.map((tag) => Buffer.from(tag).toString('hex'))
  t.true(
    tags.length >= 2 && tags.every(({ kind, value }) => kind === 'tag' && epcs.includes(value)),
  )
  t.true(shown.filter((line) => line.stream === fridge).length >= 2)
  t.is(
    shown.filter((line) => line.stream === 'mqtt/scale').length,
    1,
    'what was weighed before is not in it',
  )
  // Afterwards tags are the reader's own again.
  await readingsMore(gateway.data, 'uhf/dock')
  t.is((await exported(gateway.data, stream)).filter(isReading).length, tags.length)
  t.true((await exported(gateway.data, 'uhf/dock')).filter(isReading).length > own)
})

test('a member of which nothing comes is a declared gap of the shipment, not a hole', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder, false)
  await using _ = await startGateway(gateway.data, base + site.devices)
  await readingsMore(gateway.data, fridge)
  await asked(gateway.data, 'shipment', { what: 'open', reader: 'dock', id: 'S1' })
  await readingsMore(gateway.data, stream)
  await asked(gateway.data, 'shipment', { what: 'close', reader: 'dock' })
  const { verdict, why, shown } = await judged(gateway.data, { shipment: 'S1' })
  t.is(verdict, 'complete-with-declared-gaps', why)
  t.deepEqual(
    shown.filter((line) => line.stream === 'mqtt/scale').map(({ gap }) => gap),
    [{ cause: 'silent', count: null }],
  )
})

test('a probe that is away from before the opening to after the close is a declared gap, too', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder)
  await using running = await startGateway(gateway.data, base + site.devices)
  await weigh(running.url)
  await readingsMore(gateway.data, fridge)
  site.sensor.unplug()
  await running.event('gap', (event) => event.stream === fridge)
  await asked(gateway.data, 'shipment', { what: 'open', reader: 'dock', id: 'S1' })
  // For longer than the probe promises a reading.
  await readingsMore(gateway.data, stream, 12)
  await asked(gateway.data, 'shipment', { what: 'close', reader: 'dock' })
  const { verdict, why } = await judged(gateway.data, { shipment: 'S1' })
  t.is(verdict, 'complete-with-declared-gaps', why)
})

test('a shipment that was open while the gateway stood still goes on, and the stop is declared in it', async (t) => {
  await using gateway = await newGateway(base)
  await using site = await openSite(gateway.folder, false)
  const config = base + site.devices
  {
    await using running = await startGateway(gateway.data, config)
    await weigh(running.url)
    await readingsMore(gateway.data, fridge)
    await asked(gateway.data, 'shipment', { what: 'open', reader: 'dock', id: 'S1' })
    await readingsMore(gateway.data, stream)
    await running.stop()
  }
  await using running = await startGateway(gateway.data, config)
  t.like((await asked(gateway.data, 'shipment', { what: 'ls' })).lines[0], {
    reader: 'dock',
    id: 'S1',
  })
  await readingsMore(gateway.data, stream)
  await readingsMore(gateway.data, fridge)
  await weigh(running.url)
  await asked(gateway.data, 'shipment', { what: 'close', reader: 'dock' })
  const { verdict, why, bytes } = await judged(gateway.data, { shipment: 'S1' })
  t.is(verdict, 'complete-with-declared-gaps', why)
  const types = recordsIn(bytes).map((record) => record?.type)
  for (const type of ['open', 'gap', 'close']) t.true(types.includes(type as never), type)
})
