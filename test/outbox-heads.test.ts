import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { rotationMessage } from '../anchor-client/evidence/seal.ts'
import type { LedgerSession } from '../anchor-client/ledgers/ledger.ts'
import { admit } from '../gateway/anchoring/admit.ts'
import type { AnchorStore } from '../gateway/anchoring/anchor-store.ts'
import { refusalOf } from '../gateway/anchoring/head-refusals.ts'
import { compareHeads, type HeadComparison } from '../gateway/anchoring/heads.ts'
import type { History } from '../gateway/anchoring/history.ts'
import { gatewayOf, secretOf } from './helpers/anchoring.ts'
import { signal } from './helpers/ledger-under-test.ts'
import { anchorAll, historyOf, openLedger, openStore } from './helpers/outbox.ts'
import { changed, unknown } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

/** A ledger that holds six batches of the usual gateway, and a store of its own that knows nothing of it. */
async function setUp() {
  const { path, ...folder } = await scratchFolder()
  const history = historyOf({ size: 6 })
  const session = await openLedger(path)
  const store = await openStore(path, history)
  await anchorAll({ history, session, store })
  const fresh = await openStore(join(path, 'fresh'), history)
  return {
    path,
    history,
    session,
    store,
    fresh,
    async [Symbol.asyncDispose]() {
      for (const one of [store, fresh, session, folder]) await one[Symbol.asyncDispose]()
    },
  }
}

async function compared(session: LedgerSession, history: History, store: AnchorStore) {
  const ledgers = [{ name: 'embedded', session }]
  const told = { ledgers, history, store, signal, silentSince: new Map(), monoMs: () => 0 }
  const [comparison] = await compareHeads(told)
  return comparison as HeadComparison
}

test('a ledger that holds what this store has sealed is no reason to wait', async (t) => {
  await using box = await setUp()
  const longer = historyOf({ size: 20 })
  for (const store of [box.store, box.fresh]) {
    const comparison = await compared(box.session, longer, store)
    t.deepEqual(comparison, { ledger: 'embedded', state: 'ours', size: 6, isFinal: true })
    t.is(refusalOf(comparison), null)
  }
})

test('a ledger that never heard of this gateway is no reason to wait, and may be told', async (t) => {
  await using box = await setUp()
  const stranger = historyOf({ secret: 'stranger', size: 2 })
  await using store = await openStore(join(box.path, 'other'), stranger)
  const comparison = await compared(box.session, stranger, store)
  t.deepEqual(comparison, { ledger: 'embedded', state: 'absent', mayAdmit: true })
  t.is(refusalOf(comparison), null)
  const { key } = await stranger.signedAt(2)
  for (let i = 0; i < 2; i++) {
    t.deepEqual(await admit(box.session, stranger, key, signal), { state: 'registered' })
  }
  t.like(await compared(box.session, stranger, store), { state: 'ours', size: 0 })
  const notOurs = changed(box.session, { registrar: null })
  t.deepEqual(await admit(notOurs, stranger, key, signal), { state: 'not-ours' })
})

test('a store that was restored from an older copy signs nothing, and says why', async (t) => {
  await using box = await setUp()
  const comparison = await compared(box.session, historyOf({ size: 4 }), box.fresh)
  t.deepEqual(comparison, { ledger: 'embedded', state: 'ahead', size: 6, ours: 4 })
  const refusal = refusalOf(comparison)
  t.is(refusal?.code, 'STORE_BEHIND')
  t.regex(refusal?.message ?? '', /holds 6 batches of this gateway, and this store only 4/)
  t.regex(refusal?.hint ?? '', /kedge init --new-incarnation/)
})

test('a journal restored beside a newer store of anchors is noticed while the ledger is silent', async (t) => {
  await using box = await setUp()
  const session = changed(box.session, { describe: async () => unknown, head: async () => unknown })
  const comparison = await compared(session, historyOf({ size: 4 }), box.store)
  t.deepEqual(comparison, { ledger: 'embedded', state: 'ahead', size: 6, ours: 4 })
  t.like(await compared(session, box.history, box.store), { state: 'unknown' })
})

test('two copies of a gateway that both went on are told apart from one that is behind', async (t) => {
  await using box = await setUp()
  for (const size of [6, 9]) {
    const comparison = await compared(box.session, historyOf({ size, forkedAt: 4 }), box.fresh)
    t.like(comparison, { state: 'other', size: 6 })
    t.like(refusalOf(comparison), { code: 'STORE_BEHIND' })
  }
  // Forked only after what is anchored: nobody can see that here.
  t.like(await compared(box.session, historyOf({ size: 9, forkedAt: 6 }), box.fresh), {
    state: 'ours',
  })
})

