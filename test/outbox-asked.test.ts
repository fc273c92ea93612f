import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { asked } from '../gateway/anchoring/asked.ts'
import { backoffMs, firstOf, newBell, pause, usualPace } from '../gateway/anchoring/pace.ts'
import { signal } from './helpers/ledger-under-test.ts'

const never = () => new Promise<never>(() => undefined)

test('an outage is an answer, a fault is one of another kind, and our own disk is neither', async (t) => {
  const throwing = (error: unknown) => asked(signal, () => Promise.reject(error))
  const outage = new KedgeError('LEDGER_UNREACHABLE', 'the line is cut')
  t.deepEqual(await throwing(outage), { state: 'unknown', why: 'the line is cut' })
  t.like(await throwing(new KedgeError('LEDGER_DAMAGED', 'torn')), { state: 'fault', why: 'torn' })
  t.like(await throwing('nothing'), { state: 'fault', why: 'nothing' })
  await t.throwsAsync(throwing(new KedgeError('STORE_FAILED', 'full')), { code: 'STORE_FAILED' })
})

test('a ledger that never answers is an outage, and keeps nobody from stopping', async (t) => {
  t.like(await asked(signal, never, 5), { state: 'unknown' })
  const stop = new AbortController()
  const asking = asked(stop.signal, never)
  stop.abort(new Error('the gateway stops'))
  await t.throwsAsync(asking, { message: 'the gateway stops' })
})

test('pauses grow to a limit, and no two gateways wait equally long', (t) => {
  const pace = { ...usualPace, random: () => 1 }
  const waits = [0, 1, 2, 8, 9, 400].map((attempt) => backoffMs(pace, attempt, pace.mostMs))
  t.deepEqual(waits, [1000, 2000, 4000, 256_000, 300_000, 300_000])
  t.is(backoffMs({ ...pace, random: () => 0 }, 2, pace.mostMs), 2000)
})

test('a bell wakes all who listen, and what rang before they listened as well', async (t) => {
  const bell = newBell()
  const heard = bell.rings
  const listening = [bell.wait(heard, signal), bell.wait(heard, signal)]
  bell.ring()
  await Promise.all(listening)
  await bell.wait(heard, signal)
  const stop = new AbortController()
  const waiting = bell.wait(bell.rings, stop.signal)
  stop.abort()
  await waiting
  t.is(bell.rings, 1)
})

test('the first thing that happens ends a pause, and tells the others to stop', async (t) => {
  const bell = newBell()
  let isTold = false
  const waits = [
    pause(3_600_000),
    (until: AbortSignal) => bell.wait(0, until),
    (until: AbortSignal) =>
      new Promise<void>((resolve) => {
        until.addEventListener('abort', () => {
          isTold = true
          resolve()
        })
      }),
  ]
  const waiting = firstOf(signal, waits)
  bell.ring()
  await waiting
  t.true(isTold)
  await t.throwsAsync(firstOf(signal, [() => Promise.reject(new Error('a fault'))]), {
    message: 'a fault',
  })
})
