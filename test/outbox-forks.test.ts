import test from 'ava'
import {
  anchorAll,
  anchoredSizes,
  anchorsOf,
  historyOf,
  openStore,
  troubles,
} from './helpers/outbox.ts'
import { newBox } from './helpers/outbox-box.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { changed, unknown } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'

test('an anchor is final before its proof is to be had, and the proof comes later', async (t) => {
  await using box = await newBox()
  let silent = 9
  const pending: number[] = []
  const session = changed(box.session, {
    async prove(checkpoint, until) {
      silent -= 1
      if (silent <= 0) return box.ledger.prove(checkpoint, until)
      for (const { size, proof } of await anchorsOf(box.store)) if (!proof) pending.push(size)
      return unknown
    },
  })
  const { events } = await anchorAll({ ...box, session }, [4, 6])
  t.deepEqual(anchoredSizes(events), [3, 4, 6])
  t.true(pending.includes(3) && pending.includes(4))
  await isAtRest(t, box.ledger, box.store, box.history, 6)
})

test('a proof that would not convince a verifier is not kept', async (t) => {
  await using box = await newBox()
  await anchorAll(box)
  let wrong = 4
  const session = changed(box.session, {
    async prove(checkpoint, until) {
      wrong -= 1
      const root = await box.history.rootAt(3)
      const told = wrong > 0 ? { ...checkpoint, size: 3, root } : checkpoint
      return box.ledger.prove(told, until)
    },
  })
  const { events } = await anchorAll({ ...box, session }, [5])
  t.deepEqual(anchoredSizes(events), [5])
  t.deepEqual(troubles(events), ['unproved', 'over'])
  await isAtRest(t, box.ledger, box.store, box.history, 5)
})

test('another history of this gateway stops anchoring for good, and is told', async (t) => {
  await using box = await newBox(6)
  await anchorAll(box)
  const calls: string[] = []
  for (const [clone, told] of [
    [historyOf({ size: 7, forkedAt: 4 }), 'other'],
    [historyOf({ size: 5 }), 'ahead'],
  ] as const) {
    await using other = await scratchFolder()
    await using store = await openStore(other.path, clone)
    const session = changed(box.ledger, {
      async send(...asked) {
        calls.push('send')
        return box.ledger.send(...asked)
      },
    })
    const { end, events } = await anchorAll({ history: clone, session, store })
    t.is(end, told)
    t.deepEqual(troubles(events), [told])
  }
  t.deepEqual(calls, [], 'nothing was sent')
})

test('a fork that the ledger notices first is told, and never asked again', async (t) => {
  await using box = await newBox(3)
  await anchorAll(box)
  const clone = historyOf({ size: 3, forkedAt: 4 })
  let sends = 0
  const session = changed(box.ledger, {
    async send(...asked) {
      sends += 1
      // The other one goes on between our look at its head and our bytes.
      box.history.sign(6)
      await anchorAll({ history: box.history, session: box.ledger, store: box.store })
      return box.ledger.send(...asked)
    },
  })
  await using other = await scratchFolder()
  await using store = await openStore(other.path, clone)
  const { end, events } = await anchorAll({ history: clone, session, store }, [6])
  t.is(end, 'conflict')
  t.deepEqual(troubles(events), ['conflict'])
  t.deepEqual(anchoredSizes(events), [3])
  t.is(sends, 1)
})