test('an incarnation that a newer one has closed signs nothing more', async (t) => {
  await using box = await setUp()
  const next = historyOf({ incarnation: 1, size: 1 })
  const { key } = await next.signedAt(1)
  t.deepEqual(await admit(box.session, next, key, signal), { state: 'registered' })
  const comparison = await compared(box.session, box.history, box.store)
  t.like(comparison, { state: 'closed', size: 6 })
  t.like(refusalOf(comparison), { code: 'STORE_BEHIND' })
  // The newer one has a history of its own, in the same store of anchors or another.
  await using store = await openStore(join(box.path, 'next'), next)
  t.like(await compared(box.session, next, store), { state: 'ours', size: 0 })
})

test('a fork that was shown, another key and another hash each have their own sentence', async (t) => {
  await using box = await setUp()
  const { gateway } = box.history
  const otherKey = historyOf({ secret: 'gateway', size: 6 })
  const rotated = signerOf(secretOf('next key'))
  const old = signerOf(secretOf('gateway'))
  const message = rotationMessage({ gateway, incarnation: 0 }, 6, rotated.publicKey)
  const rotation = {
    type: 'rotation',
    gateway,
    incarnation: 0,
    seq: 6,
    newKey: rotated.publicKey,
    oldSignature: old.sign(message),
    newSignature: rotated.sign(message),
  } as const
  const prepared = await box.session.prepare(rotation, signal)
  if (prepared.state !== 'prepared') return t.fail()
  t.is((await box.session.send(prepared, signal)).state, 'final')
  const other = await compared(box.session, otherKey, box.fresh)
  t.like(other, { state: 'other-key' })
  t.like(refusalOf(other), { code: 'NOT_SIGNED' })

  const hash = await compared(box.session, historyOf({ hashId: 2, size: 6 }), box.fresh)
  t.like(hash, { state: 'other-hash' })
  t.like(refusalOf(hash), { code: 'NOT_SIGNED' })

  await using scratch = await scratchFolder()
  await using session = await openLedger(scratch.path)
  const one = gatewayOf({ secret: secretOf('gateway') })
  await session.registrar.admit(one.admission, signal)
  const fork = await session.prepare(
    one.fork(3, gatewayOf({ secret: secretOf('gateway'), forkedAt: 1 })),
    signal,
  )
  if (fork.state !== 'prepared') return t.fail()
  t.is((await session.send(fork, signal)).state, 'final')
  await using store = await openStore(scratch.path, box.history)
  const frozen = await compared(session, box.history, store)
  t.like(frozen, { state: 'frozen' })
  t.like(refusalOf(frozen), { code: 'STORE_BEHIND' })
})

test('a silent ledger is waited for, and how long it has been silent is said', async (t) => {
  await using box = await setUp()
  const session = changed(box.session, { head: async () => unknown })
  const silentSince = new Map<string, number>()
  const { history, store } = box
  let now = 1000
  const told = { history, store, signal, silentSince, monoMs: () => now }
  const ask = async (one: LedgerSession) =>
    (await compareHeads({ ...told, ledgers: [{ name: 'embedded', session: one }] }))[0]
  t.like(await ask(session), { state: 'unknown', silentMs: 0 })
  now += 25 * 3_600_000
  const later = await ask(session)
  t.like(later, { state: 'unknown', silentMs: 25 * 3_600_000 })
  const refusal = later && refusalOf(later)
  t.is(refusal?.code, 'NOT_SIGNED')
  t.regex(refusal?.message ?? '', /for 1500 min|for 25 h/)
  t.like(await ask(box.session), { state: 'ours' })
  now += 5000
  t.like(await ask(session), { state: 'unknown', silentMs: 0 }, 'it has answered in between')
})

test('a ledger that throws, or is not the one that was pinned, is a fault and no outage', async (t) => {
  await using box = await setUp()
  const throwing = changed(box.session, {
    head: async () => {
      throw new Error('its files are gone')
    },
  })
  const fault = await compared(throwing, box.history, box.fresh)
  t.is(fault.state, 'fault')
  t.regex(refusalOf(fault)?.message ?? '', /its files are gone/)

  const identity = await box.session.describe(signal)
  if (identity.state === 'unknown') return t.fail()
  const ledgerId = new Uint8Array(32).fill(7)
  const other = changed(box.session, { describe: async () => ({ ...identity, ledgerId }) })
  t.like(refusalOf(await compared(other, box.history, box.store)), { code: 'LEDGER_MISMATCH' })
})

test('a cloned card is refused as soon as the first of the two has gone on', async (t) => {
  await using box = await setUp()
  await box.store[Symbol.asyncDispose]()
  await cp(join(box.path, 'anchors'), join(box.path, 'clone', 'anchors'), { recursive: true })
  const first = historyOf({ size: 8 })
  {
    await using store = await openStore(box.path, first, false)
    await anchorAll({ history: first, session: box.session, store })
  }
  const clone = historyOf({ size: 7, forkedAt: 6 })
  await using store = await openStore(join(box.path, 'clone'), clone, false)
  t.like(refusalOf(await compared(box.session, clone, store)), { code: 'STORE_BEHIND' })
})
