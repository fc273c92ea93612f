import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { signal } from './helpers/ledger-under-test.ts'
import {
  anchorAll,
  anchoredSizes,
  anchorsOf,
  historyOf,
  openLedger,
  openStore,
  troubles,
} from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { anchored, meddle, onItsWay, sizes } from './helpers/outbox-damage.ts'
import { changed } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'

test('a flipped bit in any record of an anchor is noticed, named, and mended from the ledger', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history, identity } = await anchored(path)
  const { ledgerId } = identity
  let signedAnew = 0
  for (let bit = 0; bit < 60; bit++) {
    const which = bit % sizes.length
    await meddle(path, 3, async (db, key, value, i) => {
      if (i !== which) return
      const flipped = Uint8Array.from(value)
      const at = (bit * 37) % flipped.length
      flipped[at] = (flipped[at] as number) ^ (1 << (bit % 8))
      await db.put(key, flipped)
    })
    await using session = await openLedger(path)
    await using store = await openStore(path, history, false)
    const covering = await store.firstCovering(ledgerId, sizes[which] ?? 0)
    t.is(covering?.size ?? null, sizes[which + 1] ?? null, 'the next one is as good')
    const { events } = await anchorAll({ history, session, store })
    const [notice] = events
    const told = notice?.event === 'anchor-trouble' ? notice : undefined
    t.is(told?.state, 'damaged')
    t.is(told?.why, `the anchor of ${sizes[which]} headers is damaged in the store`)
    await isAtRest(t, session, store, history, 12)
    signedAnew += 1
  }
  t.is(signedAnew, 60)
})

test('anchors that are gone without a trace are noticed and brought back', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history, identity } = await anchored(path)
  for (const gone of [[0], [2], [4], [1, 2], [0, 1, 2, 3, 4]]) {
    await meddle(path, 3, async (db, key, _, i) => {
      if (gone.includes(i)) await db.del(key)
    })
    await using session = await openLedger(path)
    await using store = await openStore(path, history, false)
    const { end } = await anchorAll({ history, session, store })
    t.is(end, 'stopped')
    await isAtRest(t, session, store, history, 12, `${gone}`)
    t.is((await store.firstCovering(identity.ledgerId, 1))?.size, 3)
  }
})

test('a store that is gone is filled again from the ledger, proofs and all', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history } = await anchored(path)
  await rm(join(path, 'anchors'), { recursive: true })
  await t.throwsAsync(openStore(path, history, false), { code: 'STORE_MISSING' })
  await using session = await openLedger(path)
  await using store = await openStore(path, history)
  const { events } = await anchorAll({ history, session, store })
  t.deepEqual(anchoredSizes(events), sizes)
  await isAtRest(t, session, store, history, 12)
})

test('an older copy of the store, with something still on its way, catches up with the ledger', async (t) => {
  for (const isDamaged of [false, true]) {
    await using scratch = await scratchFolder()
    const { path } = scratch
    const history = historyOf({ size: 3 })
    await onItsWay(path, history)
    await cp(join(path, 'anchors'), join(path, 'copy'), { recursive: true })
    {
      await using session = await openLedger(path)
      await using store = await openStore(path, history, false)
      await anchorAll({ history, session, store }, [5, 8])
    }
    await rm(join(path, 'anchors'), { recursive: true })
    await cp(join(path, 'copy'), join(path, 'anchors'), { recursive: true })
    if (isDamaged) {
      const rows = await meddle(path, 2, (db, key, value) =>
        db.put(
          key,
          Uint8Array.from(value, (byte, i) => (i === 20 ? byte ^ 1 : byte)),
        ),
      )
      t.is(rows, 1)
    }
    await using session = await openLedger(path)
    await using store = await openStore(path, history, false)
    history.sign(9)
    const { events } = await anchorAll({ history, session, store })
    t.deepEqual(troubles(events), isDamaged ? ['damaged', 'over'] : [])
    t.is(anchoredSizes(events).at(-1), 9)
    await isAtRest(t, session, store, history, 9)
  }
})

test('a ledger that forgot what it took is told of, and given the newest again', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const history = historyOf({ size: 3 })
  {
    await using session = await openLedger(path)
    await using store = await openStore(path, history)
    await anchorAll({ history, session, store })
  }
  await cp(join(path, 'ledger'), join(path, 'copy'), { recursive: true })
  {
    await using session = await openLedger(path)
    await using store = await openStore(path, history, false)
    await anchorAll({ history, session, store }, [5, 8])
  }
  await rm(join(path, 'ledger'), { recursive: true })
  await cp(join(path, 'copy'), join(path, 'ledger'), { recursive: true })
  await using session = await openLedger(path)
  await using store = await openStore(path, history, false)
  const { events } = await anchorAll({ history, session, store })
  t.deepEqual(troubles(events), ['forgot', 'over'])
  t.deepEqual(anchoredSizes(events), [8])
  t.like(await session.head(history.gateway, 0, signal), { size: 8 })
  t.deepEqual(
    (await anchorsOf(store)).map(({ size, after }) => [size, after]),
    [
      [3, 0],
      [5, 3],
      [8, 3],
    ],
  )
})
test('while damage cannot be mended, what is new is anchored all the same', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history } = await anchored(path)
  await meddle(path, 3, async (db, key, _, i) => {
    if (i === 1) await db.del(key)
  })
  await using session = await openLedger(path)
  await using store = await openStore(path, history, false)
  const calls: string[] = []
  const halfSilent = changed(session, {
    send(...asked) {
      calls.push('send')
      return session.send(...asked)
    },
    iterate(...asked) {
      // It answers this only after something newer was sent.
      calls.push('iterate')
      if (!calls.includes('send')) throw new KedgeError('LEDGER_UNREACHABLE', 'the line is cut')
      return session.iterate(...asked)
    },
  })
  const { events } = await anchorAll({ history, session: halfSilent, store }, [15])
  t.deepEqual(anchoredSizes(events), [15])
  t.deepEqual(calls.slice(0, 2), ['iterate', 'send'])
  await isAtRest(t, session, store, history, 15)
})

test('an anchor of a size that the journal itself has lost does not keep the others from coming back', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history } = await anchored(path)
  await rm(join(path, 'anchors'), { recursive: true })
  await using session = await openLedger(path)
  await using store = await openStore(path, history)
  const torn = {
    ...history,
    async rootAt(size: number) {
      if (size === 9) throw new KedgeError('STORE_DAMAGED', 'batch 8 is damaged')
      return history.rootAt(size)
    },
    async signedAt(size: number) {
      await torn.rootAt(size)
      return history.signedAt(size)
    },
  }
  await anchorAll({ history: torn, session, store })
  t.deepEqual(
    (await anchorsOf(store)).map(({ size }) => size),
    sizes.filter((size) => size !== 9),
  )
})
