import test from 'ava'
import { evm } from '../anchor-client/ledgers/evm.ts'
import type { Outcome } from '../anchor-client/ledgers/ledger.ts'
import { ask } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  evmUnderTest,
  hex,
  landed,
  ownedSession,
  prepare,
  startChain,
  whyOf,
} from './helpers/evm-ledger.ts'
import { isFinal, signal, sizesOf, usual } from './helpers/ledger-under-test.ts'

const gateway = usual({ hashId: 2 })
const clone = usual({ hashId: 2, forkedAt: 3 })

const placeOf = (outcome: Outcome) => ('place' in outcome ? outcome.place : undefined)

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  // What happens here moves the chain under everybody's feet: each has a chain of its own.
  test.serial('an anchor is final only under as many blocks as are asked for', async (t) => {
    await using own = await startChain()
    await using ledger = await evmUnderTest(own, { confirmations: 3 })
    await using session = await connected(own, ledger)
    const prepared = await prepare(session, gateway.anchor(0, 3))
    const outcome = await landed(session, prepared)
    t.is(outcome.state, 'known')
    const place = placeOf(outcome)
    t.truthy(place)
    t.like(await session.head(gateway.id, 0, signal), { size: 3, isFinal: false })
    t.is((await session.find(gateway.id, 0, 3, signal)).state, 'absent')
    t.is((await session.prove(gateway.checkpoint(3), signal)).state, 'unknown')
    t.like(await session.prepare(gateway.anchor(0, 3), signal), { state: 'known', place })
    await own.rpc('anvil_mine', '0x2')
    t.is((await session.status(prepared, signal)).state, 'known')
    await own.rpc('anvil_mine', '0x1')
    t.deepEqual(await session.status(prepared, signal), { state: 'final', place })
    t.is((await session.prove(gateway.checkpoint(3), signal)).state, 'proved')
  })

  test.serial(
    'an anchor that a reorganisation removes is sent again, the same bytes',
    async (t) => {
      await using own = await startChain()
      await using ledger = await evmUnderTest(own, { confirmations: 3 })
      await using session = await connected(own, ledger)
      const prepared = await prepare(session, gateway.anchor(0, 3))
      const first = placeOf(await landed(session, prepared))
      await own.rpc('anvil_mine', '0x1')
      await own.rpc('anvil_reorg', 2, [])
      t.is((await session.status(prepared, signal)).state, 'unknown')
      t.like(await session.head(gateway.id, 0, signal), { size: 0 })
      const again = await landed(session, prepared)
      t.is(again.state, 'known')
      t.notDeepEqual(placeOf(again)?.hash, first?.hash)
      await own.rpc('anvil_mine', '0x3')
      t.deepEqual(await session.status(prepared, signal), { state: 'final', place: placeOf(again) })
    },
  )

  test.serial(
    'after a reorganisation that brings in another history the conflict waits until it is final',
    async (t) => {
      await using own = await startChain()
      await using ledger = await evmUnderTest(own, { confirmations: 3 })
      await using session = await connected(own, ledger)
      const [ours, theirs] = [
        await prepare(session, gateway.anchor(0, 4)),
        await session.prepare(clone.anchor(0, 4), signal),
      ]
      if (theirs.state !== 'prepared') return t.fail(whyOf(theirs))
      t.is((await landed(session, ours)).state, 'known')
      await own.rpc('anvil_mine', '0x1')
      await own.rpc('anvil_reorg', 2, [[hex(theirs.bytes), 0]])
      const open = await session.status(ours, signal)
      t.is(open.state, 'unknown', whyOf(open))
      await own.rpc('anvil_mine', '0x3')
      t.like(await session.status(ours, signal), { state: 'conflict', size: 4 })
      t.like(await session.send(ours, signal), { state: 'conflict', size: 4 })
      t.is((await session.status(theirs, signal)).state, 'final')
    },
  )

  test.serial('a chain that lost final blocks is told of, and anchored on again', async (t) => {
    await using own = await startChain()
    await using ledger = await evmUnderTest(own)
    await using session = await connected(own, ledger)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    isFinal(t, await ask(session, gateway.anchor(3, 5)))
    await own.rpc('anvil_rollback', 1)
    const setBack = await session.head(gateway.id, 0, signal)
    t.regex(whyOf(setBack), /shows final blocks up to \d+, and \d+ was final before/)
    t.like(await session.health(signal), { isWell: false })
    await own.rpc('anvil_mine', '0x1')
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const health = await session.health(signal)
    t.regex(health.notes.join(), /block \d+ was final, and is another one now/)
    isFinal(t, await ask(session, gateway.anchor(3, 7)))
    t.deepEqual(await sizesOf(session, gateway.id, 0), [3, 7])
  })

  test.serial('a chain that stands still shows in its health', async (t) => {
    await using own = await startChain()
    await using ledger = await evmUnderTest(own)
    let now = Date.now()
    await using session = await evm.connect(ledger.options(), ledger.host({ nowMs: () => now }))
    t.true((await session.health(signal)).isWell)
    now += 3_600_000
    const health = await session.health(signal)
    t.false(health.isWell)
    t.regex(health.notes.join(), /stands still: the newest block \d+ of .* is 36\d\d s old/)
  })

  /** With the gateway registered for good. */
  async function connected(
    own: Awaited<ReturnType<typeof startChain>>,
    ledger: Awaited<ReturnType<typeof evmUnderTest>>,
  ) {
    const session = ownedSession(await evm.connect(ledger.options(), ledger.host()))
    const admitted = session.registrar.admit(gateway.admission, signal)
    const miner = setInterval(() => void own.rpc('anvil_mine', '0x1').catch(() => null), 50)
    await admitted.finally(() => clearInterval(miner))
    await own.rpc('anvil_mine', '0x1')
    return session
  }
}
