/** Streams come and go for years: what is over takes no place and no memory. */
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import type { Time } from '../anchor-client/evidence/model.ts'
import { keyId } from '../anchor-client/evidence/sm2.ts'
import { openJournal } from '../gateway/journal/journal.ts'
import type { Clock } from '../gateway/recording/clock.ts'
import { openEpochs } from '../gateway/recording/epochs.ts'
import { openGaps } from '../gateway/recording/gaps.ts'
import { openRecorder } from '../gateway/recording/recorder.ts'
import { openStreams, type StreamPlan } from '../gateway/recording/streams.ts'
import { secretOf } from './helpers/anchoring.ts'
import { until } from './helpers/gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

const gateway = keyId(signerOf(secretOf('streams')).publicKey)

async function openLife(folder: string) {
  const journal = await openJournal({
    ...{ folder: join(folder, 'journal'), indexFolder: join(folder, 'index'), mayCreate: true },
    identity: { gateway, incarnation: 0, hashId: 1 },
    nowMs: () => null,
    onCommitted() {},
    onBroken() {},
  })
  const time: Time = { boot: 0, monoMs: 1000, wallMs: null, clock: 0, boundMs: null }
  const clock = { now: () => time } as Clock
  const epochs = openEpochs(join(folder, 'epochs'), journal.nextStreamNumber)
  const gaps = openGaps(journal)
  const streams = openStreams(journal, clock, epochs, gaps)
  const recorder = openRecorder(journal, streams, clock, epochs, gaps)
  const close = (stream: ReturnType<typeof streams.open>) =>
    streams.close(stream, { type: 'close', time, members: null })
  const seal = async () => {
    await journal.flush()
    await journal.seal(() => {
      return { wallMs: null, boundMs: null, beacon: null, previous: null, rotation: null }
    })
  }
  return { journal, streams, recorder, close, seal }
}

const planOf = (source: string): StreamPlan => {
  const promise = { type: 'events', ms: 60_000 } as const
  return { source, kinds: null, promise, isPrivate: false, isDevice: true }
}

test('a stream that is closed makes place for another one at once, and 1024 that are open are all', async (t) => {
  await using folder = await scratchFolder()
  const { journal, streams, close, seal } = await openLife(folder.path)
  await using _ = journal
  for (let i = 0; i < 1500; i++) close(streams.open(planOf('door')))
  for (let i = 1; i < 1024; i++) streams.open(planOf(`door-${i}`))
  t.throws(() => streams.open(planOf('window')), { code: 'STORE_FULL' })
  await seal()
  t.is(journal.streams.size, 1024)
})

test('a stream that is over is forgotten once it is sealed', async (t) => {
  await using folder = await scratchFolder()
  const { journal, streams, recorder, close, seal } = await openLife(folder.path)
  await using _ = journal
  const lived = (i: number): WeakRef<object> => {
    const stream = streams.openNew(planOf(`shipment/dock/${i}`))
    recorder.record(stream, { kind: 'tag', value: 'aa' }, { holdMs: 0 })
    recorder.heard(stream)
    recorder.blame(stream, 'absent')
    close(stream)
    return new WeakRef(stream)
  }
  const over = Array.from({ length: 50 }, (_, i) => lived(i))
  await seal()
  // What was written last may still be at hand.
  recorder.record(streams.open(planOf('door')), { kind: 'contact', value: true }, { holdMs: 0 })
  await seal()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const isForgotten = until(() => {
    collect()
    return over.every((stream) => stream.deref() === undefined)
  }, 'the end of what is over')
  await t.notThrowsAsync(isForgotten)
})
