import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { restore } from '../gateway/backup/restore.ts'
import { dataFolder, readMarker } from '../gateway/data-folder.ts'
import { beginAnew } from '../gateway/incarnation.ts'
import { initialise } from '../gateway/initialise.ts'
import { anchored, asked, publish, running, verdictOf } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

/** The ledger lies outside the data folder, so that no copy takes it along. */
const configWith = (ledger: string, batch = 'maxAge: 1s') => `
site: test
gateway: twice
ingest:
  mqtt:
    listen: "127.0.0.1:0"
    sources:
      band: { private: true, promise: { atLeastEvery: 60s } }
batch: { ${batch} }
anchor: [{ ledger: embedded, path: ${ledger} }]
`

test('a data folder put back from a copy is noticed before anything is signed, and may begin anew', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  const copy = dataFolder(join(folder.path, 'copy'))
  const config = configWith(join(folder.path, 'ledger'))
  await initialise(data, undefined, () => config)
  await running(data, config, async (url, events) => {
    await publish(url, 0, 4)
    await anchored(events, 0)
  })
  await cp(data.folder, copy.folder, { recursive: true })
  await running(data, config, async (url, events) => {
    await publish(url, 5, 9)
    await anchored(events, 2)
  })

  const refused = await t.throwsAsync(
    running(copy, config, () => Promise.resolve()),
    {
      instanceOf: KedgeError,
      code: 'STORE_BEHIND',
    },
  )
  t.regex(refused?.hint ?? '', /kedge init --new-incarnation/)
  t.deepEqual((await asked(copy, 'status', {})).lines[0]?.running, false)

  t.is((await beginAnew(copy)).incarnation, 1)
  t.like((await readMarker(copy))?.previous, { incarnation: 0, hashId: 1 })
  await running(copy, config, async (url, events) => {
    await publish(url, 10, 12)
    await anchored(events, 0)
  })
  const { bytes } = await asked(copy, 'prove', { stream: 'mqtt/probe', index: '0-2' })
  t.is(verdictOf(bytes, (await asked(copy, 'trust', {})).bytes).verdict, 'complete')

  const late = await t.throwsAsync(
    running(data, config, () => Promise.resolve()),
    {
      code: 'STORE_BEHIND',
    },
  )
  t.regex(late?.message ?? '', /newer incarnation/)
})

test('what no ledger had taken is committed again in the new life, private readings as well', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  const restored = dataFolder(join(folder.path, 'restored'))
  const backup = join(folder.path, 'backup')
  const config = configWith(join(folder.path, 'ledger'), 'maxAge: 1h')
  await initialise(data, undefined, () => config)
  await running(data, config, (url) => publish(url, 0, 4))
  await running(data, config, async (url) => {
    await publish(url, 5, 9)
    await publish(url, 100, 102, 'band')
    const { bytes, lines } = await asked(data, 'backup', {})
    await writeFile(backup, bytes)
    t.is(lines[0]?.bytes, bytes.length)
  })

  await restore(restored, backup)
  // The secret is not in the backup.
  await cp(join(data.keys, 'secret'), join(restored.keys, 'secret'))
  await t.throwsAsync(
    running(restored, config, () => Promise.resolve()),
    { code: 'STORE_BEHIND' },
  )
  t.deepEqual(await beginAnew(restored), { incarnation: 1, recommitted: 8 })
  await running(restored, config, (url) => publish(url, 10, 11))

  const trust = (await asked(restored, 'trust', {})).bytes
  const probe = await asked(restored, 'export', { stream: 'mqtt/probe' })
  t.deepEqual(
    probe.lines.map(({ index, publisherId }) => [index, publisherId]),
    ['n5', 'n6', 'n7', 'n8', 'n9', 'n10', 'n11'].map((id, index) => [index, id]),
  )
  const band = await asked(restored, 'export', { stream: 'mqtt/band' })
  t.deepEqual(
    band.lines.flatMap(({ value }) => value ?? []),
    ['100', '101', '102'],
  )
  for (const [stream, index] of [
    ['mqtt/probe', '0-6'],
    ['mqtt/band', '0-2'],
  ] as const) {
    const { bytes } = await asked(restored, 'prove', { stream, index })
    t.is(verdictOf(bytes, trust).verdict, 'complete', stream)
  }
})
