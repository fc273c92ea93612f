import test from 'ava'
import { connectAsync } from 'mqtt'
import { utf8 } from '../anchor-client/evidence/bytes.ts'
import { loadConfig } from '../config/load.ts'
import { registry } from '../config/registry.ts'
import {
  kedge,
  newGateway,
  quickConfig,
  startGateway,
  startKedge,
  until,
} from './helpers/gateway.ts'
import { exported, isReading, refusals } from './helpers/gateway-site.ts'

const tasmota = `
        json:
          topic: tele/fridge/SENSOR
          time: { at: /At }
          id: /Id
          readings:
            temperature: { at: /DS18B20/Temperature, unit: Cel, noValue: [-127] }
            humidity: { at: /AM2301/Humidity, unit: "%" }
`
const config = (more = '', of = tasmota) =>
  quickConfig(
    'own-topics',
    `ingest:
  mqtt:
    listen: 127.0.0.1:0
    ${more}
    sources:
      fridge: ${of}`,
  )

const said = (id: string, celsius = '4.250') =>
  `{"At":"2026-01-31T08:00:00Z","Id":"${id}","DS18B20":{"Temperature":${celsius}},"AM2301":{"Humidity":61.2}}`

test('a publisher with JSON of its own form is understood by the mapping, and answered when all of it is on the disk', async (t) => {
  await using site = await newGateway(config())
  const running = startKedge('run', '--data', site.data.folder)
  await using _ = running
  const { mqtt } = await running.event('started')
  const client = await connectAsync(mqtt)
  await client.publishAsync('tele/fridge/SENSOR', said('a'), { qos: 1 })
  await client.publishAsync('tele/fridge/SENSOR', said('a'), { qos: 1 })
  await client.publishAsync('tele/fridge/SENSOR', said('b', '-127'), { qos: 1, retain: true })
  // It has its answers: whatever happens now, they are there.
  await running.stop('SIGKILL')
  await client.endAsync(true)
  const { lines } = await kedge('export', '--stream', 'mqtt/fridge', '--data', site.data.folder)
  t.deepEqual(
    lines.map(({ kind, value, unit, publisherId, details }) => [
      ...[kind, value, unit, publisherId, details['publisher-time']],
    ]),
    [
      ['temperature', '4.250', 'Cel', 'a'],
      ['humidity', '61.2', '%', 'a'],
      ['humidity', '61.2', '%', 'b'],
    ].map((line) => [...line, '2026-01-31T08:00:00Z']),
  )
  const refused = await refusals(site.data)
  t.deepEqual(
    refused.map(({ source, reason }) => [source, reason]),
    [['mqtt/fridge', 'temperature: its mark for no value']],
  )
})

test('the same id is stored once after a new start, too, each reading of it', async (t) => {
  await using site = await newGateway(config())
  for (let start = 0; start < 2; start++) {
    await using gateway = await startGateway(site.data, config())
    const client = await connectAsync(gateway.url)
    await client.publishAsync('tele/fridge/SENSOR', said('a'), { qos: 1 })
    await client.endAsync()
  }
  t.is((await exported(site.data, 'mqtt/fridge')).filter(isReading).length, 2)
})

test('what is no JSON is refused on record and answered', async (t) => {
  await using site = await newGateway(config())
  await using gateway = await startGateway(site.data, config())
  const client = await connectAsync(gateway.url)
  await client.publishAsync('tele/fridge/SENSOR', 'Online', { qos: 1 })
  await client.endAsync()
  t.regex((await gateway.event('refused')).reason, /no JSON/)
})

test('one that has a topic of its own may not send to ingest/NAME as well', async (t) => {
  await using site = await newGateway(config())
  await using gateway = await startGateway(site.data, config())
  const client = await connectAsync(gateway.url)
  const payload = '{"kind":"temperature","value":4,"unit":"Cel"}'
  await client.publishAsync('ingest/fridge', payload, { qos: 1 })
  await client.endAsync()
  t.regex((await gateway.event('refused')).reason, /topic of its own/)
})

test('other topics end the connection, unless the configuration says that they are forgotten', async (t) => {
  for (const otherTopics of ['refuse', 'ignore']) {
    const text = config(`otherTopics: ${otherTopics}`)
    await using site = await newGateway(text)
    await using gateway = await startGateway(site.data, text)
    const client = await connectAsync(gateway.url, { reconnectPeriod: 0 })
    let isClosed = false
    client.once('close', () => {
      isClosed = true
    })
    client.on('error', () => {})
    const answered = client.publishAsync('tele/fridge/STATE', '{}', { qos: 1 }).then(
      () => true,
      () => false,
    )
    if (otherTopics === 'refuse') await until(() => isClosed)
    t.is(isClosed, otherTopics === 'refuse')
    if (otherTopics === 'ignore') t.true(await answered)
    await client.endAsync(true)
    await gateway.stop()
  }
})

test('with a wildcard the topic stays in the reading, and several publishers share a stream', async (t) => {
  const text = config(
    '',
    '{ json: { topic: "shellies/+/t", readings: { temperature: { at: "", unit: Cel } } } }',
  )
  await using site = await newGateway(text)
  await using gateway = await startGateway(site.data, text)
  const client = await connectAsync(gateway.url)
  for (const name of ['a', 'b']) await client.publishAsync(`shellies/${name}/t`, '4.5', { qos: 1 })
  await client.endAsync()
  const lines = await exported(site.data, 'mqtt/fridge')
  t.deepEqual(
    lines.map(({ value, details }) => [value, details.topic]),
    [
      ['4.5', 'shellies/a/t'],
      ['4.5', 'shellies/b/t'],
    ],
  )
})

test('two readings of one kind in one stream are refused by the configuration', (t) => {
  const readings = 'a: { at: /a, kind: temperature }, b: { at: /b, kind: temperature }'
  const text = config('', `{ json: { topic: t, readings: { ${readings} } } }`)
  const { faults = [] } = loadConfig(utf8(text), 'kedge.yaml', '/data', registry)
  t.regex(faults[0]?.error.message ?? '', /different kinds/)
})
