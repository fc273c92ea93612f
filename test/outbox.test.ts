import test from 'ava'
import type { Outcome } from '../anchor-client/ledgers/ledger.ts'
import { newBell } from '../gateway/anchoring/pace.ts'
import { signal } from './helpers/ledger-under-test.ts'
import {
  anchorAll,
  anchoredSizes,
  openStore,
  quickPace,
  sendsOf,
  troubles,
  watchSends,
} from './helpers/outbox.ts'
import { newBox } from './helpers/outbox-box.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { changed, slowChain, unknown } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'

test('checkpoints are anchored as they are signed, each proved, each told once', async (t) => {
  await using box = await newBox()
  const { events, end } = await anchorAll(box, [4, 9, 10])
  t.is(end, 'stopped')
  t.deepEqual(anchoredSizes(events), [3, 4, 9, 10])
  t.deepEqual(troubles(events), [])
  await isAtRest(t, box.ledger, box.store, box.history, 10)
  t.deepEqual(sendsOf(box.path), { count: 4, wrong: [] })
})

test('after an outage the newest checkpoint catches up in one transaction', async (t) => {
  await using box = await newBox()
  await anchorAll(box)
  let silent = 20
  const session = changed(box.session, {
    async head(...asked) {
      silent -= 1
      if (silent <= 0) return box.ledger.head(...asked)
      box.history.sign(box.history.size() + 5)
      return unknown
    },
  })
  box.history.sign(4)
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(anchoredSizes(events), [99])
  t.deepEqual(troubles(events), ['unknown', 'over'], 'told once, not at every retry')
  await isAtRest(t, box.ledger, box.store, box.history, 99)
  t.is(sendsOf(box.path).count, 2)
})

test('while nobody answers the same bytes are sent again, and none beside them', async (t) => {
  await using box = await newBox()
  let silent = 6
  const lost = watchSends(changed(box.ledger, { send: async () => unknown }), box.path)
  const session = changed(box.session, {
    async send(prepared, until) {
      silent -= 1
      if (silent <= 0) return box.session.send(prepared, until)
      // Signed meanwhile, which is no reason to prepare another.
      box.history.sign(box.history.size() + 1)
      return lost.send(prepared, until)
    },
  })
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(anchoredSizes(events), [3, 8])
  t.deepEqual(sendsOf(box.path), { count: 2, wrong: [] })
  await isAtRest(t, box.ledger, box.store, box.history, 8)
})

test('an answer that is lost after the ledger took the bytes is asked for again', async (t) => {
  await using box = await newBox()
  const outcomes: string[] = []
  let lost = 3
  const session = changed(box.session, {
    async send(prepared, until) {
      const outcome = await box.session.send(prepared, until)
      outcomes.push(outcome.state)
      lost -= 1
      return lost > 0 ? unknown : outcome
    },
  })
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(outcomes, ['final', 'final', 'final'])
  t.deepEqual(anchoredSizes(events), [3])
  t.deepEqual(sendsOf(box.path), { count: 1, wrong: [] })
  await isAtRest(t, box.ledger, box.store, box.history, 3)
})

for (const reorganises of [false, true]) {
  const title = reorganises
    ? 'a block that is lost again takes its anchor with it: the same bytes are sent once more'
    : 'what is in a block and not yet final is waited for'
  test(title, async (t) => {
    await using box = await newBox()
    const chain = slowChain({ reorganises })
    const states: string[] = []
    const store = {
      ...box.store,
      async putFlight(...[ledgerId, flight]: Parameters<typeof box.store.putFlight>) {
        states.push(flight?.state ?? 'none')
        await box.store.putFlight(ledgerId, flight)
      },
    }
    const { events } = await anchorAll({ ...box, store, session: chain.over(box.session) })
    t.deepEqual(anchoredSizes(events), [3])
    t.deepEqual(sendsOf(box.path), { count: 1, wrong: [] })
    t.is(chain.seen.includes('unknown'), reorganises)
    const back = reorganises ? ['sent', 'included'] : []
    t.deepEqual(states, ['planned', 'prepared', 'sent', 'included', ...back])
    await isAtRest(t, box.ledger, box.store, box.history, 3)
  })
}

