import { join } from 'node:path'
import test from 'ava'
import type { Promised, Time } from '../anchor-client/evidence/model.ts'
import { checkpointMessage } from '../anchor-client/evidence/seal.ts'
import { keyId } from '../anchor-client/evidence/sm2.ts'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { openAnchorStore } from '../gateway/anchoring/anchor-store.ts'
import { openJournal } from '../gateway/journal/journal.ts'
import { makeEvidence } from '../gateway/proving/evidence.ts'
import { type Clock, openClock } from '../gateway/recording/clock.ts'
import { openEpochs } from '../gateway/recording/epochs.ts'
import { openGaps } from '../gateway/recording/gaps.ts'
import { openRecorder } from '../gateway/recording/recorder.ts'
import { openStreams, type StreamPlan } from '../gateway/recording/streams.ts'
import { type Random, randomFrom } from './fuzz/random.ts'
import { secretOf } from './helpers/anchoring.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

const key = signerOf(secretOf('recording'))
const identity = { gateway: keyId(key.publicKey), incarnation: 0, hashId: 1 } as const
const startMs = Date.UTC(2026, 5, 1)

/** Machines that are switched off, clocks that are set, probes that are pulled: all as the seed has it. */
async function madeUpLife(folder: string, random: Random) {
  const plans = Array.from({ length: 24 }, (_, i): StreamPlan => {
    return {
      source: `source-${i}`,
      kinds: ['temperature'],
      promise: promiseOf(random, i),
      isPrivate: i % 6 === 5,
      isDevice: i % 2 === 0,
    }
  })
  const counters = new Map<string, number>()
  let time: Time = { boot: 0, monoMs: 1000, wallMs: null, clock: 0, boundMs: null }
  const advance = (ms: number) => {
    const wallMs = time.wallMs === null ? null : time.wallMs + ms
    time = { ...time, monoMs: time.monoMs + ms, wallMs }
  }
  const clock = { now: () => time, unixMs: () => time.wallMs } as Clock
  const open = async () => {
    const journal = await openJournal({
      folder: join(folder, 'journal'),
      indexFolder: join(folder, 'index'),
      identity,
      mayCreate: true,
      nowMs: () => null,
      onCommitted() {},
      onBroken() {},
    })
    const epochs = openEpochs(join(folder, 'epochs'), journal.nextStreamNumber)
    const gaps = openGaps(journal)
    const streams = openStreams(journal, clock, epochs, gaps)
    const recorder = openRecorder(journal, streams, clock, epochs, gaps)
    return { journal, epochs, streams, recorder }
  }
  let life = await open()
  const seal = () =>
    life.journal.seal(() => {
      return { wallMs: null, boundMs: null, beacon: null, previous: null, rotation: null }
    })

  for (let step = 0; step < 700; step++) {
    advance(random.below(random.oneOf([50, 500, 500, 500, 9000, 90_000])))
    const plan = random.oneOf(plans)
    const stream = life.streams.open(plan)
    const chance = random.below(100)
    if (chance < 70) {
      const skipped = random.below(8) === 0 ? random.below(5) : 0
      const counter = ((counters.get(plan.source) ?? 0) + 1 + skipped) % 256
      counters.set(plan.source, counter)
      const isCounting = plan.promise?.type === 'counter'
      const taken = { kind: 'temperature', value: [step, -1] as const, unit: 'Cel' }
      life.recorder.record(stream, { ...taken, ...(isCounting && { counter }) }, { holdMs: 0 })
    } else if (chance < 78) life.recorder.watch()
    else if (chance < 84) life.recorder.heard(stream)
    else if (chance < 88) life.recorder.blame(stream, random.oneOf(['absent', 'refused']))
    else if (chance < 92) {
      // A receiver sets the clock, a little off or days away.
      const wallMs = startMs + time.monoMs + random.below(random.oneOf([10, 5000, 500_000_000]))
      time = { ...time, wallMs, clock: 3, boundMs: random.below(2000) }
    } else if (chance < 97) {
      await life.journal.flush()
      await seal()
    } else {
      await life.journal.flush()
      await life.journal[Symbol.asyncDispose]()
      // Sometimes the program alone was started anew, sometimes the machine.
      if (random.below(2) === 0) {
        const wallMs = random.below(2) === 0 ? null : time.wallMs
        time = { boot: time.boot + 1, monoMs: random.below(5000), wallMs, clock: 0, boundMs: null }
      }
      life = await open()
    }
  }
  await life.journal.flush()
  await seal()
  return life
}

