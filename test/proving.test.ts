import { join } from 'node:path'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decodeEvidence } from '../anchor-client/evidence/file.ts'
import type { LeafRecord, Report } from '../anchor-client/evidence/model.ts'
import { checkpointMessage } from '../anchor-client/evidence/seal.ts'
import { keyId } from '../anchor-client/evidence/sm2.ts'
import { encodeDescriptor } from '../anchor-client/evidence/stream.ts'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { openAnchorStore } from '../gateway/anchoring/anchor-store.ts'
import { type Journal, openJournal } from '../gateway/journal/journal.ts'
import type { KnownStream } from '../gateway/journal/journal-reader.ts'
import type { StreamState } from '../gateway/journal/stream-state.ts'
import { type EvidenceOptions, makeEvidence } from '../gateway/proving/evidence.ts'
import { byTime, type Span } from '../gateway/proving/find.ts'
import { openEpochs } from '../gateway/recording/epochs.ts'
import { plainLeaf } from '../gateway/recording/plain-leaf.ts'
import { secretOf } from './helpers/anchoring.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

const key = signerOf(secretOf('proving'))
const gateway = keyId(key.publicKey)
const identity = { gateway, incarnation: 0, hashId: 1 } as const
const begunMs = Date.UTC(2026, 5, 1)
const hourMs = 3_600_000

/** Four days of a journal, a batch each hour: a probe with a reading each ten minutes, and one of now and then. */
async function fourDays(folder: string) {
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    indexFolder: join(folder, 'index'),
    identity,
    mayCreate: true,
    nowMs: () => begunMs,
    onCommitted() {},
    onBroken() {},
  })
  const open = (source: string, ms: number): StreamState =>
    journal.addStream(
      encodeDescriptor({
        ...identity,
        number: journal.nextStreamNumber,
        source,
        kinds: source === 'control' ? [] : ['temperature'],
        erasable: false,
        promise: source === 'control' ? null : { type: 'period', ms, toleranceMs: ms },
        predecessor: null,
      }),
    )
  const [control, probe, other] = [
    open('control', 1),
    open('probe', 600_000),
    open('other', 5 * hourMs),
  ]
  const time = (ms: number) => {
    return { boot: 0, monoMs: ms, wallMs: begunMs + ms, clock: 3, boundMs: 10 } as const
  }
  const add = (stream: StreamState, record: LeafRecord) =>
    journal.add({ stream, leaf: plainLeaf(record) })
  const read = (stream: StreamState, ms: number) =>
    add(stream, {
      type: 'reading',
      kind: 'temperature',
      value: [ms, -3],
      unit: 'Cel',
      quality: null,
      raw: null,
      counter: null,
      time: time(ms),
      source: null,
      details: null,
    })
  for (const stream of [control, probe, other]) {
    add(control, { type: 'stream', time: time(0), descriptor: stream.descriptorBytes })
  }
  for (let hour = 0; hour < 96; hour++) {
    for (let minute = 0; minute < 60; minute += 10) read(probe, hour * hourMs + minute * 60_000)
    if (hour % 5 === 0) read(other, hour * hourMs)
    await journal.flush()
    const wallMs = begunMs + (hour + 1) * hourMs
    await journal.seal(() => ({
      wallMs,
      boundMs: 10,
      beacon: null,
      previous: null,
      rotation: null,
    }))
  }
  return { journal, epochs: openEpochs(join(folder, 'epochs'), journal.nextStreamNumber) }
}

/** As signed now, without any ledger. */
const headOf = ({ size, historyRoot: root }: Journal) => {
  const signature = key.sign(checkpointMessage({ ...identity, size, root }))
  return { size, root, key: key.publicKey, signature }
}

async function sourcesIn(folder: string) {
  const { journal, epochs } = await fourDays(folder)
  const anchors = await openAnchorStore(join(folder, 'anchors'), identity, true)
  const { reader } = journal
  const sources = { identity, reader, epochs, anchors, newest: () => headOf(journal) }
  const streams: KnownStream[] = []
  for await (const stream of reader.streams()) streams.push(stream)
  return {
    sources,
    named: (name: string) =>
      streams.find(({ descriptor }) => descriptor.source === name) as KnownStream,
    async [Symbol.asyncDispose]() {
      await journal[Symbol.asyncDispose]()
      await anchors[Symbol.asyncDispose]()
    },
  }
}

const options: EvidenceOptions = { isUnanchored: true, seals: 'last', fields: null }

const judged = (bytes: Uint8Array): Report =>
  verifyEvidence(bytes, null, { expect: [], maxLagMs: null })

