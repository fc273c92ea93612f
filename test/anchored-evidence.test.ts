import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { consistencyProof } from '../anchor-client/evidence/consistency.ts'
import { historyHash } from '../anchor-client/evidence/merkle.ts'
import type { Checkpoint } from '../anchor-client/evidence/seal.ts'
import { parseTrust } from '../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { openEmbedded } from '../anchor-client/ledgers/embedded.ts'
import { encode } from './golden/bytes.ts'
import { cut, fileBytes } from './golden/evidence.ts'
import { checkpoint, type History, headerLeaves, history } from './golden/history.ts'
import { key } from './golden/keys.ts'
import { at, celsius, minute } from './golden/records.ts'
import { gateway, stream } from './golden/streams.ts'
import { treeRoot } from './golden/tree.ts'
import { ask, secretOf } from './helpers/anchoring.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

const { signal } = new AbortController()
const witness = { ...signerOf(secretOf('witness')), nowMs: () => Date.UTC(2026, 2, 2) }

for (const hashId of [1, 2] as const) {
  test(`evidence with the embedded ledger's proof passes anchor and continuity (hash id ${hashId})`, async (t) => {
    await using scratch = await scratchFolder()
    await using session = await openEmbedded(scratch.path, { ...witness, isFirstUse: true })
    const of = gateway(key('anchored evidence'), 0, hashId)
    const readings = Array.from({ length: 12 }, (_, i) => celsius(400 + i, at(i * minute)))
    const promise = [2, minute, 1000]
    const probe = stream(of, { number: 1, source: 'cold-room/probe-1', promise }, readings)
    const sealed = history(
      of,
      [3, 6, 9, 12].map((size) => ({ at: size * minute, grown: [[probe, size]] })),
    )
    const first = signed(sealed, 1)
    const second = signed(sealed, 4)
    const { id, incarnation } = of
    const admission = { gateway: id, incarnation, hashId, key: of.key.publicKey }
    t.like(await session.registrar.admit(admission, signal), { state: 'final' })
    t.like(await ask(session, step(sealed, 0, first)), { state: 'final' })
    t.like(await ask(session, step(sealed, 1, second)), { state: 'final' })

    const proved = await session.prove(second.statement, signal)
    if (proved.state !== 'proved') return t.fail(proved.state)
    const anchor = [proved.kind, proved.proof]
    t.true(encode(anchor).length <= 400, `${encode(anchor).length} bytes`)
    const seals = [{ seq: 3, checkpoints: [{ of: second.signed, anchors: [anchor] }] }]
    const file = fileBytes(cut(sealed, [{ of: probe, from: 4, to: 12 }], seals))

    const identity = await session.describe(signal)
    if (identity.state === 'unknown') return t.fail(identity.why)
    const publicKey = bytesToHex(of.key.publicKey)
    const trust = parseTrust(
      JSON.stringify({
        asOf: '2026-03-02T00:00:00Z',
        gateways: [{ gateway: bytesToHex(id), keys: [{ publicKey, incarnation }] }],
        ledgers: [identity.pin],
        controllers: [],
      }),
    )
    const { verdict, lines } = verifyEvidence(file, trust, { expect: [], maxLagMs: null })
    const resultOf = new Map(lines.map(({ property, result }) => [property, result]))
    t.is(resultOf.get('anchor'), 'PASS')
    t.is(resultOf.get('continuity'), 'PASS')
    t.is(resultOf.get('independent'), 'NOT CHECKED')
    t.is(verdict, 'complete')
  })
}

function signed(of: History, size: number) {
  const { id, incarnation, hash } = of.gateway
  const made = checkpoint(of, size)
  const statement: Checkpoint = {
    gateway: id,
    incarnation,
    size,
    hashId: hash,
    root: made.root,
  }
  return { signed: made, statement }
}

function step(of: History, oldSize: number, to: ReturnType<typeof signed>) {
  const hash = historyHash(of.gateway.hash)
  const { size } = to.statement
  const leaves = headerLeaves(of, size)
  const subtree = (low: number, high: number) => treeRoot(leaves.slice(low, high), hash)
  return {
    type: 'anchor' as const,
    ...to.statement,
    oldSize,
    oldRoot: subtree(0, oldSize),
    key: to.signed.key,
    signature: to.signed.signature,
    consistency: consistencyProof(subtree, oldSize, size),
  }
}
