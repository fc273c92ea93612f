import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Level } from 'level'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { historyHash, statementLeaf } from '../anchor-client/evidence/merkle.ts'
import { encodeDescriptor } from '../anchor-client/evidence/stream.ts'
import { keyOf } from '../gateway/journal/row.ts'
import { newStreamState } from '../gateway/journal/stream-state.ts'
import { inclusionPath } from '../gateway/journal/tree-proofs.ts'
import { startWriter } from '../gateway/journal/writer.ts'
import { plainLeaf } from '../gateway/recording/plain-leaf.ts'
import { inclusionPath as goldenPath, treeRoot } from './golden/tree.ts'
import {
  type Acknowledged,
  account,
  addTo,
  openTestJournal,
  readingLeaf,
  sealNow,
  testStreams,
  timeAt,
} from './helpers/journal.ts'
import { scratchFolder } from './helpers/scratch.ts'

const hash = historyHash(1)

/** A descriptor of some stream, for what never looks into a store. */
async function someDescriptor(): Promise<Uint8Array> {
  await using scratch = await scratchFolder()
  await using journal = await openTestJournal(scratch.path, { mayCreate: true })
  return testStreams(journal).open('probe').descriptorBytes
}

/** A writer on a disk that does as it is told. */
async function writerOn(put: () => Promise<void>) {
  const frames: number[] = []
  const broken: KedgeError[] = []
  const writer = startWriter({
    rows: { put },
    tail: { add() {} },
    firstRow: 0,
    nowMs: () => null,
    onFrame: (leaves) => frames.push(leaves),
    onBroken: (error) => broken.push(error),
  })
  const stream = newStreamState(1, await someDescriptor())
  const other = newStreamState(2, await someDescriptor())
  return { writer, frames, broken, stream, other }
}

test('who waits is told in the order in which it was taken, whatever its stream', async (t) => {
  const { writer, stream, other } = await writerOn(() => Promise.resolve())
  const told: string[] = []
  for (let i = 0; i < 40; i++) {
    const of = i % 3 === 0 ? other : stream
    const committed = (index: number) => told.push(`${of.number}/${index}`)
    writer.add({ stream: of, leaf: readingLeaf(i, i), committed }, 0)
  }
  await writer.flush()
  const expected = Array.from({ length: 40 }, (_, i) =>
    i % 3 === 0 ? `2/${i / 3}` : `1/${i - Math.floor(i / 3) - 1}`,
  )
  t.deepEqual(told, expected)
  t.is(stream.size + other.size, 40)
})

test('what arrives while the disk writes is the next frame, and what may wait is held', async (t) => {
  const waiting: (() => void)[] = []
  const { writer, frames, stream } = await writerOn(
    () => new Promise((resolve) => waiting.push(resolve)),
  )
  const add = (holdMs: number) => writer.add({ stream, leaf: readingLeaf(1, 1) }, holdMs)
  add(0)
  await Promise.resolve()
  for (let i = 0; i < 5000; i++) add(0)
  while (frames.length < 3) {
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  // 256 KiB or 4,096 readings are the most of one frame.
  t.is(frames[0], 1)
  t.is(
    frames.reduce((sum, leaves) => sum + leaves, 0),
    5001,
  )
  t.true(frames.every((leaves) => leaves <= 4096))

  add(30)
  await new Promise((resolve) => setImmediate(resolve))
  t.is(waiting.length, 0, 'it is held')
  while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  waiting.shift()?.()
})

test('where the disk fails, everyone who waits hears of it, and nothing more is taken', async (t) => {
  let isFull = false
  const { writer, broken, stream } = await writerOn(async () => {
    if (isFull) throw new Error('no space left on device')
  })
  const outcomes: string[] = []
  const add = (holdMs = 0) =>
    writer.add(
      {
        stream,
        leaf: readingLeaf(1, 1),
        committed: () => outcomes.push('committed'),
        failed: ({ code }) => outcomes.push(code),
      },
      holdMs,
    )
  add()
  await writer.flush()
  isFull = true
  add()
  for (let i = 0; i < 3; i++) add(60_000)
  await t.throwsAsync(writer.flush(), { instanceOf: KedgeError, message: /no space left/ })
  add()
  t.deepEqual(outcomes, ['committed', ...new Array(5).fill('STORE_FAILED')])
  t.is(broken.length, 1)
  await t.throwsAsync(writer.flush(), { instanceOf: KedgeError })
  const made = () => ({ kind: 'seal', body: new Uint8Array(), sync: true }) as const
  await t.throwsAsync(writer.row(made), { instanceOf: KedgeError })
  t.is(stream.size, 1)
})

test('who reads while batches are sealed misses nothing', async (t) => {
  await using scratch = await scratchFolder()
  await using journal = await openTestJournal(scratch.path, { mayCreate: true })
  const probe = testStreams(journal).open('probe')
  let isOver = false
  const sealing = (async () => {
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 20; k++) journal.add({ stream: probe, leaf: readingLeaf(i, k) })
      await journal.flush()
      await sealNow(journal)
    }
    isOver = true
  })()
  while (!isOver) {
    const { size } = probe
    let next = 0
    for await (const { index, leaf } of journal.reader.leaves(probe.number, 0, size)) {
      if (index !== next++ || leaf === null) return t.fail(`${index} of ${size}`)
    }
    t.is(next, size)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await sealing
})

