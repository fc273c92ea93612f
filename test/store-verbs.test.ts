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
import test, { type ExecutionContext } from 'ava'
import { connectAsync } from 'mqtt'
import { kedge, type Line, newGateway, type Started, startKedge } from './helpers/gateway.ts'
import { publish } from './helpers/running-gateway.ts'
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
async function tenReadings(running: Started): Promise<void> {
  const { mqtt } = await running.event('started')
  await publish(mqtt, 0, 9)
  const client = await connectAsync(mqtt)
  await client.publishAsync('ingest/probe', refusedPayload, { qos: 1 })
  await client.endAsync()
  await anchoredAfter(running)
}

async function anchoredAfter(running: Started): Promise<void> {
  const before = running.events.length
  // What was acknowledged is in the next batch or in the one that was just being sealed.
  const { seq } = await running.event(
    'batch',
    (event) => running.events.indexOf(event) >= before - 1,
  )
  await running.event('anchored', (event) => event.seq >= seq)
}

const refusedPayload = '{"kind":"temperature","value":"warm","colour":"red"}'

test('every verb says the same while the gateway runs and while it does not', async (t) => {
  await using gateway = await newGateway(config)
  const folder = gateway.data.folder
  const of = ['--data', folder]
  await using running = startKedge('run', ...of)
  await tenReadings(running)

  for (const isRunning of [true, false]) {
    if (!isRunning) t.is(await running.stop(), 0, running.stderr())
    const status = await kedge('status', ...of)
    t.is(status.code, 0, status.stderr)
    t.deepEqual(
      ['gateway', 'incarnation', 'seq', 'streams', 'journal', 'anchors', 'clock', 'alarms'].filter(
        (key) => !(key in status.line),
      ),
      [],
    )
    t.is(status.line.running, isRunning)
    t.like(status.line, { incarnation: 0, alarms: [] })
    t.false('degraded' in status.line)
    t.deepEqual(Object.keys(status.line.journal).slice(0, 3), ['readings', 'bytes', 'roomHours'])
    const [anchor] = status.line.anchors
    t.like(anchor, { ledger: 'embedded', lag: 0, state: 'anchored' })
    t.is(anchor.head, status.line.seq + 1)
    t.true(status.line.streams.some(({ stream }: Line) => stream === 'mqtt/probe'))

    const readings = await kedge('export', '--stream', 'mqtt/probe', ...of)
    t.is(readings.code, 0, readings.stderr)
    t.deepEqual(
      readings.lines.map(({ stream, index, kind, value, unit, quality, source, publisherId }) => [
        stream,
        index,
        kind,
        value,
        unit,
        quality,
        source,
        publisherId,
      ]),
      Array.from({ length: 10 }, (_, i) => [
        'mqtt/probe',
        i,
        'temperature',
        String(i),
        'Cel',
        'good',
        'mqtt/probe',
        `n${i}`,
      ]),
    )
    for (const { batch, committedAt, time, timeQuality } of readings.lines) {
      t.true(Number.isInteger(batch))
      t.false(Number.isNaN(Date.parse(committedAt)))
      t.false(Number.isNaN(Date.parse(time)))
      t.truthy(timeQuality.source)
    }
    const [fourth, sixth] = [readings.lines[3], readings.lines[5]].map((line) => String(line?.time))
    const between = await kedge(
      'export',
      '--stream',
      'mqtt/probe',
      '--from',
      `${fourth}`,
      '--to',
      `${sixth}`,
      ...of,
    )
    t.true(
      between.lines.length >= 3 &&
        between.lines.every(({ time }) => time >= `${fourth}` && time <= `${sixth}`),
    )

    const refused = await kedge('export', '--refused', ...of)
    t.is(refused.lines.length, 1)
    t.like(refused.line, {
      source: 'mqtt/probe',
      sm3: createHash('sm3').update(refusedPayload).digest('hex'),
      bytes: refusedPayload.length,
    })
    t.regex(refused.line.reason, /colour is not known here/)
    t.false(Number.isNaN(Date.parse(refused.line.at)))

    const [file, timed, trust, backup] = ['a.kedge', 'b.kedge', 'trust.json', 'backup'].map(
      (name) => join(gateway.folder, `${isRunning}-${name}`),
    ) as [string, string, string, string]
    const proved = await kedge(
      'prove',
      '--stream',
      'mqtt/probe',
      '--index',
      '2-7',
      '-o',
      file,
      ...of,
    )
    t.is(proved.code, 0, proved.stderr)
    t.like(proved.line, {
      file,
      stream: 'mqtt/probe',
      first: 2,
      last: 7,
      bytes: (await stat(file)).size,
    })
    const provedByTime = await kedge(
      'prove',
      '--stream',
      'mqtt/probe',
      '--from',
      `${fourth}`,
      '--to',
      `${sixth}`,
      '-o',
      timed,
      ...of,
    )
    t.is(provedByTime.code, 0, provedByTime.stderr)
    t.true(provedByTime.line.first <= 3 && provedByTime.line.last >= 5)

    t.deepEqual((await kedge('trust', '-o', trust, ...of)).lines, [{ file: trust }])
    const verdict = await kedge('verify', file, '--trust', trust, '--expect', 'mqtt/probe,2,7')
    t.is(verdict.code, 0, verdict.stdout)
    t.is(verdict.line.verdict, 'complete')
    t.is(
      (await kedge('verify', file, '--trust', trust, '--expect', 'mqtt/probe,2,8')).code,
      1,
      'narrower than asked',
    )

    const key = await kedge('keys', 'show', ...of)
    t.is(key.code, 0)
    t.like(key.line, { gateway: status.line.gateway, keyId: status.line.gateway, algorithm: 'SM2' })
    const check = await kedge('store', 'check', ...of)
    t.is(check.code, 0, check.stdout)
    t.like(check.line, { ok: true })
    t.true(check.line.readings >= 10)
    const backedUp = await kedge('store', 'backup', backup, ...of)
    t.is(backedUp.code, 0, backedUp.stderr)
    t.like(backedUp.line, { file: backup, bytes: (await stat(backup)).size })
  }
})

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
  while (!existsSync(join(data, 'store'))) if (child.exitCode !== null) break
  child.kill('SIGKILL')
  await ended
  t.false(existsSync(join(data, 'kedge.store')), 'it was cut off in the middle')
  const made = await kedge('init', '--data', data)
  t.is(made.code, 0, made.stderr)
  t.is((await kedge('status', '--data', data)).code, 0)

  await copyFile(join(data, 'kedge.store'), join(folder.path, 'kedge.store'))
  await rm(join(data, 'kedge.store'))
  for (const verb of ['init', 'status', 'run']) {
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
  const out = join(gateway.folder, 'out')
  const empty = join(gateway.folder, 'empty')
  const cases: readonly (readonly [args: readonly string[], code: string, exit: number])[] = [
    [['export', '--stream', 'mqtt/prob', '--data', folder], 'NOT_FOUND', 2],
    [['export', '--data', folder], 'USAGE', 2],
    [['export', '--stream', 'mqtt/probe', '--from', 'noon', '--data', folder], 'USAGE', 2],
    [
      ['prove', '--stream', 'mqtt/probe', '--index', '0', '-o', out, '--data', folder],
      'NOT_ANCHORED',
      75,
    ],
    [
      ['prove', '--stream', 'mqtt/probe', '--index', '5-9', '-o', out, '--data', folder],
      'NOT_FOUND',
      2,
    ],
    [
      ['prove', '--stream', 'mqtt/probe', '--index', 'all', '-o', out, '--data', folder],
      'USAGE',
      2,
    ],
    [['prove', '--stream', 'mqtt/probe', '--index', '0', '--data', folder], 'USAGE', 2],
    [
      [
        'prove',
        '--stream',
        'mqtt/probe',
        '--index',
        '0',
        '--fields',
        'valu',
        '-o',
        out,
        '--data',
        folder,
      ],
      'USAGE',
      2,
    ],
    [['prove', '--shipment', 'S1', '-o', out, '--data', folder], 'NOT_FOUND', 2],
    [['shipment', 'open', 'dock', 'S1', '--data', folder], 'NOT_FOUND', 2],
    [['status', 'me', '--data', folder], 'USAGE', 2],
    [['status', '--data', empty], 'STORE_MISSING', 2],
    [['run', '--data', empty], 'FILE_UNREADABLE', 2],
    [['store', 'restore', join(gateway.folder, 'none'), '--data', empty], 'FILE_UNREADABLE', 2],
    [['store', 'restore', gateway.data.config, '--data', empty], 'STORE_DAMAGED', 1],
    [
      ['store', 'backup', join(gateway.folder, 'no', 'where'), '--data', folder],
      'FILE_UNREADABLE',
      2,
    ],
    [['store', 'backup', '--data', folder], 'USAGE', 2],
  ]
  for (const [args, code, exit] of cases) {
    const { error, code: ended, lines, stderr } = await kedge(...args)
    const asked = args.slice(0, -2).join(' ')
    t.is(error?.code, code, `${asked}: ${stderr}`)
    t.is(ended, exit, asked)
    t.deepEqual(lines, [], asked)
    t.is(stderr.trim().split('\n').length, 1, asked)
    t.true(Object.keys(error ?? {}).every((key) => ['code', 'message', 'at', 'hint'].includes(key)))
  }
  t.deepEqual(
    (await readdir(gateway.folder)).toSorted(),
    ['data', 'ledger'],
    'and nothing was written',
  )
  const inWords = await run(process.execPath, [
    '--import=tsx',
    'gateway/cli.ts',
    'export',
    '--stream',
    'x',
    '--data',
    folder,
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
  await anchoredAfter(running)
  await damageLedger(join(gateway.folder, 'ledger', 'witness.log'))
  await publish(mqtt, 5, 9)
  await running.event('alarm', ({ matter, over }) => matter === 'anchor embedded' && !over)
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
  t.is((await kedge('status', ...of)).code, 3)
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
    await tenReadings(running)
    if (how === 'a copy of the folder') {
      t.is(await running.stop(), 0)
      await cp(folder, other, { recursive: true })
      await using again = startKedge('run', '--data', folder)
      await again.event('anchored')
      t.is(await again.stop(), 0)
    } else {
      t.is((await kedge('store', 'backup', backup, '--data', folder)).code, 0)
      await publish((await running.event('started')).mqtt, 10, 19)
      await anchoredAfter(running)
      t.is(await running.stop(), 0)
      const restored = await kedge('store', 'restore', backup, '--data', other)
      t.is(restored.code, 0, restored.stderr)
      t.is((await kedge('store', 'restore', backup, '--data', other)).error?.code, 'STORE_EXISTS')
      const locked = await kedge('run', '--data', other)
      t.is(locked.error?.code, 'SECRET_REFUSED', 'the secret is not in a backup')
      await copyFile(join(folder, 'keys', 'secret'), join(other, 'keys', 'secret'))
    }
    const readings = await kedge('export', '--stream', 'mqtt/probe', '--data', other)
    t.deepEqual(
      readings.lines.map(({ value }) => value),
      Array.from({ length: 10 }, (_, i) => String(i)),
    )
    const before = (await kedge('status', '--data', other)).line
    const refused = await kedge('run', '--data', other)
    t.is(refused.code, 1)
    t.is(refused.error?.code, 'STORE_BEHIND')
    t.regex(refused.error?.hint, /kedge init --new-incarnation/)
    t.is(refused.lines.filter(({ event }) => event === 'started').length, 0)
    const after = (await kedge('status', '--data', other)).line
    t.is(after.seq, before.seq, 'no batch was sealed')

    const anew = await kedge('init', '--new-incarnation', '--data', other)
    t.is(anew.code, 0, anew.stderr)
    t.is(anew.line.incarnation, 1)
    await using begun = startKedge('run', '--data', other)
    await publish((await begun.event('started')).mqtt, 100, 101)
    await anchoredAfter(begun)
    await provesAll(t, other, gateway.folder)
    t.is(await begun.stop(), 0)
    const late = await kedge('run', '--data', folder)
    t.is(late.error?.code, 'STORE_BEHIND', 'the first copy is over now')
  })
}

async function provesAll(t: ExecutionContext, data: string, folder: string): Promise<void> {
  const { lines } = await kedge('export', '--stream', 'mqtt/probe', '--data', data)
  const [file, trust] = [join(folder, 'anew.kedge'), join(folder, 'anew.json')]
  const proved = await kedge(
    'prove',
    '--stream',
    'mqtt/probe',
    '--index',
    `0-${lines.length - 1}`,
    '-o',
    file,
    '--data',
    data,
  )
  t.is(proved.code, 0, proved.stderr)
  await kedge('trust', '-o', trust, '--data', data)
  t.is((await kedge('verify', file, '--trust', trust)).code, 0)
}

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
