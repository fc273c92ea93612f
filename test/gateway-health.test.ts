/** Every row of the table "What degraded means" in gateway/README.md, brought about for real. */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { connectAsync } from 'mqtt'
import { lockFolder } from '../anchor-client/ledgers/witness/lock.ts'
import { scrubbing } from '../gateway/scrubbing.ts'
import { newGateway, startGateway, until } from './helpers/gateway.ts'
import {
  allSealed,
  exported,
  fridge,
  openSite,
  readingsMore,
  statusOf,
  wholeStream,
} from './helpers/gateway-site.ts'
import { asked, publish } from './helpers/running-gateway.ts'
import { thirdBroker } from './helpers/third-broker.ts'

const base = `
site: test
gateway: ill
batch: { maxAge: 1s }
`
const mqtt = 'ingest: { mqtt: { listen: "127.0.0.1:0" } }\n'
const roomy = 'journal: { minFree: 0B, reserve: 1MiB }\n'

const mattersOf = async (data: Parameters<typeof statusOf>[0]): Promise<string[]> =>
  (await statusOf(data)).alarms.map(({ matter }: { matter: string }) => matter).toSorted()

test('device: one that was never there is named with what to check, and the others are read', async (t) => {
  await using gateway = await newGateway(base + roomy)
  await using site = await openSite(gateway.folder)
  await site.uhf.unplug()
  await using running = await startGateway(gateway.data, base + roomy + site.devices)
  const alarm = await running.event('alarm', ({ matter }) => matter === 'device dock')
  t.false(alarm.over)
  t.regex(alarm.why, /cannot open|nothing answers/)
  await readingsMore(gateway.data, fridge)
  t.deepEqual(await mattersOf(gateway.data), ['device dock'])
  await site.uhf.replug()
  await running.event('alarm', ({ matter, over }) => matter === 'device dock' && over)
  t.deepEqual(await mattersOf(gateway.data), [])
  t.false('degraded' in (await statusOf(gateway.data)))
})

test('room: on a full disk no reading is taken or acknowledged, that is on record, and it goes on when there is room', async (t) => {
  const full = 'journal: { minFree: 16TiB, reserve: 1MiB }\n'
  await using gateway = await newGateway(base + roomy)
  await using site = await openSite(gateway.folder)
  {
    await using running = await startGateway(gateway.data, base + roomy + mqtt + site.devices)
    await readingsMore(gateway.data, fridge)
    await running.stop()
  }
  const before = (await exported(gateway.data, fridge)).length
  await using running = await startGateway(gateway.data, base + full + mqtt + site.devices)
  t.deepEqual(await mattersOf(gateway.data), ['room'])
  const client = await connectAsync(running.url, { reconnectPeriod: 50 })
  client.on('error', () => {})
  let isAcknowledged = false
  const sent = client.publishAsync('ingest/probe', '{"kind":"temperature","value":4,"id":"n0"}', {
    qos: 1,
  })
  const done = sent.then(() => {
    isAcknowledged = true
  })
  await running.event('gap', ({ stream }) => stream === fridge)
  t.false(isAcknowledged)
  t.deepEqual(await exported(gateway.data, 'mqtt/probe'), [])
  const gaps = (await exported(gateway.data, fridge)).slice(before)
  t.true(
    gaps.some(({ gap }) => gap?.cause === 'disk-full'),
    JSON.stringify(gaps),
  )
  t.true(gaps.every(({ gap }) => gap))
  t.is(
    running.events.filter(({ event, matter }) => event === 'alarm' && matter === 'room').length,
    1,
    'it is told once',
  )
  await running.stop()

  await using again = await startGateway(gateway.data, base + roomy + mqtt + site.devices)
  await done
  t.is((await exported(gateway.data, 'mqtt/probe')).length, 1, 'once')
  t.deepEqual(await mattersOf(gateway.data), [])
  t.truthy(again)
  await client.endAsync()
  const { verdict, why } = await wholeStream(gateway.data, fridge)
  t.is(verdict, 'complete-with-declared-gaps', why)
})

test('room: what another broker brings while the disk is full comes again when there is room, each message once', async (t) => {
  await using broker = await thirdBroker()
  const config = `${base}${roomy}
devices:
  kitchen:
    driver: mqtt-json
    url: ${broker.url}
    source: kitchen
    publishers:
      fridge: { topic: fridge, readings: { t: { at: "" } }, everyMs: 4000, toleranceMs: 0 }
`
  await using gateway = await newGateway(config)
  await using running = await startGateway(gateway.data, config)
  await until(() => broker.subscriptionsOf('fridge') > 0)
  await broker.publish('fridge', '1')
  await until(() => broker.acknowledged.length === 1)

  const { live } = running
  Object.assign(live.config.journal, { minFree: 2 ** 44 })
  await live.room.look()
  for (const value of ['2', '3', '4']) await broker.publish('fridge', value)
  const stream = 'kitchen/fridge/t'
  await running.event('gap', (gap) => gap.stream === stream)
  t.deepEqual(await mattersOf(gateway.data), ['room'], 'the device is not called absent')
  t.is(broker.acknowledged.length, 1)

  Object.assign(live.config.journal, { minFree: 0 })
  await live.room.look()
  await broker.publish('fridge', '5')
  await until(() => broker.acknowledged.length === 5, 'the last receipt')
  const lines = await exported(gateway.data, stream)
  const told = lines.map(({ value, gap }) => (gap ? gap.cause : value))
  t.deepEqual(told, ['1', 'disk-full', '2', '3', '4', '5'])
  t.deepEqual(await mattersOf(gateway.data), [])
})

