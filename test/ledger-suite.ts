import { checkpointHead } from '../anchor-client/evidence/seal.ts'
import { ask } from './helpers/anchoring.ts'
import {
  bothHashes,
  isFinal,
  isRefused,
  nextKey,
  onLedger,
  type SetUp,
  signal,
  sizesOf,
  type Traits,
  usualWith,
} from './helpers/ledger-under-test.ts'
import { admissionSuite } from './ledger-suite-admission.ts'
import { outboxSuite } from './ledger-suite-outbox.ts'
import { proofSuite } from './ledger-suite-proofs.ts'

/** What every ledger must do. A new one is a test file that calls this. */
export function ledgerSuite(name: string, setUp: SetUp, traits: Traits = bothHashes): void {
  anchorSuite(name, setUp, traits)
  admissionSuite(name, setUp, traits)
  proofSuite(name, setUp, traits)
  outboxSuite(name, setUp, traits)
}

/** What a ledger takes of a gateway that is registered. */
function anchorSuite(name: string, setUp: SetUp, traits: Traits): void {
  const on = onLedger(name, setUp)
  const usual = usualWith(traits)

  for (const hashId of traits.hashIds) {
    on(
      `a history hashed by hash id ${hashId} is anchored step by step, and caught up in one`,
      async (t, session) => {
        const gateway = usual({ hashId })
        isFinal(t, await session.registrar.admit(gateway.admission, signal))
        const sizes = [1, 2, 3, 7, 8, 100, 1000]
        for (const [i, size] of sizes.entries()) {
          isFinal(t, await ask(session, gateway.anchor(sizes[i - 1] ?? 0, size)))
          const head = await session.head(gateway.id, 0, signal)
          t.like(head, { state: 'registered', size, hashId, stands: 'open' })
          if (head.state === 'registered')
            t.deepEqual(head.head, checkpointHead(gateway.checkpoint(size)))
        }
        t.deepEqual(await sizesOf(session, gateway.id, 0), sizes)
        t.deepEqual(await sizesOf(session, gateway.id, 8), [8, 100, 1000])
      },
    )
  }

  on(
    'the same bytes again change nothing and have the same answer, also after a restart',
    async (t, session, ledger) => {
      const gateway = usual()
      await session.registrar.admit(gateway.admission, signal)
      const prepared = await session.prepare(gateway.anchor(0, 5), signal)
      if (prepared.state !== 'prepared') return t.fail()
      t.is((await session.status(prepared, signal)).state, 'unknown')
      const first = isFinal(t, await ask(session, gateway.anchor(0, 5)))
      const proof = await session.prove(gateway.checkpoint(5), signal)
      t.is(proof.state, 'proved')

      await session[Symbol.asyncDispose]()
      await using again = await ledger.open()
      t.deepEqual(isFinal(t, await again.status(prepared, signal)), first)
      t.deepEqual(isFinal(t, await again.send(prepared, signal)), first)
      // Signed anew it has other bytes, and is still the same pair.
      t.deepEqual(isFinal(t, await ask(again, gateway.anchor(0, 5))), first)
      isFinal(t, await ask(again, gateway.anchor(5, 6)))
      t.deepEqual(isFinal(t, await again.send(prepared, signal)), first)
      t.deepEqual(await again.prove(gateway.checkpoint(5), signal), proof)
      t.deepEqual(
        await again.registrar.admit(gateway.admission, signal),
        await again.registrar.admit(gateway.admission, signal),
      )
    },
  )

  on('a smaller size is covered, which is no conflict', async (t, session) => {
    const gateway = usual()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    isFinal(t, await ask(session, gateway.anchor(4, 9)))
    const outcome = await ask(session, gateway.anchor(4, 6))
    t.is(outcome.state === 'covered' && outcome.by.size, 9)
    const found = await session.find(gateway.id, 0, 6, signal)
    t.is(found.state === 'covered' && found.by.size, 9)
    const exact = await session.find(gateway.id, 0, 9, signal)
    t.deepEqual(
      exact.state === 'final' && exact.anchored.head,
      checkpointHead(gateway.checkpoint(9)),
    )
    t.is((await session.find(gateway.id, 0, 10, signal)).state, 'absent')
    t.is((await session.find(gateway.id, 1, 9, signal)).state, 'absent')
    t.is((await session.prove(gateway.checkpoint(6), signal)).state, 'absent')
  })

  on('another history of an anchored size is a conflict for ever', async (t, session, ledger) => {
    const gateway = usual()
    const clone = usual({ forkedAt: 3 })
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const held = {
      state: 'conflict',
      size: 4,
      head: checkpointHead(gateway.checkpoint(4)),
    } as const
    t.deepEqual(await ask(session, clone.anchor(0, 4)), held)
    // A clone that goes on says by what it builds on that it is another history.
    t.deepEqual(await ask(session, clone.anchor(4, 5)), held)
    await session[Symbol.asyncDispose]()
    await using again = await ledger.open()
    t.deepEqual(await ask(again, clone.anchor(0, 4)), held)
    t.deepEqual(await sizesOf(again, gateway.id, 0), [4])
  })

  on('only a history that is shown to go on is taken', async (t, session) => {
    const gateway = usual()
    const clone = usual({ forkedAt: 3 })
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const right = gateway.anchor(4, 7)
    const { consistency } = right
    const bent = Uint8Array.from(consistency, (byte, i) => (i === 5 ? byte ^ 1 : byte))
    const wrong = [
      { ...right, consistency: bent },
      { ...right, consistency: consistency.subarray(32) },
      { ...right, consistency: consistency.subarray(1) },
      { ...right, consistency: new Uint8Array(32 * 60) },
      { ...clone.anchor(4, 7), oldRoot: right.oldRoot },
    ]
    for (const request of wrong) isRefused(t, await ask(session, request), 'no-extension')
    t.deepEqual(await sizesOf(session, gateway.id, 0), [4])
    isFinal(t, await ask(session, right))
  })

  on(
    'what was prepared on a head that has passed lapses, and prepared anew it lands',
    async (t, session) => {
      const gateway = usual()
      await session.registrar.admit(gateway.admission, signal)
      const late = gateway.anchor(0, 9)
      isFinal(t, await ask(session, gateway.anchor(0, 4)))
      t.is((await ask(session, late)).state, 'lapsed')
      isFinal(t, await ask(session, gateway.anchor(4, 9)))
    },
  )

  on('a checkpoint that the registered key did not sign is refused', async (t, session) => {
    const gateway = usual()
    await session.registrar.admit(gateway.admission, signal)
    const right = gateway.anchor(0, 4)
    const { signature } = gateway.anchor(0, 5)
    const isBent = {
      ...right,
      signature: Uint8Array.from(right.signature, (b, i) => b ^ +(i === 9)),
    }
    isRefused(t, await ask(session, { ...right, signature }), 'signature')
    isRefused(t, await ask(session, isBent), 'signature')
    isRefused(t, await ask(session, { ...right, signature: new Uint8Array(64) }), 'signature')
    isRefused(t, await ask(session, gateway.anchor(0, 4, nextKey)), 'other-key')
    isRefused(t, await ask(session, { ...right, key: new Uint8Array(65) }), 'other-key')
    isRefused(t, await ask(session, { ...right, size: 0 }), 'malformed')
    const otherHash = right.hashId === 1 ? 2 : 1
    isRefused(t, await ask(session, { ...right, hashId: otherHash }), 'other-hash')
    t.deepEqual(await sizesOf(session, gateway.id, 0), [])
    t.is((await session.prove(gateway.checkpoint(4), signal)).state, 'absent')
  })

  on('of two that ask at once for the next size one is taken', async (t, session) => {
    const gateway = usual()
    const clone = usual({ forkedAt: 3 })
    await session.registrar.admit(gateway.admission, signal)
    const outcomes = await Promise.all([
      ask(session, gateway.anchor(0, 4)),
      ask(session, clone.anchor(0, 4)),
    ])
    t.deepEqual(outcomes.map(({ state }) => state).sort(), ['conflict', 'final'])
    t.deepEqual(await sizesOf(session, gateway.id, 0), [4])
  })
}