/** All that can be said without trust and without an anchor. */
const lettersOf = ({ lines }: Report) => lines.map(({ result }) => result[0]).join('')
const allWell = 'PPPPPPPPNNNNNNNP'

test('every stretch of a stream can be proved, wherever it begins and ends', async (t) => {
  await using folder = await scratchFolder()
  await using made = await sourcesIn(folder.path)
  const probe = made.named('probe')
  t.is(probe.size, 576)
  const spans: Span[] = [
    { from: 0, to: 1 },
    { from: 575, to: 576 },
    { from: 0, to: 576 },
    { from: 5, to: 6 },
    { from: 6, to: 12 },
    { from: 15, to: 17 },
    { from: 255, to: 257 },
    ...Array.from({ length: 40 }, (_, i) => ({
      from: (i * 89) % 500,
      to: ((i * 89) % 500) + 1 + i,
    })),
  ]
  for (const span of spans) {
    for (const seals of ['last', 'day', 'hour'] as const) {
      const bytes = await makeEvidence(made.sources, [{ stream: probe, spans: [span] }], {
        ...options,
        seals,
      })
      t.is(lettersOf(judged(bytes)), allWell, `${span.from} to ${span.to}, ${seals}`)
    }
  }
})

test('a long stretch carries a seal a day, and never more than a file may hold', async (t) => {
  await using folder = await scratchFolder()
  await using made = await sourcesIn(folder.path)
  const wanted = [{ stream: made.named('probe'), spans: [{ from: 0, to: 576 }] }]
  const sealsBy = async (seals: EvidenceOptions['seals']) =>
    decodeEvidence(await makeEvidence(made.sources, wanted, { ...options, seals })).seals.length
  t.is(await sealsBy('last'), 1)
  t.is(await sealsBy('day'), 4)
  t.is(await sealsBy('hour'), 64)
})

test('several streams, several stretches of each, one file', async (t) => {
  await using folder = await scratchFolder()
  await using made = await sourcesIn(folder.path)
  const wanted = [
    {
      stream: made.named('probe'),
      spans: [
        { from: 3, to: 9 },
        { from: 40, to: 90 },
        { from: 91, to: 92 },
      ],
    },
    { stream: made.named('other'), spans: [{ from: 1, to: 15 }] },
    { stream: made.named('control'), spans: [{ from: 0, to: 3 }] },
  ]
  for (const seals of ['last', 'day', 'hour'] as const) {
    const bytes = await makeEvidence(made.sources, wanted, { ...options, seals })
    t.is(lettersOf(judged(bytes)), allWell)
    t.is(decodeEvidence(bytes).ranges.length, 5)
  }
})

test('a time is covered with one neighbour on each side, so that nothing can lie between', async (t) => {
  await using folder = await scratchFolder()
  await using made = await sourcesIn(folder.path)
  const { reader, epochs } = made.sources
  const probe = made.named('probe')
  const from = begunMs + 30 * hourMs + 20
  const to = begunMs + 40 * hourMs - 20
  const span = await byTime(reader, epochs, probe, from, to)
  t.deepEqual(span, { from: 180, to: 241 })
  const bytes = await makeEvidence(
    made.sources,
    [{ stream: probe, spans: [span as Span] }],
    options,
  )
  const questions = { expect: [{ stream: 'probe', by: 'time', from, to } as const], maxLagMs: null }
  t.is(lettersOf(verifyEvidence(bytes, null, questions)), allWell)
  const narrower = {
    expect: [{ stream: 'probe', by: 'time', from, to: to + hourMs } as const],
    maxLagMs: null,
  }
  t.is(lettersOf(verifyEvidence(bytes, null, narrower)), 'PPPPPPPPNNNNNNNF')
})

test('what is not sealed, and what nobody has signed, is told apart', async (t) => {
  await using folder = await scratchFolder()
  await using made = await sourcesIn(folder.path)
  const probe = made.named('probe')
  const wanted = [{ stream: probe, spans: [{ from: 0, to: 1 }] }]
  const codeOf = async (sources: typeof made.sources, of: EvidenceOptions) => {
    const error = await t.throwsAsync(makeEvidence(sources, wanted, of), { instanceOf: KedgeError })
    return (error as KedgeError).code
  }
  t.is(await codeOf(made.sources, { ...options, isUnanchored: false }), 'NOT_ANCHORED')
  const unsigned = { ...made.sources, newest: () => null } as unknown as typeof made.sources
  t.is(await codeOf(unsigned, options), 'NOT_SIGNED')
})