test('store: a file of the journal that decays while it runs is found, and mended by the next start', async (t) => {
  const config = base + roomy + mqtt
  await using gateway = await newGateway(config)
  for (const first of [0, 100]) {
    await using running = await startGateway(gateway.data, config)
    await publish(running.url, first, first + 49)
    await running.stop()
  }
  {
    await using running = await startGateway(gateway.data, config)
    const { journal } = gateway.data.store(0)
    const [table = ''] = (await readdir(journal)).filter((name) => name.endsWith('.ldb'))
    await flip(join(journal, table))
    await using _ = scrubbing(running.live, 0)
    const alarm = await running.event('alarm', ({ matter }) => matter === 'store')
    t.regex(alarm.why, /start the gateway anew/)
    t.deepEqual(await mattersOf(gateway.data), ['store'])
    await running.stop()
  }
  await using _ = await startGateway(gateway.data, config)
  t.deepEqual(await mattersOf(gateway.data), [])
  const lines = await exported(gateway.data, 'mqtt/probe')
  t.is(lines.length, 100, 'each index is a reading, or declared to be gone')
  const { verdict, why } = await wholeStream(gateway.data, 'mqtt/probe', ['mqtt/probe,0,99'])
  t.regex(verdict, /^complete/, why)
})

for (const [what, damage, reason] of [
  ['is gone', (folder: string) => rename(folder, `${folder}.away`), /no key .*\/ledger\/key/],
  ['is held by another process', (folder: string) => lockFolder(folder), /holds/],
  ['is damaged', flipIn, /witness\.log/],
] as const) {
  test(`ledger and signing: where a ledger ${what} readings are kept, nothing is signed, and all is signed once it is back`, async (t) => {
    const configIn = (folder: string) =>
      `${base}${roomy}${mqtt}anchor: [{ ledger: embedded, path: ${folder}/ledger }]\n`
    await using gateway = await newGateway(configIn)
    const ledger = join(gateway.folder, 'ledger')
    {
      await using running = await startGateway(gateway.data, gateway.config)
      await publish(running.url, 0, 1)
      await running.stop()
    }
    const log = await readFile(join(ledger, 'witness.log'))
    const held = await damage(ledger)
    {
      await using running = await startGateway(gateway.data, gateway.config)
      const alarm = await running.event('alarm', ({ matter }) => matter === 'ledger embedded')
      t.regex(alarm.why, reason)
      await running.event('alarm', ({ matter }) => matter === 'signing')
      t.deepEqual(await mattersOf(gateway.data), ['ledger embedded', 'signing'])
      await publish(running.url, 2, 3)
      await allSealed(gateway.data)
      t.false((await running.event('batch')).signed)
      t.is((await exported(gateway.data, 'mqtt/probe')).length, 4)
      for (const unanchored of [false, true]) {
        const early = asked(gateway.data, 'prove', { stream: 'mqtt/probe', index: '3', unanchored })
        await t.throwsAsync(early, { code: 'NOT_SIGNED' })
      }
      const old = await asked(gateway.data, 'prove', { stream: 'mqtt/probe', index: '0-1' })
      t.true(old.bytes.length > 0, 'what was anchored before is proved as ever')
      await running.stop()
    }
    if (held) await held[Symbol.asyncDispose]()
    if (what === 'is gone') await rename(`${ledger}.away`, ledger)
    await writeFile(join(ledger, 'witness.log'), log)
    await using _ = await startGateway(gateway.data, gateway.config)
    await until(async () => (await mattersOf(gateway.data)).length === 0)
    const { verdict, why } = await wholeStream(gateway.data, 'mqtt/probe', ['mqtt/probe,0,3'])
    t.is(verdict, 'complete', why)
  })
}

test('ledger and signing: a witness that does not answer keeps nobody from recording', async (t) => {
  // A port of this machine where nobody listens.
  const config = `${base}${roomy}${mqtt}anchor: [{ ledger: embedded }, { ledger: witness, url: "http://127.0.0.1:9" }]\n`
  await using gateway = await newGateway(config)
  await using running = await startGateway(gateway.data, config)
  await publish(running.url, 0, 1)
  await running.event('batch', ({ signed }) => !signed)
  const matters = await mattersOf(gateway.data)
  t.true(
    ['ledger witness', 'signing'].every((matter) => matters.includes(matter)),
    matters.join(),
  )
  t.is((await exported(gateway.data, 'mqtt/probe')).length, 2)
})

test('every matter is in the table of gateway/README.md, and none that is not', async (t) => {
  const files = (await readdir('gateway', { recursive: true })).filter((name) =>
    name.endsWith('.ts'),
  )
  const said = new Set<string>()
  for (const name of files) {
    const source = await readFile(join('gateway', name), 'utf8')
    for (const [, word = ''] of source.matchAll(/health\.degraded\(\s*['`]?(\w+)/g)) {
      said.add(word === 'matter' ? 'device' : word)
    }
  }
  const [, section = ''] = (await readFile('gateway/README.md', 'utf8')).split('*degraded* means')
  const [table = ''] = section.split('\n## ')
  const rows = table.matchAll(/^\| `(\w+)(?: NAME)?` \|/gm)
  t.deepEqual(Array.from(rows, ([, word]) => word).toSorted(), Array.from(said).toSorted())
  t.true(said.size >= 5)
})

async function flipIn(folder: string): Promise<undefined> {
  return flip(join(folder, 'witness.log'))
}

async function flip(path: string): Promise<undefined> {
  const bytes = await readFile(path)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  await writeFile(path, bytes)
}