test('a stream whose last leaf is on its way while a batch is sealed ends in the next one', async (t) => {
  await using scratch = await scratchFolder()
  await using journal = await openTestJournal(scratch.path, { mayCreate: true })
  const streams = testStreams(journal)
  const probe = streams.open('probe')
  journal.add({ stream: probe, leaf: readingLeaf(1, 1) })
  await journal.flush()
  const sealed = sealNow(journal)
  streams.close(probe)
  await sealed
  await journal.flush()
  t.is((await sealNow(journal)).count, 1)
  t.false(journal.streams.has(probe.number))
  t.is((await journal.reader.stream(probe.number))?.size, 2)
})

test('a stream is known once its opening is on the disk, and not before', async (t) => {
  await using scratch = await scratchFolder()
  await using journal = await openTestJournal(scratch.path, { mayCreate: true })
  const streams = testStreams(journal)
  await journal.flush()
  const descriptor = encodeDescriptor({
    ...streams.control.descriptor,
    number: 1,
    source: 'probe',
    kinds: null,
  })
  journal.addStream(descriptor)
  const known = async () => {
    const names = []
    for await (const { descriptor: of } of journal.reader.streams()) names.push(of.source)
    return names
  }
  t.deepEqual(await known(), ['control'])
  const record = { type: 'stream', time: timeAt(0), descriptor } as const
  journal.add({ stream: streams.control, leaf: plainLeaf(record) })
  await journal.flush()
  t.deepEqual(await known(), ['control', 'probe'])
})

/** A store of many batches; where their seals lie. */
async function sealedStore(path: string, acknowledged: Acknowledged) {
  await using journal = await openTestJournal(path, { mayCreate: true })
  const streams = testStreams(journal)
  const add = addTo(journal, acknowledged)
  const rows: number[] = []
  const headers: Uint8Array[] = []
  for (let batch = 0; batch < 30; batch++) {
    for (let i = 0; i < 25; i++) add(streams.open(`probe-${i % 2}`), readingLeaf(i, batch))
    await journal.flush()
    await sealNow(journal)
    headers.push((await journal.reader.seal(batch)).header)
  }
  for await (const { number, kind } of journal.rows()) if (kind === 'seal') rows.push(number)
  return { rows, leaves: headers.map((header) => statementLeaf(hash, header)) }
}

/** Takes a row out of a store, as if it had never been. */
async function takeAway(folder: string, row: number): Promise<void> {
  const db = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view' })
  await db.open()
  await db.del(keyOf(row))
  await db.close()
}

for (const hasIndex of [true, false]) {
  test(`a seal that is gone with its copy is stood in for by the next one${hasIndex ? '' : ', and by the frames'}`, async (t) => {
    await using scratch = await scratchFolder()
    const acknowledged: Acknowledged = new Map()
    const { rows, leaves } = await sealedStore(scratch.path, acknowledged)
    for (const store of ['journal', 'copies']) {
      await takeAway(join(scratch.path, store), rows[15] as number)
    }
    if (!hasIndex) await rm(join(scratch.path, 'index'), { recursive: true })

    await using journal = await openTestJournal(scratch.path)
    t.is(journal.size, 30)
    t.deepEqual(Buffer.from(journal.historyRoot), Buffer.from(treeRoot(leaves)))
    t.deepEqual(journal.opened.damage, [])
    t.like(await account(journal, acknowledged), { lost: 0, damaged: 0 })
    const { reader } = journal
    for (const size of [15, 16, 17, 30]) {
      const root = Buffer.from(await reader.historyRootAt(size))
      t.deepEqual(root, Buffer.from(treeRoot(leaves.slice(0, size))), `${size}`)
      for (const seq of [0, 14, 15, 16, size - 1].filter((of) => of < size)) {
        const path = Buffer.from(await inclusionPath(hash, reader.historyNodes, seq, size))
        t.deepEqual(path, Buffer.concat(goldenPath(leaves.slice(0, size), seq)))
      }
    }
    // And every complete node of a stream's tree, those that the lost seal kept as well.
    const whole = reader.nodesOf(1)
    const again = await whole(0, 256)
    t.is(again.length, 32)
    for (let low = 128; low < 256; low += 16) t.is((await whole(low, low + 16)).length, 32)
    await sealNow(journal)
    t.deepEqual((await journal.scrub()).damage, [])
  })
}

test('where the newest seal is gone with its copy the journal says so, and does not seal another in its place', async (t) => {
  await using scratch = await scratchFolder()
  const acknowledged: Acknowledged = new Map()
  const { rows } = await sealedStore(scratch.path, acknowledged)
  for (const store of ['journal', 'copies']) {
    await takeAway(join(scratch.path, store), rows.at(-1) as number)
  }
  const refused = await t.throwsAsync(openTestJournal(scratch.path), {
    instanceOf: KedgeError,
    code: 'STORE_DAMAGED',
  })
  t.regex(refused?.hint ?? '', /new-incarnation/)

  // That new life begins with what can still be read.
  await using journal = await openTestJournal(scratch.path, { evenIfBroken: true })
  t.is(journal.opened.broken.length, 1)
  t.like(await account(journal, acknowledged), { lost: 0, damaged: 0 })
  await t.throwsAsync(sealNow(journal), { instanceOf: KedgeError, code: 'STORE_DAMAGED' })
})

test('a store of another gateway is not opened', async (t) => {
  await using scratch = await scratchFolder()
  await sealedStore(scratch.path, new Map())
  const identity = { gateway: new Uint8Array(32), incarnation: 0, hashId: 1 } as const
  await t.throwsAsync(openTestJournal(scratch.path, { identity }), { code: 'STORE_DAMAGED' })
})
