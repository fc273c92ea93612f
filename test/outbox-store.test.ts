import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Level } from 'level'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import type { LedgerIdentity } from '../anchor-client/ledgers/ledger.ts'
import { getAnchors, listAnchors, retryAnchors } from '../gateway/anchoring/anchor-rows.ts'
import { newBell } from '../gateway/anchoring/pace.ts'
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
import { changed, unknown } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'

const sizes = [3, 4, 9, 10, 12]

/** A ledger and a store that agree on `sizes`, both closed again. */
async function anchored(path: string) {
  const history = historyOf()
  await using session = await openLedger(path)
  await using store = await openStore(path, history)
  await anchorAll({ history, session, store }, sizes)
  const identity = await session.describe(signal)
  if (identity.state === 'unknown') throw new Error(identity.why)
  return { history, identity }
}

const rawRows = (path: string) =>
  new Level<Uint8Array, Uint8Array>(join(path, 'anchors'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })

/** Changes rows behind the store's back: pins are kind 1, what is on its way 2, anchors 3. */
async function meddle(
  path: string,
  kind: number,
  change: (
    db: Level<Uint8Array, Uint8Array>,
    key: Uint8Array,
    value: Uint8Array,
    i: number,
  ) => Promise<void>,
) {
  const db = rawRows(path)
  await db.open()
  const entries = await db.iterator({ gte: Uint8Array.of(kind), lt: Uint8Array.of(kind + 1) }).all()
  for (const [i, [key, value]] of entries.entries()) await change(db, key, value, i)
  await db.close()
  return entries.length
}

test('the anchor that a reading needs is the first that covers it', async (t) => {
  await using scratch = await scratchFolder()
  const { history, identity } = await anchored(scratch.path)
  await using store = await openStore(scratch.path, history, false)
  const { ledgerId } = identity
  for (let size = 1; size <= 13; size++) {
    const expected = sizes.find((one) => one >= size) ?? null
    t.is((await store.firstCovering(ledgerId, size))?.size ?? null, expected)
  }
  t.is((await store.newest(ledgerId))?.size, 12)
  t.deepEqual(
    (await anchorsOf(store)).map(({ size }) => size),
    sizes,
  )
  t.is(
    await store.firstCovering(
      ledgerId.map((byte) => byte ^ 1),
      1,
    ),
    null,
    'another ledger',
  )
  t.is(store.amiss(ledgerId), null)
})

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

/** Prepared and sent, and nothing heard since. */
async function onItsWay(path: string, history: ReturnType<typeof historyOf>) {
  const stop = new AbortController()
  await using session = await openLedger(path)
  await using store = await openStore(path, history)
  const lost = changed(session, {
    async send() {
      stop.abort()
      return unknown
    },
  })
  await anchorAll({ history, session: lost, store, stop })
}

test('what is on its way is listed before what is final, each with its ledger, root and block', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history, identity } = await anchored(path)
  history.sign(14)
  await onItsWay(path, history)
  await using store = await openStore(path, history, false)
  const rows: unknown[] = []
  for await (const row of listAnchors(store)) rows.push(row)
  t.is(rows.length, sizes.length + 1)
  const root = bytesToHex(await history.rootAt(14))
  t.like(rows[0], { ledger: 'embedded', size: 14, root, state: 'sent', block: null, at: null })
  t.like(rows[1], {
    size: 12,
    state: 'final',
    block: 5,
    at: '2026-03-01T00:00:00.000Z',
    cost: null,
  })
  t.like(rows[1], { proof: true, id: null })
  t.deepEqual(
    (await getAnchors(store, 5)).map(({ size }) => size),
    [9],
  )
  await t.throwsAsync(getAnchors(store, 14), { code: 'NOT_ANCHORED' })
  await t.throwsAsync(getAnchors(store, 1, 'evm'), { code: 'NOT_FOUND' })

  const bell = newBell()
  const [pending, ...none] = await retryAnchors(store, new Map([['embedded', bell]]))
  t.like(pending, { size: 14, state: 'sent' })
  t.deepEqual(none, [])
  await bell.wait(signal)
  t.is(store.pins()[0]?.pin, JSON.stringify(identity.pin))
})

test('an entry keeps its ledger: another one in its place is refused, a new order is not', async (t) => {
  await using scratch = await scratchFolder()
  const history = historyOf()
  const identity = (byte: number): LedgerIdentity => ({
    state: 'described',
    ledgerId: new Uint8Array(32).fill(byte),
    pin: { kind: 'witness' },
    hashIds: [1, 2],
    finality: 'at once',
  })
  {
    await using store = await openStore(scratch.path, history)
    t.is(store.pinned('embedded'), undefined)
    await store.pin('embedded', identity(1))
    await store.pin('embedded', identity(1))
    await t.throwsAsync(store.pin('embedded', identity(2)), { code: 'LEDGER_MISMATCH' })
    await store.pin('embedded-2', identity(2))
    await store.pin('embedded', identity(2))
    await store.pin('embedded-2', identity(1))
  }
  await using store = await openStore(scratch.path, history, false)
  t.like(store.pinned('embedded'), { ledgerId: new Uint8Array(32).fill(2) })
  await t.throwsAsync(store.pin('embedded', identity(3)), { code: 'LEDGER_MISMATCH' })
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
