import type { ExecutionContext } from 'ava'
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { proofKinds } from '../../anchor-client/evidence/proofs/index.ts'
import { checkpointHead, checkpointMessage } from '../../anchor-client/evidence/seal.ts'
import { verifySm2 } from '../../anchor-client/evidence/sm2.ts'
import type { LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import type { AnchorStore } from '../../gateway/anchoring/anchor-store.ts'
import { checkpointOf, type History } from '../../gateway/anchoring/history.ts'
import { pinsFor, signal } from './ledger-under-test.ts'

/** Ledger and store tell the same story, nothing is on its way, and what is kept convinces a verifier. */
export async function isAtRest(
  t: ExecutionContext,
  session: LedgerSession,
  store: AnchorStore,
  history: History,
  size: number,
  message = '',
): Promise<void> {
  const identity = await session.describe(signal)
  if (identity.state === 'unknown') return t.fail(identity.why)
  const { ledgerId } = identity
  const { gateway, incarnation } = history
  const head = await session.head(gateway, incarnation, signal)
  const ours = checkpointHead(checkpointOf(history, size, await history.rootAt(size)))
  if (head.state !== 'registered') return t.fail(`${message}: ${head.state}`)
  t.is(head.size, size, message)
  t.deepEqual(head.head, ours, message)
  t.is(await store.flight(ledgerId), null, message)
  t.deepEqual(await store.unproved(ledgerId, 1), [], message)

  const held: number[] = []
  for await (const anchored of session.iterate(gateway, incarnation, 0, signal)) {
    held.push(anchored.size)
  }
  t.deepEqual(
    held,
    held.toSorted((a, b) => a - b),
    message,
  )
  const kept: number[] = []
  for await (const anchor of store.list(ledgerId)) {
    t.is(anchor.after, kept.at(-1) ?? 0, message)
    kept.push(anchor.size)
    const checkpoint = checkpointOf(history, anchor.size, anchor.root)
    t.true(verifySm2(anchor.key, checkpointMessage(checkpoint), anchor.signature), message)
    const kind = proofKinds.find((one) => one.kind === anchor.proof?.kind)
    const pins = await pinsFor(session, anchor.place)
    const judgement = kind?.judgeAnchor(anchor.proof?.proof ?? new Uint8Array(), checkpoint, pins)
    t.like(judgement, { holds: true, ledgerId: bytesToHex(ledgerId) }, message)
    t.like(judgement, { height: anchor.place.height, timeMs: anchor.place.timeMs }, message)
  }
  t.deepEqual(kept, held, message)
  t.is(store.amiss(ledgerId), null, message)
}
