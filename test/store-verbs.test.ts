import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { connectAsync } from 'mqtt'
import { type DataFolder, dataFolder, readMarker, writeMarker } from '../gateway/data-folder.ts'
import { beginAnew } from '../gateway/incarnation.ts'
import { kedge, type Line, newGateway, type Started, startKedge } from './helpers/gateway.ts'
import { allAnchored, allSealed } from './helpers/gateway-site.ts'
import { asked, publish } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'

const config = (folder: string, batch = 'maxAge: 1s') => `
site: test
gateway: asked
ingest: { mqtt: { listen: "127.0.0.1:0" } }
batch: { ${batch} }
anchor: [{ ledger: embedded, path: ${folder}/ledger }]
journal: { minFree: 0B, reserve: 1MiB }
`

/** Ten readings and one refusal, all of them anchored. */
async function tenReadings(running: Started, data: DataFolder): Promise<void> {
  const { mqtt } = await running.event('started')
  await publish(mqtt, 0, 9)
  const client = await connectAsync(mqtt)
  await client.publishAsync('ingest/probe', refusedPayload, { qos: 1 })
  await client.endAsync()
  await allAnchored(data)
}

const refusedPayload = '{"kind":"temperature","value":"warm","colour":"red"}'

test('every verb answers while the gateway runs', async (t) => {
  await using gateway = await newGateway(config)
  const of = ['--data', gateway.data.folder]
  await using running = startKedge('run', ...of)
  await tenReadings(running, gateway.data)
  const { line: status } = await sayWhatIsThere(t, gateway, true)

  const times = (await kedge('export --stream mqtt/probe', ...of)).lines.map(({ time }) => time)
  const between = `--from ${times[3]} --to ${times[5]}`
  const some = await kedge(`export --stream mqtt/probe ${between}`, ...of)
  t.true(some.lines.length >= 3)
  t.true(some.lines.every(({ time }) => time >= times[3] && time <= times[5]))
  const provedByTime = await kedge(
    `prove --stream mqtt/probe ${between} -o ${gateway.folder}/time.kedge`,
    ...of,
  )
  t.is(provedByTime.code, 0, provedByTime.stderr)
  t.true(provedByTime.line.first <= 3 && provedByTime.line.last >= 5)

  const refused = await kedge('export --refused', ...of)
  t.is(refused.lines.length, 1)
  t.like(refused.line, {
    source: 'mqtt/probe',
    sm3: createHash('sm3').update(refusedPayload).digest('hex'),
    bytes: refusedPayload.length,
  })
  t.regex(refused.line.reason, /colour is not known here/)
  t.false(Number.isNaN(Date.parse(refused.line.at)))

  const key = await kedge('keys show', ...of)
  t.is(key.code, 0)
  t.like(key.line, { gateway: status.gateway, keyId: status.gateway, algorithm: 'SM2' })
  const check = await kedge('store check', ...of)
  t.is(check.code, 0, check.stdout)
  t.like(check.line, { ok: true })
  t.true(check.line.readings >= 10)
  const backup = join(gateway.folder, 'backup')
  const backedUp = await kedge(`store backup ${backup}`, ...of)
  t.is(backedUp.code, 0, backedUp.stderr)
  t.like(backedUp.line, { file: backup, bytes: (await stat(backup)).size })
  t.is(await running.stop(), 0)
})

test('what the store holds is shown and proved while no gateway runs, too', async (t) => {
  await using gateway = await newGateway(config)
  await using running = startKedge('run', '--data', gateway.data.folder)
  await tenReadings(running, gateway.data)
  t.is(await running.stop(), 0, running.stderr())
  await sayWhatIsThere(t, gateway, false)
  t.is((await kedge('store check --data', gateway.data.folder)).code, 0)
})

