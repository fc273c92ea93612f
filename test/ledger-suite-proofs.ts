import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { proofKinds } from '../anchor-client/evidence/proofs/index.ts'
import { checkpointHead } from '../anchor-client/evidence/seal.ts'
import { parseTrust } from '../anchor-client/evidence/trust.ts'
import { ask } from './helpers/anchoring.ts'
import {
  isFinal,
  onLedger,
  pinsFor,
  type SetUp,
  signal,
  type Traits,
  usualWith,
} from './helpers/ledger-under-test.ts'

/** Who a ledger is, and what it hands out for the evidence. */
export function proofSuite(name: string, setUp: SetUp, traits: Traits): void {
  const on = onLedger(name, setUp)
  const usual = usualWith(traits)

  on(
    'it says who it is, the same each time, in words that a trust file takes',
    async (t, session) => {
      const identity = await session.describe(signal)
      if (identity.state === 'unknown') return t.fail(identity.why)
      t.deepEqual(await session.describe(signal), identity)
      const ledgers = [{ ...identity.pin, independent: true }]
      const gateways = [{ gateway: '00'.repeat(32), keys: [] }]
      const asOf = '2026-03-01T00:00:00Z'
      const trust = parseTrust(JSON.stringify({ asOf, gateways, ledgers, controllers: [] }))
      t.true(trust.ledgers.has(bytesToHex(identity.ledgerId)))
    },
  )

  on('what it proves is judged as this ledger holding just this checkpoint', async (t, session) => {
    const gateway = usual()
    await session.registrar.admit(gateway.admission, signal)
    const place = isFinal(t, await ask(session, gateway.anchor(0, 4)))
    isFinal(t, await ask(session, gateway.anchor(4, 7)))
    const proved = await session.prove(gateway.checkpoint(4), signal)
    const identity = await session.describe(signal)
    if (!place || proved.state !== 'proved' || identity.state === 'unknown') return t.fail()
    const pins = await pinsFor(session, place)
    const kind = proofKinds.find((one) => one.kind === proved.kind)
    t.like(kind?.judgeAnchor(proved.proof, gateway.checkpoint(4), pins), {
      holds: true,
      ledgerId: bytesToHex(identity.ledgerId),
      extensionsOnly: true,
    })
    const others = [gateway.checkpoint(7), usual({ forkedAt: 3 }).checkpoint(4)]
    for (const other of others)
      t.like(kind?.judgeAnchor(proved.proof, other, pins), { holds: false })
    t.is((await session.prove(usual({ forkedAt: 3 }).checkpoint(4), signal)).state, 'absent')
    t.is((await session.prove(usual({ incarnation: 1 }).checkpoint(4), signal)).state, 'absent')
  })

  on('a header may name its newest entry, and have it proved later', async (t, session) => {
    const gateway = usual()
    await session.registrar.admit(gateway.admission, signal)
    const beacon = await session.beacon(signal)
    if (beacon.state !== 'final') return t.fail(beacon.state)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const proved = await session.proveBeacon(beacon, signal)
    if (proved.state !== 'proved') return t.fail(proved.state)
    const kind = proofKinds.find((one) => one.kind === proved.kind)
    t.like(kind?.judgeBeacon(proved.proof, beacon), { holds: true })
    const hash = checkpointHead(gateway.checkpoint(4))
    t.is((await session.proveBeacon({ ...beacon, hash }, signal)).state, 'absent')
    t.is((await session.proveBeacon({ ...beacon, height: 2 ** 40 }, signal)).state, 'absent')
    t.is((await session.proveBeacon({ ...beacon, ledger: hash }, signal)).state, 'absent')
  })

  on('it is well, and says how far it is', async (t, session) => {
    const gateway = usual()
    await session.registrar.admit(gateway.admission, signal)
    const outcome = isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const health = await session.health(signal)
    t.true(health.isWell)
    t.true((health.height ?? -1) >= (outcome?.height ?? 0))
  })
}
