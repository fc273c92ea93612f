import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { dataFolder } from '../gateway/data-folder.ts'
import { isAlive, kedge, type Line, startKedge, until } from './helpers/gateway.ts'
import { asked } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

const named = (events: readonly Line[], name: string) =>
  events.filter(({ event }) => event === name)

/** Every index from 0 to the last that `status` counts is a line, except those of the gateway's own records. */
async function everyStream(folder: string) {
  const data = dataFolder(folder)
  const [line] = (await asked(data, 'status', {})).lines as Line[]
  const streams: { stream: string; leaves: number; indices: number[] }[] = []
  for (const { stream, leaves } of line?.streams ?? []) {
    if (stream === 'control') continue
    const { lines } = await asked(data, 'export', { stream })
    streams.push({ stream, leaves, indices: lines.map(({ index }) => Number(index)) })
  }
  return streams
}

test('the demo ends with evidence that was verified, and a second one goes on without a hole', async (t) => {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'demo')
  let nextSeq = 0
  const before = new Map<string, number>()
  for (const round of ['first', 'second']) {
    const { code, lines, stderr } = await kedge('demo', '--once', '--data', data)
    t.is(code, 0, stderr)
    t.is(stderr, '')
    t.deepEqual(
      ['started', 'batch', 'anchored', 'evidence', 'verified', 'stopped'].map(
        (name) => named(lines, name).length > 0,
      ),
      Array(6).fill(true),
      round,
    )
    const [started] = named(lines, 'started')
    t.is(started?.data, data)
    t.regex(started?.mqtt, /^mqtt:\/\/127\.0\.0\.1:\d+$/)
    t.is(started?.http, null)
    for (const { seq, count, root } of named(lines, 'batch')) {
      t.is(seq, nextSeq++, 'batches are numbered without a hole')
      t.true(count > 0)
      t.regex(root, /^[0-9a-f]{64}$/)
    }
    t.is(
      named(lines, 'anchored').at(-1)?.seq,
      nextSeq - 1,
      'the last batch is anchored before the end',
    )
    const [verified] = named(lines, 'verified')
    t.regex(verified?.verdict, /^complete/)
    t.true(['tag', 'temperature'].every((kind) => verified?.kinds.includes(kind)))
    t.true(verified?.kinds.some((kind: string) => ['heart-rate', 'spo2'].includes(kind)))
    t.true(verified?.seconds > 0)
    t.is(lines.at(-1)?.event, 'stopped', 'nothing is said after the end')

    const judged = await kedge('verify', verified?.evidence, '--trust', verified?.trust)
    t.is(judged.line.verdict, verified?.verdict)
    t.true([0, 5].includes(judged.code ?? -1))

    const shown = (await kedge('show', verified?.evidence)).lines.filter(({ value }) => value)
    t.true(shown.length > 3)
    t.deepEqual(
      shown.filter(({ details }) => details?.simulated !== true),
      [],
      'no reading of the demo can be taken for a real one',
    )

    for (const { stream, leaves, indices } of await everyStream(data)) {
      // What stands between readings, such as signs of life, has an index and is no line.
      t.is(new Set(indices).size, indices.length, `${stream}: no index twice`)
      t.deepEqual(
        indices,
        indices.toSorted((a, b) => a - b),
      )
      t.true((indices.at(-1) ?? -1) < leaves)
      if (stream === 'w1/28-0316a2794fff' || stream === 'mqtt/wearable') {
        t.deepEqual(
          indices,
          Array.from({ length: leaves }, (_, i) => i),
          `${stream}: no hole`,
        )
      }
      t.true(leaves > (before.get(stream) ?? 0), `${stream} went on`)
      before.set(stream, leaves)
    }
  }
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} stops the demo cleanly: what was read is sealed and anchored`, async (t) => {
    await using folder = await scratchFolder()
    await using demo = startKedge('demo', '--data', folder.path)
    await demo.event('batch')
    const before = demo.events.length
    t.is(await demo.stop(signal), 0, demo.stderr())
    const last = demo.events.slice(before)
    const batch = named(last, 'batch').at(-1)
    t.truthy(batch)
    t.is(named(last, 'anchored').at(-1)?.seq, batch?.seq)
    t.is(last.at(-1)?.event, 'stopped')
    t.is(demo.stderr(), '')
    const { line } = await kedge('status', '--data', folder.path)
    t.is(line.journal.unsealed, 0, 'nothing is left without a signature')
    t.is(line.seq, batch?.seq)
  })
}

test('a demo that is told to stop before it has begun says so in a word, and the next one begins', async (t) => {
  await using folder = await scratchFolder()
  await using demo = startKedge('demo', '--data', folder.path)
  // The store is there, the devices are not.
  const marker = () => readFile(join(folder.path, 'kedge.store')).catch(() => undefined)
  await Promise.race([until(marker), demo.ended])
  t.is(await demo.stop('SIGINT'), 0, demo.stderr())
  t.is(demo.stderr(), '')
  t.is(demo.events.at(-1)?.event, 'stopped')
  await using next = startKedge('demo', '--data', folder.path)
  t.truthy(await next.event('started'))
  t.is(await next.stop(), 0)
})

test('a killed demo takes its devices along, and the next start goes on', async (t) => {
  await using folder = await scratchFolder()
  await using demo = startKedge('demo', '--data', folder.path)
  const { seq } = await demo.event('batch')
  const children = await childrenOf(demo.pid)
  t.true(children.length > 0, 'the devices are a process of their own')
  await demo.stop('SIGKILL')
  await until(() => children.every((pid) => !isAlive(pid)), 'the end of the devices')
  const before = await kedge('export', '--stream', 'w1/28-0316a2794fff', '--data', folder.path)
  await using next = startKedge('demo', '--data', folder.path)
  const batch = await next.event('batch')
  t.is(batch.seq, seq + 1)
  t.is(await next.stop(), 0)
  const { lines } = await kedge('export', '--stream', 'w1/28-0316a2794fff', '--data', folder.path)
  t.deepEqual(
    lines.map(({ index }) => index),
    lines.map((_, i) => i),
  )
  for (const [i, { value, time }] of before.lines.entries()) t.like(lines[i], { value, time })
  t.true(lines.length > before.lines.length)
})

test('a second demo on the same folder is refused, and leaves the devices of the first alone', async (t) => {
  await using folder = await scratchFolder()
  await using demo = startKedge('demo', '--data', folder.path)
  const { pid } = await demo.event('started')
  const { code, error } = await kedge('demo', '--once', '--data', folder.path)
  t.is(code, 75)
  t.is(error?.code, 'STORE_IN_USE')
  t.regex(error?.message, new RegExp(`process ${pid} `))
  const before = demo.events.length
  const batch = await demo.event('batch', (event) => demo.events.indexOf(event) > before)
  await demo.event('batch', ({ seq }) => seq > batch.seq)
  t.is(await demo.stop(), 0)
  t.deepEqual(named(demo.events, 'alarm'), [], 'no device of the first was missed')
})

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}