/** status, export, prove and trust, and what verify says of them. */
async function sayWhatIsThere(
  t: ExecutionContext,
  { folder, data }: { folder: string; data: { folder: string } },
  isRunning: boolean,
) {
  const of = ['--data', data.folder]
  const status = await kedge('status', ...of)
  t.is(status.code, 0, status.stderr)
  const keys = 'gateway incarnation seq streams journal anchors clock alarms'.split(' ')
  t.deepEqual(
    keys.filter((key) => !(key in status.line)),
    [],
  )
  t.like(status.line, { running: isRunning, incarnation: 0, alarms: [] })
  t.false('degraded' in status.line)
  t.deepEqual(Object.keys(status.line.journal).slice(0, 3), ['readings', 'bytes', 'roomHours'])
  const [anchor] = status.line.anchors
  t.like(anchor, { ledger: 'embedded', lag: 0, state: 'anchored' })
  t.is(anchor.head, status.line.seq + 1)
  t.true(status.line.streams.some(({ stream }: Line) => stream === 'mqtt/probe'))

  const readings = await kedge('export --stream mqtt/probe', ...of)
  t.is(readings.code, 0, readings.stderr)
  t.is(readings.lines.length, 10)
  for (const [i, reading] of readings.lines.entries()) {
    t.like(reading, {
      ...{ stream: 'mqtt/probe', index: i, kind: 'temperature', value: String(i), unit: 'Cel' },
      ...{ quality: 'good', source: 'mqtt/probe', publisherId: `n${i}` },
    })
    t.true(Number.isInteger(reading.batch))
    for (const time of ['committedAt', 'time']) t.false(Number.isNaN(Date.parse(reading[time])))
    t.truthy(reading.timeQuality.source)
  }

  const [file, trust] = [join(folder, 'a.kedge'), join(folder, 'trust.json')] as const
  const proved = await kedge(`prove --stream mqtt/probe --index 2-7 -o ${file}`, ...of)
  t.is(proved.code, 0, proved.stderr)
  const { size } = await stat(file)
  t.like(proved.line, { file, stream: 'mqtt/probe', first: 2, last: 7, bytes: size })
  t.deepEqual((await kedge(`trust -o ${trust}`, ...of)).lines, [{ file: trust }])
  const verdict = await kedge(`verify ${file} --trust ${trust} --expect mqtt/probe,2,7`)
  t.is(verdict.code, 0, verdict.stdout)
  t.is(verdict.line.verdict, 'complete')
  if (!isRunning) return status
  const wider = await kedge(`verify ${file} --trust ${trust} --expect mqtt/probe,2,8`)
  t.is(wider.code, 1, 'narrower than asked')
  return status
}

test('a second gateway on the same folder is told who holds it', async (t) => {
  await using gateway = await newGateway(config)
  await using running = startKedge('run', '--data', gateway.data.folder)
  const { pid } = await running.event('started')
  t.is((await stat(gateway.data.socket)).mode & 0o777, 0o600, 'the socket is for its owner only')
  const second = await kedge('run', '--data', gateway.data.folder)
  t.is(second.code, 75)
  t.is(second.error?.code, 'STORE_IN_USE')
  t.regex(second.error?.message, new RegExp(`process ${pid} `))
  t.deepEqual(second.lines, [])
  t.is(await running.stop(), 0)
})

test('init never writes over anything', async (t) => {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'data')
  await mkdir(data)
  await writeFile(join(data, 'kedge.yaml'), '# mine\nsite: mine\ngateway: mine\n')
  const made = await kedge('init', '--data', data)
  t.is(made.code, 0, made.stderr)
  t.deepEqual(Object.keys(made.line).slice(0, 3), ['gateway', 'data', 'config'])
  t.regex(await readFile(join(data, 'kedge.yaml'), 'utf8'), /^# mine/)
  const before = await everything(data)
  const again = await kedge('init', '--data', data)
  t.is(again.code, 2)
  t.is(again.error?.code, 'STORE_EXISTS')
  t.deepEqual(await everything(data), before)
})

test('an init that was cut off is done again, and a store that was used is never made anew', async (t) => {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'data')
  const child = spawn(
    process.execPath,
    ['--import=tsx', 'gateway/cli.ts', 'init', '--data', data],
    { stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => child.once('close', resolve))
  const lateMs = performance.now() + 60_000
  while (!existsSync(join(data, 'store'))) if (performance.now() > lateMs) break
  child.kill('SIGKILL')
  await ended
  t.false(existsSync(join(data, 'kedge.store')), 'it was cut off in the middle')
  const made = await kedge('init', '--data', data)
  t.is(made.code, 0, made.stderr)
  await rm(join(data, 'kedge.store'))
  for (const verb of ['init', 'run']) {
    const refused = await kedge(verb, '--data', data)
    t.is(refused.error?.code, 'STORE_DAMAGED', verb)
    t.is(refused.code, 1)
  }
})

