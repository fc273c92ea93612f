import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { fewAtOnce, readOneWire } from '../drivers/transports/one-wire.ts'
import { scratchFolder } from './helpers/scratch.ts'

const patient = () => new AbortController().signal
const limits = { longestMs: 60_000, longestWaitMs: 60_000 }

test('however many probes hang on a bus, two at most are read at once, so that the disk is not kept waiting', async (t) => {
  let [now, most] = [0, 0]
  const read = fewAtOnce(async (path) => {
    now += 1
    most = Math.max(most, now)
    await sleep(5)
    now -= 1
    if (Number(path) % 3 === 0) throw new Error('no answer')
    return Buffer.from(path)
  }, limits)
  const ends = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => read(String(i), patient())),
  )
  t.is(most, 2)
  t.is(ends.filter(({ status }) => status === 'fulfilled').length, 13)
  t.is(String(await read('1', patient())), '1', 'and whoever comes later has its turn')
})

/** Probes of which some do not come back until they are let go of; the others answer at once, or after `answerMs`. */
function bench({
  stuck,
  answerMs = 0,
  ...chosen
}: Partial<typeof limits> & {
  stuck: readonly string[]
  answerMs?: number
}) {
  const begun: string[] = []
  const back = new Map<string, () => void>()
  const read = fewAtOnce(
    async (path) => {
      begun.push(path)
      if (stuck.includes(path)) await new Promise<void>((resolve) => back.set(path, resolve))
      else await sleep(answerMs)
      return Buffer.from(path)
    },
    { ...limits, ...chosen },
  )
  return {
    read: async (path: string, signal = patient()) => String(await read(path, signal)),
    begun,
    letGo: (path: string) => back.get(path)?.(),
  }
}

test('a probe that never answers is not asked again, however often its driver is started, and the others are read', async (t) => {
  const { read, begun } = bench({ stuck: ['stuck'], longestMs: 50 })
  await t.throwsAsync(read('stuck'), { message: /nothing came of it/ })
  for (let i = 0; i < 3; i++) {
    await t.throwsAsync(read('stuck'), { message: /not come back/ })
    t.deepEqual(await Promise.all(['a', 'b', 'c'].map((path) => read(path))), ['a', 'b', 'c'])
  }
  t.is(begun.filter((path) => path === 'stuck').length, 1)
})

test('a probe that comes back after all is asked anew, and what it said so late is no reading', async (t) => {
  const { read, begun, letGo } = bench({ stuck: ['late'], longestMs: 50 })
  await t.throwsAsync(read('late'), { message: /nothing came of it/ })
  const again = read('late')
  letGo('late')
  await sleep(10)
  t.deepEqual(begun, ['late', 'late'])
  letGo('late')
  t.is(await again, 'late')
})

test('with two probes that never answer one can still be read at a time, and with three the disk has its thread', async (t) => {
  const { read, begun } = bench({ stuck: ['x', 'y', 'z'], longestMs: 50, longestWaitMs: 300 })
  await Promise.all(['x', 'y'].map((path) => t.throwsAsync(read(path))))
  t.deepEqual(await Promise.all(['a', 'b'].map((path) => read(path))), ['a', 'b'])
  await t.throwsAsync(read('z'))
  await t.throwsAsync(read('c'), { message: /others do not come back/ })
  t.deepEqual(begun, ['x', 'y', 'a', 'b', 'z'])
})

test('the wait behind other probes is not put down to the probe that waits', async (t) => {
  const { read } = bench({ stuck: [], answerMs: 80, longestMs: 400 })
  const all = Array.from({ length: 20 }, (_, i) => String(i))
  t.deepEqual(await Promise.all(all.map((path) => read(path))), all)
})

test('behind probes that never answer nobody waits for longer than it is told to', async (t) => {
  const { read } = bench({ stuck: ['x', 'y'] })
  for (const path of ['x', 'y']) read(path).catch(() => {})
  const stop = new AbortController()
  const behind = read('a', stop.signal)
  stop.abort(new Error('stopped'))
  await t.throwsAsync(behind, { message: 'stopped' })
})

test('what is no file of the kernel is not read', async (t) => {
  await using scratch = await scratchFolder()
  const { signal } = new AbortController()
  await t.throwsAsync(readOneWire(scratch.path, signal), { message: /no.* file/ })
  await t.throwsAsync(readOneWire(`${scratch.path}/none`, signal), { code: 'ENOENT' })
})
