import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { connectAsync } from 'mqtt'
import { kedge, newGateway, quickConfig, startGateway, startKedge } from './helpers/gateway.ts'
import { allAnchored, judged, recordsIn, statusOf, wholeStream } from './helpers/gateway-site.ts'
import { asked } from './helpers/running-gateway.ts'

/** Found in nothing else that is printed. */
const heartRate = '61.8230117'
const person = 'ward-7-bed-3'

const config = quickConfig(
  'ward',
  `
ingest:
  mqtt:
    listen: "127.0.0.1:0"
    sources:
      wearable: { kinds: { heart-rate: /min }, private: true, promise: { atLeastEvery: 1h } }
      probe: { kinds: { temperature: Cel } }
`,
)

async function wear(url: string): Promise<void> {
  const client = await connectAsync(url)
  for (let i = 0; i < 3; i++) {
    const said = `{"kind":"heart-rate","value":${heartRate},"id":"${person}-${i}"}`
    await client.publishAsync('ingest/wearable', said, { qos: 1 })
    await client.publishAsync('ingest/probe', `{"kind":"temperature","value":4.5,"id":"p${i}"}`, {
      qos: 1,
    })
  }
  await client.publishAsync(
    'ingest/wearable',
    `{"kind":"pulse","value":${heartRate},"id":"${person}"}`,
    { qos: 1 },
  )
  await client.endAsync()
}

test("a person's readings stand under a random pseudonym, and each value may stay hidden", async (t) => {
  await using gateway = await newGateway(config)
  await using running = await startGateway(gateway.data, config)
  await wear(running.url)
  const all = await judged(gateway.data, { stream: 'mqtt/wearable', index: '0-2' })
  t.is(all.verdict, 'complete', all.why)
  t.true(
    all.shown.every(({ stream, value }) => /^p\/[0-9a-f]{32}$/.test(stream) && value === heartRate),
  )
  t.false(Buffer.from(all.bytes).includes('wearable'))
  const few = await judged(gateway.data, {
    stream: 'mqtt/wearable',
    index: '0-2',
    fields: 'kind,unit',
  })
  t.is(few.verdict, 'undetermined')
  t.regex(few.why, /complete: 3 readings hidden/)
  t.true(few.shown.every(({ kind, value }) => kind === 'heart-rate' && value.hidden))
  t.false(Buffer.from(few.bytes).includes(person))
  t.true(recordsIn(few.bytes).every((record) => record?.type === 'private'))

  // Whoever gets the evidence of others learns nothing of it.
  for (const stream of ['mqtt/probe', 'control']) {
    const other =
      stream === 'control'
        ? await wholeStream(gateway.data, stream)
        : await judged(gateway.data, { stream, index: '0-2' })
    const text = Buffer.from(other.bytes).toString('latin1')
    for (const word of [person, heartRate.replace('.', '')])
      t.false(text.includes(word), `${stream}: ${word}`)
    if (stream === 'mqtt/probe') t.false(text.includes('wearable'))
  }
  t.is(
    (await statusOf(gateway.data)).streams.find(
      ({ stream }: { stream: string }) => stream === 'mqtt/wearable',
    ).tag,
    null,
  )
})

test('over a restart the silence of a pseudonym is declared like any other', async (t) => {
  await using gateway = await newGateway(config)
  for (const round of [1, 2]) {
    await using running = await startGateway(gateway.data, config)
    await wear(running.url)
    if (round === 1) await running.stop()
    else {
      const client = await connectAsync(running.url)
      await client.publishAsync('ingest/wearable', `{"kind":"heart-rate","value":70,"id":"new"}`, {
        qos: 1,
      })
      await client.endAsync()
      const { verdict, why, shown } = await wholeStream(gateway.data, 'mqtt/wearable')
      t.is(verdict, 'complete-with-declared-gaps', why)
      t.true(shown.some(({ gap }) => gap))
    }
  }
})

test('no secret and nothing personal is in anything that a gateway or a verb says', async (t) => {
  await using gateway = await newGateway(config)
  const of = ['--data', gateway.data.folder]
  await using running = startKedge('run', ...of)
  await wear((await running.event('started')).mqtt)
  await allAnchored(gateway.data)
  const out = gateway.folder
  const verbs = [
    'status',
    'export --refused',
    'export --stream mqtt/probe',
    'keys show',
    'store check',
    `store backup ${out}/backup`,
    `trust -o ${out}/trust.json`,
    `prove --stream mqtt/probe --index 0 -o ${out}/probe.kedge`,
    'export --stream mqtt/none',
    'config check',
    'config explain',
    `keys csr -o ${out}/request.pem`,
    `keys export -o ${out}/key.pem --x509`,
    'run',
  ]
  let said = ''
  for (const verb of verbs) {
    const { stdout, stderr } = await kedge(verb, ...of)
    said += stdout + stderr
  }
  t.is(await running.stop(), 0)
  said += running.said()
  for (const name of ['trust.json', 'probe.kedge', 'request.pem', 'key.pem']) {
    said += (await readFile(join(out, name))).toString('latin1')
  }
  const secret = (await readFile(join(gateway.data.keys, 'secret'), 'utf8')).trim()
  const epochs = gateway.data.store(0).epochs
  const opened = await Promise.all(
    (await readdir(epochs)).map(async (name) =>
      JSON.parse(await readFile(join(epochs, name), 'utf8')),
    ),
  )
  t.is(opened.length, 1)
  t.true(said.includes('mqtt/probe'))
  for (const [what, word] of [
    ['the secret of the keys', secret],
    ['the key of a pseudonym', opened[0].key],
    ['the pseudonym', opened[0].pseudonym],
    ["a person's id", person],
    ["a person's value", heartRate],
  ] as const) {
    t.true(word.length >= 8)
    t.false(said.includes(word), what)
  }
  // A backup is as private as the data folder itself, but for the secret of its keys.
  t.false((await readFile(join(out, 'backup'))).includes(secret))
  // What is asked for by name is shown to whoever may use the socket.
  const { lines } = await asked(gateway.data, 'export', { stream: 'mqtt/wearable' })
  t.true(lines.every(({ value }) => value === heartRate))
})
