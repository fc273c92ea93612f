import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { dataFolder } from '../gateway/data-folder.ts'
import { anchored, asked, publish, running, until } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'
import { startWitness } from './helpers/witness-process.ts'

test('of two copies of a gateway that run at once one signs, and the other goes on recording and says why it does not', async (t) => {
  await using scratch = await scratchFolder()
  const at = (name: string) => join(scratch.path, name)
  const kedge = async (...args: string[]) => {
    const { code, stderr } = await run(process.execPath, [
      ...['--import=tsx', 'gateway/cli.ts', ...args],
    ])
    t.is(code, 0, stderr)
  }
  const witness = startWitness(t, at('witness'))
  const served = await witness.event('started')
  if (served === null) return t.fail(witness.stderr())
  const [one, other] = [dataFolder(at('one')), dataFolder(at('other'))]
  await kedge('init', '--data', one.folder)
  const config = `site: test
gateway: twice
ingest: { mqtt: { listen: "127.0.0.1:0" } }
batch: { maxAge: 1s }
anchor: [{ ledger: witness, url: "${served.url}" }]
`
  await writeFile(one.config, config)
  await kedge('enrol', 'request', '--data', one.folder, '-o', at('request.json'))
  await kedge('enrol', 'approve', at('request.json'), '--data', at('witness'))
  await running(one, config, async (url, events) => {
    await publish(url, 0, 4)
    await anchored(events, 0)
  })
  await cp(one.folder, other.folder, { recursive: true })

  await running(one, config, (url, events) =>
    running(other, config, async (copyUrl, copyEvents) => {
      await publish(url, 5, 9)
      await anchored(events, 1)
      await publish(copyUrl, 105, 109)
      const isForbidden = (event: (typeof copyEvents)[number]) =>
        event.event === 'alarm' && event.matter === 'signing'
      await until(() => copyEvents.some(isForbidden))
      t.regex(JSON.stringify(copyEvents.find(isForbidden)), /another history/)
      const sealed = copyEvents.filter(({ event }) => event === 'batch').length
      await publish(copyUrl, 110, 114)
      await until(() => copyEvents.filter(({ event }) => event === 'batch').length > sealed)
      const [last] = (await asked(other, 'status', {})).lines.slice(-1)
      t.regex(JSON.stringify(last), /nothing more of this one is signed/)
      await t.throwsAsync(
        asked(other, 'prove', { stream: 'mqtt/probe', index: '10-12', unanchored: true }),
        { code: 'NOT_SIGNED' },
      )
      t.true((await asked(other, 'export', { stream: 'mqtt/probe' })).lines.length >= 15)
      // The one that is registered notices nothing of it.
      await publish(url, 10, 14)
      await anchored(events, 2)
    }).then(() => undefined),
  )
  t.is(await witness.stop('SIGTERM'), 0)
})
