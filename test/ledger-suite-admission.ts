import type { LedgerRequest } from '../anchor-client/ledgers/ledger.ts'
import { ask, gatewayOf, secretOf } from './helpers/anchoring.ts'
import {
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
import { signerOf } from './helpers/signer.ts'

/** Who may anchor: registration, keys, incarnations, forks. */
export function admissionSuite(name: string, setUp: SetUp, traits: Traits): void {
  const on = onLedger(name, setUp)
  const usual = usualWith(traits)
  const [hashId] = traits.hashIds

  on(
    'a gateway that nobody registered, or an incarnation that nobody granted, is refused',
    async (t, session) => {
      const gateway = usual()
      isRefused(t, await ask(session, gateway.anchor(0, 4)), 'unregistered')
      t.deepEqual(await session.head(gateway.id, 0, signal), { state: 'absent' })
      await session.registrar.admit(gateway.admission, signal)
      const next = usual({ incarnation: 1 })
      isRefused(t, await ask(session, next.anchor(0, 4)), 'incarnation-unknown')
      isRefused(t, await ask(session, next.rotation(3, nextKey)), 'incarnation-unknown')
      t.deepEqual(await session.head(gateway.id, 1, signal), { state: 'absent' })
      // What was refused stays good: only the registrar was missing.
      isFinal(t, await session.registrar.admit(next.admission, signal))
      isFinal(t, await ask(session, next.anchor(0, 4)))
    },
  )

  on('a key is rotated when both keys ask for it, once', async (t, session) => {
    const gateway = usual()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const rotation = gateway.rotation(4, nextKey)
    const stranger = signerOf(secretOf('stranger'))
    const half: LedgerRequest[] = [
      { ...rotation, oldSignature: gateway.rotation(4, stranger).oldSignature },
      { ...rotation, newSignature: rotation.oldSignature },
      gateway.rotation(4, nextKey, stranger),
      gateway.rotation(4, nextKey, nextKey),
    ]
    for (const request of half) isRefused(t, await ask(session, request), 'signature')
    isRefused(t, await ask(session, gateway.rotation(4, gateway.key)), 'other-key')

    const first = isFinal(t, await ask(session, rotation))
    t.deepEqual(isFinal(t, await ask(session, rotation)), first)
    isRefused(t, await ask(session, gateway.anchor(4, 6)), 'other-key')
    isFinal(t, await ask(session, gateway.anchor(4, 6, nextKey)))
    // Signed by the old key before: the same pair, or covered by what the new one signed.
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    t.is((await ask(session, gateway.anchor(4, 5))).state, 'covered')

    isFinal(t, await ask(session, gateway.rotation(8, gateway.key, nextKey)))
    t.is((await ask(session, rotation)).state, 'lapsed', 'an old rotation is not replayed')
  })

  on(
    'a new incarnation begins by the registrar alone, and closes the one before',
    async (t, session, ledger) => {
      const gateway = usual()
      const next = gatewayOf({
        secret: secretOf('new box'),
        id: gateway.id,
        incarnation: 3,
        hashId,
      })
      await session.registrar.admit(gateway.admission, signal)
      isFinal(t, await ask(session, gateway.anchor(0, 4)))
      isFinal(t, await session.registrar.admit(next.admission, signal))
      t.like(await session.head(gateway.id, 0, signal), { size: 4, stands: 'closed' })
      t.like(await session.head(gateway.id, 3, signal), { size: 0, stands: 'open' })
      isRefused(t, await ask(session, gateway.anchor(4, 5)), 'incarnation-closed')
      isRefused(t, await ask(session, gateway.rotation(5, nextKey)), 'incarnation-closed')
      const earlier = usual({ incarnation: 2 }).admission
      isRefused(t, await session.registrar.admit(earlier, signal), 'incarnation-closed')
      const other = { ...next.admission, key: nextKey.publicKey }
      isRefused(t, await session.registrar.admit(other, signal), 'other-key')
      isFinal(t, await session.registrar.admit(gateway.admission, signal))

      await session[Symbol.asyncDispose]()
      await using again = await ledger.open()
      isFinal(t, await ask(again, next.anchor(0, 2)))
      isFinal(t, await ask(again, gateway.anchor(0, 4)))
      t.is((await again.prove(gateway.checkpoint(4), signal)).state, 'proved')
      t.deepEqual(await sizesOf(again, gateway.id, 0, 3), [2])
    },
  )

  on(
    'a fork that is shown stops the incarnation, and is recorded once',
    async (t, session, ledger) => {
      const gateway = usual()
      const clone = usual({ forkedAt: 3 })
      await session.registrar.admit(gateway.admission, signal)
      isFinal(t, await ask(session, gateway.anchor(0, 4)))
      const report = gateway.fork(5, clone)
      const [one, other] = report.forks
      const { signature } = clone.anchor(0, 6)
      isRefused(t, await ask(session, { ...report, forks: [one, one] }), 'malformed')
      isRefused(
        t,
        await ask(session, { ...report, forks: [one, { ...other, signature }] }),
        'signature',
      )
      isRefused(t, await ask(session, { ...report, key: nextKey.publicKey }), 'other-key')
      const otherHash = hashId === 1 ? 2 : 1
      isRefused(t, await ask(session, { ...report, hashId: otherHash }), 'other-hash')
      isFinal(t, await ask(session, gateway.anchor(4, 5)))

      const first = isFinal(t, await ask(session, report))
      t.deepEqual(isFinal(t, await ask(session, gateway.fork(7, clone))), first)
      isRefused(t, await ask(session, gateway.anchor(5, 6)), 'frozen')
      await session[Symbol.asyncDispose]()
      await using again = await ledger.open()
      t.like(await again.head(gateway.id, 0, signal), { size: 5, stands: 'frozen' })
      isRefused(t, await ask(again, gateway.anchor(5, 6)), 'frozen')
      isFinal(t, await again.registrar.admit(usual({ incarnation: 1 }).admission, signal))
    },
  )
}
