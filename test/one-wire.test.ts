import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { fewAtOnce, readOneWire } from '../drivers/transports/one-wire.ts'
import { scratchFolder } from './helpers/scratch.ts'

test('however many probes hang on a bus, two at most are read at once, so that the disk is not kept waiting', async (t) => {
  const inTurn = fewAtOnce(2)
  const patient = () => new AbortController().signal
  let [now, most] = [0, 0]
  const read = async (i: number) => {
    now += 1
    most = Math.max(most, now)
    await sleep(5)
    now -= 1
    if (i % 3 === 0) throw new Error('no answer')
    return i
  }
  const ends = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => inTurn(() => read(i), patient())),
  )
  t.is(most, 2)
  t.is(ends.filter(({ status }) => status === 'fulfilled').length, 13)
  t.is(await inTurn(() => read(1), patient()), 1, 'and whoever comes later has its turn')
})

test('behind a probe that never answers nobody waits for longer than it is told to', async (t) => {
  const inTurn = fewAtOnce(1)
  const stuck = inTurn(() => new Promise<never>(() => {}), new AbortController().signal)
  stuck.catch(() => {})
  const stop = new AbortController()
  const behind = inTurn(async () => 'read', stop.signal)
  stop.abort(new Error('stopped'))
  await t.throwsAsync(behind, { message: 'stopped' })
})

test('what is no file of the kernel is not read', async (t) => {
  await using scratch = await scratchFolder()
  const { signal } = new AbortController()
  await t.throwsAsync(readOneWire(scratch.path, signal), { message: /no.* file/ })
  await t.throwsAsync(readOneWire(`${scratch.path}/none`, signal), { code: 'ENOENT' })
})