test('what cannot be answered is one object on standard error, and never a stack trace', async (t) => {
  await using gateway = await newGateway((folder) => config(folder, 'maxAge: 24h'))
  const folder = gateway.data.folder
  await using running = startKedge('run', '--data', folder)
  const { mqtt } = await running.event('started')
  await publish(mqtt, 0, 0)
  const [out, empty] = [join(gateway.folder, 'out'), join(gateway.folder, 'empty')]
  const stream = 'prove --stream mqtt/probe'
  const cases: readonly (readonly [asked: string, data: string, code: string, exit: number])[] = [
    ['export --stream mqtt/prob', folder, 'NOT_FOUND', 2],
    [`${stream} --index 0 -o ${out}`, folder, 'NOT_ANCHORED', 75],
    [`${stream} --index 0 --fields valu -o ${out}`, folder, 'USAGE', 2],
    [`prove --shipment S1 -o ${out}`, folder, 'NOT_FOUND', 2],
    [`store backup ${gateway.folder}/no/where`, folder, 'FILE_UNREADABLE', 2],
    ['status', empty, 'STORE_MISSING', 2],
    [`store restore ${gateway.folder}/none`, empty, 'FILE_UNREADABLE', 2],
    [`store restore ${gateway.data.config}`, empty, 'STORE_DAMAGED', 1],
  ]
  for (const [asked, data, code, exit] of cases) {
    const { error, code: ended, lines, stderr } = await kedge(asked, '--data', data)
    t.is(error?.code, code, `${asked}: ${stderr}`)
    t.is(ended, exit, asked)
    t.deepEqual(lines, [], asked)
    t.is(stderr.trim().split('\n').length, 1, asked)
    t.true(Object.keys(error ?? {}).every((key) => ['code', 'message', 'at', 'hint'].includes(key)))
  }
  t.deepEqual((await readdir(gateway.folder)).toSorted(), ['data', 'ledger'], 'nothing was written')
  for (const [query, of, code] of [
    ['export', {}, 'USAGE'],
    ['export', { stream: 'mqtt/probe', from: 'noon' }, 'USAGE'],
    ['prove', { stream: 'mqtt/probe' }, 'USAGE'],
    ['prove', { stream: 'mqtt/probe', index: 'all' }, 'USAGE'],
    ['prove', { stream: 'mqtt/probe', index: '5-9' }, 'NOT_FOUND'],
    ['shipment', { what: 'open', reader: 'dock', id: 'S1' }, 'NOT_FOUND'],
    ['destroy', {}, 'USAGE'],
  ] as const) {
    await t.throwsAsync(asked(gateway.data, query, of), { code }, JSON.stringify(of))
  }
  const inWords = await run(process.execPath, [
    ...['--import=tsx', 'gateway/cli.ts'],
    ...['export', '--stream', 'x', '--data', folder],
  ])
  t.is(inWords.code, 2)
  t.regex(
    inWords.stderr,
    /^kedge: there is no stream x \(NOT_FOUND\)\nkedge: hint: .*mqtt\/probe.*\n$/,
  )
  t.is(await running.stop(), 0)
})

test('readings that no ledger has taken are proved only by whoever asks for that, and judged so', async (t) => {
  await using gateway = await newGateway(config)
  const of = ['--data', gateway.data.folder]
  await using running = startKedge('run', ...of)
  const { mqtt } = await running.event('started')
  await publish(mqtt, 0, 4)
  await allAnchored(gateway.data)
  await damageLedger(join(gateway.folder, 'ledger', 'witness.log'))
  await publish(mqtt, 5, 9)
  await running.event('alarm', ({ matter, over }) => matter === 'anchor embedded' && !over)
  await allSealed(gateway.data)
  const file = join(gateway.folder, 'newest.kedge')
  const ask = ['prove', '--stream', 'mqtt/probe', '--index', '9', '-o', file, ...of]
  const refused = await kedge(...ask)
  t.is(refused.code, 75)
  t.is(refused.error?.code, 'NOT_ANCHORED')
  t.regex(refused.error?.hint, /--unanchored/)
  const made = await kedge(...ask, '--unanchored')
  t.is(made.code, 0, made.stderr)
  const trust = join(gateway.folder, 'trust.json')
  await kedge('trust', '-o', trust, ...of)
  const verdict = await kedge('verify', file, '--trust', trust)
  t.is(verdict.code, 1)
  t.is(verdict.line.verdict, 'undetermined')
  const anchor = verdict.line.lines.find(({ property }: Line) => property === 'anchor')
  t.is(anchor.result, 'NOT CHECKED')
  const { code, line } = await kedge('status', ...of)
  t.is(code, 3)
  t.regex(line.degraded.join(), /^anchor embedded: /)
  t.not(line.anchors[0].state, 'anchored')
  t.is(await running.stop(), 0)
})

/** One entry is changed in the middle, and something stands at the end: the next write notices both. */
async function damageLedger(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  await writeFile(path, bytes)
  await appendFile(path, 'x')
}

