import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
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
