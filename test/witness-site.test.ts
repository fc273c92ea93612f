import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import mqtt from 'mqtt'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'
import { type Line, startVerb, startWitness } from './helpers/witness-process.ts'

const kedge = (...args: string[]) =>
  run(process.execPath, ['--import=tsx', 'gateway/cli.ts', ...args], { env: { LC_ALL: 'C' } })

const objectsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('a witness starts, stops and starts again as it was, one process at a time', async (t) => {
  await using scratch = await scratchFolder()
  const folder = join(scratch.path, 'witness')
  const first = startWitness(t, folder)
  const started = await first.event('started')
  t.like(started, { event: 'started', data: folder, entries: 0 })
  t.regex(String(started?.url), /^http:\/\/127\.0\.0\.1:\d+$/)
  t.regex(String(started?.ledger), /^[0-9a-f]{64}$/)
  t.regex(String(started?.publicKey), /^04[0-9a-f]{128}$/)
  for (const name of ['witness.sock', 'keys/witness.key', 'keys/secret']) {
    t.is((await stat(join(folder, name))).mode & 0o077, 0, name)
  }
  const second = startWitness(t, folder)
  t.is(await second.event('started'), null)
  t.is(await second.stop('SIGTERM'), 75)
  t.is(JSON.parse(second.stderr()).error.code, 'LEDGER_IN_USE')
  t.is(await first.stop('SIGTERM'), 0)
  t.is(first.lines.at(-1)?.event, 'stopped')

  const listen = new URL(String(started?.url)).host
  const again = startWitness(t, folder, listen)
  const { pid: _, ...same } = started as unknown as Record<string, unknown>
  t.like(await again.event('started'), same)
  const taken = startWitness(t, join(scratch.path, 'another'), listen)
  t.is(await taken.event('started'), null)
  t.is(await taken.stop('SIGTERM'), 75)
  t.is(JSON.parse(taken.stderr()).error.code, 'LISTEN_REFUSED')
  await again.stop('SIGKILL')
  const last = startWitness(t, folder, listen)
  t.like(await last.event('started'), same, 'what a killed one leaves behind is in nobody’s way')
  await last.stop('SIGTERM')

  const log = await readFile(join(folder, 'witness.log'))
  await rm(join(folder, 'witness.log'))
  const lost = startWitness(t, folder)
  t.is(await lost.event('started'), null)
  t.is(JSON.parse(lost.stderr()).error.code, 'LEDGER_MISSING')
  await writeFile(join(folder, 'witness.log'), log)
  await rm(join(folder, 'keys/witness.key'))
  const keyless = startWitness(t, folder)
  t.is(await keyless.event('started'), null)
  t.is(JSON.parse(keyless.stderr()).error.code, 'KEY_MISSING')
})