function promiseOf(random: Random, i: number): Promised {
  const ms = random.oneOf([1000, 10_000, 60_000])
  const kinds: readonly Promised[] = [
    { type: 'period', ms, toleranceMs: random.below(2 * ms) },
    { type: 'events', ms },
    // A pseudonym's leaves state no counter of their own, so that its stream promises events.
    i % 6 === 5 ? { type: 'events', ms } : { type: 'counter', modulus: 256, ms },
    null,
  ]
  return random.oneOf(kinds)
}

for (const seed of [1, 2, 3, 4]) {
  test(`whatever happens to devices, clocks and machines, every silence is on record (${seed})`, async (t) => {
    await using folder = await scratchFolder()
    const { journal, epochs } = await madeUpLife(folder.path, randomFrom(seed))
    await using _ = journal
    await using anchors = await openAnchorStore(join(folder.path, 'anchors'), identity, true)
    const { reader, size, historyRoot: root } = journal
    const signature = key.sign(checkpointMessage({ ...identity, size, root }))
    const newest = () => ({ size, root, key: key.publicKey, signature })
    let streams = 0
    for await (const stream of reader.streams()) {
      const bytes = await makeEvidence(
        { identity, reader, epochs, anchors, newest },
        [{ stream, spans: [{ from: 0, to: stream.size }] }],
        { isUnanchored: true, seals: 'last', fields: null },
      )
      const { lines } = verifyEvidence(bytes, null, { expect: [], maxLagMs: null })
      const failed = lines.filter(({ result }) => result === 'FAIL')
      const complete = lines.at(-1)
      const said = `${stream.descriptor.source} ${JSON.stringify(stream.descriptor.promise)}`
      t.deepEqual(failed, [], said)
      t.is(complete?.result, 'PASS', `${said}: ${complete?.reason}`)
      streams += 1
    }
    t.true(streams > 20)
  })
}

test('a clock that was never set claims no error bound, and the year 1970 is no time at all', (t) => {
  const clock = openClock(0, { id: new Uint8Array(16), uptimeMs: () => 5000 }, 0)
  const { clock: source, boundMs, monoMs } = clock.now()
  t.is(boundMs, source === 0 ? null : boundMs)
  t.true(monoMs >= 5000)
  t.false(clock.set({ unixMs: 1000, boundMs: 1 }), 'a receiver that lost its week is not believed')
})

test('a receiver sets the clock, its error grows until it is heard again, and time never runs back', (t) => {
  const clock = openClock(3, { id: new Uint8Array(16), uptimeMs: () => 5000 }, 9000)
  t.true(clock.now().monoMs >= 9000, 'what is on record is not passed by')
  const unixMs = Date.UTC(2026, 6, 1)
  t.true(clock.set({ unixMs, boundMs: 50 }))
  const { boot, wallMs, clock: source, boundMs } = clock.now()
  t.is(boot, 3)
  t.is(source, 3)
  t.true(Math.abs((wallMs ?? 0) - unixMs) < 5000)
  t.true((boundMs ?? 0) >= 50)
  t.false(clock.set({ unixMs: unixMs + 5, boundMs: 5000 }), 'a vaguer one is not taken')
  t.true(clock.set({ unixMs: unixMs + 86_400_000, boundMs: 50 }), 'one that contradicts is')
})