for (const how of ['a backup that was put back', 'a copy of the folder'] as const) {
  test(`${how} is noticed before anything is signed: the ledger knows more`, async (t) => {
    await using gateway = await newGateway(config)
    const folder = gateway.data.folder
    const other = join(gateway.folder, 'other')
    const backup = join(gateway.folder, 'backup')
    await using running = startKedge('run', '--data', folder)
    await tenReadings(running, gateway.data)
    if (how === 'a copy of the folder') {
      t.is(await running.stop(), 0)
      await cp(folder, other, { recursive: true })
      await using again = startKedge('run', '--data', folder)
      await again.event('anchored')
      t.is(await again.stop(), 0)
    } else {
      const made = await kedge('store', 'backup', backup, '--data', folder)
      t.is(made.code, 0, made.stderr)
      await publish((await running.event('started')).mqtt, 10, 19)
      await allAnchored(gateway.data)
      t.is(await running.stop(), 0)
      const restored = await kedge('store', 'restore', backup, '--data', other)
      t.is(restored.code, 0, restored.stderr)
      t.deepEqual(restored.line, made.line)
      const locked = await kedge('run', '--data', other)
      t.is(locked.error?.code, 'SECRET_REFUSED', 'the secret is not in a backup')
      await copyFile(join(folder, 'keys', 'secret'), join(other, 'keys', 'secret'))
    }
    const readings = await asked(dataFolder(other), 'export', { stream: 'mqtt/probe' })
    t.deepEqual(
      readings.lines.map(({ value }) => value),
      Array.from({ length: 10 }, (_, i) => String(i)),
    )
    const [before] = (await asked(dataFolder(other), 'status', {})).lines
    const refused = await kedge('run', '--data', other)
    t.is(refused.code, 1)
    t.is(refused.error?.code, 'STORE_BEHIND')
    t.regex(refused.error?.hint, /kedge init --new-incarnation/)
    t.is(refused.lines.filter(({ event }) => event === 'started').length, 0)
    const [after] = (await asked(dataFolder(other), 'status', {})).lines
    t.is(after?.seq, before?.seq, 'no batch was sealed')

    if (how === 'a copy of the folder') return
    const anew = await kedge('init --new-incarnation --data', other)
    t.is(anew.code, 0, anew.stderr)
    t.is(anew.line.incarnation, 1)
    await using begun = startKedge('run', '--data', other)
    t.truthy(await begun.event('anchored'))
    t.is(await begun.stop(), 0)
    const late = await kedge('run', '--data', folder)
    t.is(late.error?.code, 'STORE_BEHIND', 'the first copy is over now')
  })
}

test('a new incarnation that was cut off and is begun again commits each reading once', async (t) => {
  await using gateway = await newGateway((folder) => config(folder, 'maxAge: 24h'))
  const { data } = gateway
  await using running = startKedge('run', '--data', data.folder)
  await publish((await running.event('started')).mqtt, 0, 9)
  await running.stop('SIGKILL')
  const old = await readMarker(data)
  t.is((await beginAnew(data)).recommitted, 10)
  // The last step is missing.
  if (old) await writeMarker(data, old)
  t.like(await beginAnew(data), { incarnation: 1, recommitted: 10 })
  const { lines } = await asked(data, 'export', { stream: 'mqtt/probe' })
  t.deepEqual(
    lines.map(({ publisherId }) => publisherId),
    Array.from({ length: 10 }, (_, i) => `n${i}`),
  )
})

test('whoever asks a gateway that is killed meanwhile is told to try again', async (t) => {
  await using gateway = await newGateway(config)
  const { data } = gateway
  await using running = startKedge('run', '--data', data.folder)
  await publish((await running.event('started')).mqtt, 0, 9)
  process.kill(running.pid, 'SIGSTOP')
  const answer = asked(data, 'status', {})
  const told = t.throwsAsync(answer, { code: 'STORE_FAILED', message: /ended before/ })
  await sleep(200)
  await running.stop('SIGKILL')
  await told
})

test('a gateway that cannot start says why, and ends', async (t) => {
  await using gateway = await newGateway(config)
  await using running = startKedge('run', '--data', gateway.data.folder)
  const { mqtt } = await running.event('started')
  await using other = await newGateway(
    `site: test\ngateway: late\ningest: { mqtt: { listen: "${mqtt.slice('mqtt://'.length)}" } }\n`,
  )
  const taken = await kedge('run --data', other.data.folder)
  t.is(taken.code, 75)
  t.is(taken.error?.code, 'LISTEN_REFUSED')
  await writeFile(join(other.data.keys, 'secret'), 'another\n')
  const locked = await kedge('run --data', other.data.folder)
  t.is(locked.code, 1)
  t.is(locked.error?.code, 'KEY_LOCKED')
  t.false(locked.stderr.includes('another\n'))
  t.is(await running.stop(), 0)
})

test('a folder whose path is too long for a socket is refused in one line', async (t) => {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'x'.repeat(110))
  await kedge('init', '--data', data)
  await writeFile(join(data, 'kedge.yaml'), 'site: deep\ngateway: deep\n')
  const { code, error } = await kedge('run', '--data', data)
  t.is(code, 2)
  t.is(error?.code, 'USAGE')
  t.regex(error?.message, /too long/)
})

async function everything(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name)
    if ((await stat(path)).isFile()) found[name] = (await readFile(path)).toString('hex')
  }
  return found
}