test('readings anchored at somebody else’s witness are evidence that stands without the operator', async (t) => {
  await using scratch = await scratchFolder()
  const at = (name: string) => join(scratch.path, name)
  let witness = startWitness(t, at('witness'))
  const served = await witness.event('started')
  if (served === null) return t.fail(witness.stderr())
  const url = String(served.url)

  await writeFile(
    at('kedge.yaml'),
    `site: ward-3
gateway: gw-1
ingest: {mqtt: {listen: '127.0.0.1:0'}}
batch: {maxAge: 1s}
anchor: [{ledger: witness, url: '${url}', publicKey: '${served.publicKey}'}]
`,
  )
  const site = ['--data', at('gateway'), '--config', at('kedge.yaml'), '--json'] as const
  const made = await kedge('init', '--data', at('gateway'), '--json')
  t.is(made.code, 0, made.stderr)
  const gateway = startVerb(t, ['run', '--data', at('gateway'), '--config', at('kedge.yaml')])
  const started = await gateway.event('started')
  if (started === null) return t.fail(gateway.stderr())
  const client = await mqtt.connectAsync(String(started.mqtt))
  const publish = (value: number) =>
    client.publishAsync(
      'ingest/fridge',
      JSON.stringify({ kind: 'temperature', value, unit: 'Cel', id: `n${value}` }),
      { qos: 1 },
    )
  await publish(4.25)

  const before = await kedge('enrol', 'status', ...site)
  t.like(objectsIn(before.stdout)[0], { ledger: 'witness', state: 'unregistered' })
  const asked = await kedge('enrol', 'request', '-o', at('request.json'), ...site)
  t.is(asked.code, 0, asked.stderr)
  const shown = objectsIn((await kedge('keys', 'show', ...site)).stdout)[0]
  t.like(objectsIn(asked.stdout)[0], { gateway: started.gateway, fingerprint: shown.keyId })
  const data = ['--data', at('witness'), '--json'] as const
  const approved = await kedge('enrol', 'approve', at('request.json'), ...data)
  t.is(approved.code, 0, approved.stderr)
  t.like(await witness.event('entry'), { type: 'registration', gateway: started.gateway })
  t.is((await kedge('anchor', 'retry', ...site)).code, 0)
  const anchored = await gateway.event('anchored')
  t.like(anchored, { ledger: 'witness', block: 1 })
  const after = await kedge('enrol', 'status', ...site)
  t.like(objectsIn(after.stdout)[0], { state: 'open', keyId: shown.keyId })

  // Both may be killed at any time, and go on where they were.
  await witness.stop('SIGKILL')
  const meanwhile = await kedge('enrol', 'status', ...site)
  t.is(meanwhile.code, 75, 'who asks a script to wait for it can')
  t.like(objectsIn(meanwhile.stdout)[0], { ledger: 'witness', state: 'unknown' })
  await publish(4.5)
  witness = startWitness(t, at('witness'), new URL(url).host)
  t.truthy(await witness.event('started'), witness.stderr())
  const isLater = ({ seq }: Line) => Number(seq) > Number(anchored?.seq)
  const retried = await kedge('anchor', 'retry', ...site)
  t.is(retried.code, 0, retried.stderr)
  const later = await gateway.event('anchored', isLater)

  const rows = objectsIn((await kedge('anchor', 'ls', ...site)).stdout)
  const finals = rows.filter(({ state }) => state === 'final')
  t.true(finals.length >= 2)
  for (const key of ['ledger', 'size', 'root', 'state', 'block', 'at', 'cost']) {
    t.true(key in finals[0], key)
  }
  const got = objectsIn((await kedge('anchor', 'get', String(later?.seq), ...site)).stdout)
  t.true(got.length === 1 && got[0].size >= Number(later?.seq))
  const none = await kedge('anchor', 'get', '100000', ...site)
  t.is(none.code, 75)

  const wanted = ['--stream', 'mqtt/fridge', '--index', '0-1', '-o', at('one.kedge')]
  const proved = await kedge('prove', ...wanted, ...site)
  t.is(proved.code, 0, proved.stderr)
  t.is((await kedge('trust', '-o', at('own.json'), ...site)).code, 0)
  const own = JSON.parse(await readFile(at('own.json'), 'utf8'))
  t.is(own.ledgers[0].publicKey, served.publicKey)
  const ledgers = [{ ...own.ledgers[0], name: 'Regulator', independent: true }]
  await writeFile(at('trust.json'), JSON.stringify({ ...own, ledgers }))
  const verified = await kedge('verify', at('one.kedge'), '--trust', at('trust.json'), '--json')
  const [report] = objectsIn(verified.stdout)
  const results = new Map<string, string>(
    report.lines.map((line: { property: string; result: string }) => [line.property, line.result]),
  )
  for (const property of ['anchor', 'continuity', 'independent', 'fixed-before', 'signer']) {
    t.is(results.get(property), 'PASS', `${property}: ${JSON.stringify(report.lines)}`)
  }
  t.is(verified.code, 0, verified.stdout)
  const dependent = await kedge('verify', at('one.kedge'), '--trust', at('own.json'), '--json')
  const [told] = objectsIn(dependent.stdout)
  t.like(told.lines[11], { property: 'independent', result: 'NOT CHECKED' })

  await client.endAsync()
  t.is(await gateway.stop('SIGTERM'), 0)
  t.is(await witness.stop('SIGTERM'), 0)
})