test('bytes that can no longer land are looked for, and only then signed anew', async (t) => {
  await using box = await newBox()
  const calls: string[] = []
  let lapses = 2
  const session = changed(box.ledger, {
    async find(...asked) {
      calls.push('find')
      return box.ledger.find(...asked)
    },
    async prepare(...asked) {
      calls.push('prepare')
      return box.ledger.prepare(...asked)
    },
    async send(prepared, until): Promise<Outcome> {
      calls.push('send')
      lapses -= 1
      if (lapses >= 0) return { state: 'lapsed', why: 'its block limit has passed' }
      return box.ledger.send(prepared, until)
    },
  })
  await anchorAll({ ...box, session })
  const round = ['prepare', 'send', 'find']
  t.deepEqual(calls, [...round, ...round, 'prepare', 'send'])
  await isAtRest(t, box.ledger, box.store, box.history, 3)
})

test('what seems lapsed and is there all the same is final, and not sent again', async (t) => {
  await using box = await newBox()
  const session = changed(box.session, {
    async send(prepared, until): Promise<Outcome> {
      await box.session.send(prepared, until)
      return { state: 'lapsed', why: 'this nonce is spent' }
    },
  })
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(anchoredSizes(events), [3])
  t.is(sendsOf(box.path).count, 1)
  await isAtRest(t, box.ledger, box.store, box.history, 3)
})

test('a larger anchor of our own history covers ours, and is fetched', async (t) => {
  await using box = await newBox()
  await anchorAll(box)
  // Another process of this gateway, with a store of its own, is faster.
  await using other = await scratchFolder()
  await using otherStore = await openStore(other.path, box.history)
  const session = changed(box.session, {
    async send(prepared, until) {
      await anchorAll({ history: box.history, session: box.ledger, store: otherStore }, [8])
      return box.session.send(prepared, until)
    },
  })
  box.history.sign(6)
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(anchoredSizes(events), [6, 8])
  await isAtRest(t, box.ledger, box.store, box.history, 8)
})

test('a gateway that nobody registered waits, and goes on at once when somebody has', async (t) => {
  await using box = await newBox()
  const bell = newBell()
  const { gateway, incarnation, hashId } = box.history
  const { key } = await box.history.signedAt(3)
  const session = changed(box.session, {
    registrar: null,
    async head(...asked) {
      const head = await box.ledger.head(...asked)
      if (head.state === 'absent') {
        await box.ledger.registrar.admit({ gateway, incarnation, hashId, key }, signal)
        bell.ring()
      }
      return head
    },
  })
  // Only the bell can end this pause within the test.
  const pace = { ...quickPace, slowMs: 3_600_000 }
  const { events } = await anchorAll({ ...box, session, bell, pace })
  t.deepEqual(troubles(events), ['unregistered', 'over'])
  t.deepEqual(anchoredSizes(events), [3])
  await isAtRest(t, box.ledger, box.store, box.history, 3)
})

test('bytes that a ledger refuses stay pending, and are taken after the registrar has acted', async (t) => {
  await using box = await newBox()
  let refusals = 3
  const session = changed(box.session, {
    async send(prepared, until): Promise<Outcome> {
      refusals -= 1
      if (refusals < 0) return box.session.send(prepared, until)
      return { state: 'refused', reason: 'not-permitted', why: 'this account may not write' }
    },
  })
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(troubles(events), ['not-permitted', 'over'])
  t.is(sendsOf(box.path).count, 1)
  await isAtRest(t, box.ledger, box.store, box.history, 3)
})

test('a refusal that holds for these bytes alone does not keep newer ones back', async (t) => {
  await using box = await newBox()
  const session = changed(box.session, {
    async send(prepared, until): Promise<Outcome> {
      const isFirst = box.history.size() === 3
      if (!isFirst) return box.session.send(prepared, until)
      box.history.sign(5)
      return { state: 'refused', reason: 'other-key', why: 'another key is registered' }
    },
  })
  const { events } = await anchorAll({ ...box, session })
  t.deepEqual(anchoredSizes(events), [5])
  await isAtRest(t, box.ledger, box.store, box.history, 5)
})
