import { setTimeout as pause } from 'node:timers/promises'
import { equalBytes } from '../../evidence/bytes.ts'
import { isPublicKey } from '../../evidence/sm2.ts'
import type { Admission, Outcome } from '../ledger.ts'
import type { View } from './chain.ts'
import { eventTopics } from './events.ts'
import { refused } from './judging.ts'
import { admissionName, admitCall, confirmCall, type Intent } from './requests.ts'
import { broadcast } from './sending.ts'
import { signCall } from './signing.ts'
import { type Account, type EvmParts, placeOfLast, standingOf } from './standing.ts'
import { readTransaction, type SignedTransaction } from './transactions.ts'

/** What only the registrar's account may ask. Its bytes are in the nonce book before they leave, and sent again as they are. */

/** An admission is waited for, as whoever asks for it is a person: so long, and then it is on its way. */
const patienceMs = 90_000
const firstPauseMs = 50
const mostPauseMs = 2000

export async function admitGateway(
  parts: EvmParts,
  account: Account,
  admission: Admission,
  signal: AbortSignal,
): Promise<Outcome> {
  if (!isPublicKey(admission.key)) return refused('other-key', 'this is no public key of SM2')
  const startedMs = performance.now()
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, mostPauseMs)) {
    const outcome = await admitOnce(parts, account, admission, signal)
    const isWaiting = outcome.state === 'known' || outcome.state === 'unknown'
    if (!isWaiting || performance.now() - startedMs > patienceMs) return outcome
    await pause(pauseMs, undefined, { signal })
  }
}

async function admitOnce(
  parts: EvmParts,
  account: Account,
  admission: Admission,
  signal: AbortSignal,
): Promise<Outcome> {
  const writer = admission.account ?? account.address
  const { view, atHead, atFinal } = await standingOf(parts, admission, signal)
  const name = admissionName(admission, writer)
  if (atFinal.isAdmitted) {
    if (!equalBytes(atFinal.admission, name)) {
      return refused('other-key', 'it is admitted with another key, hash or account')
    }
    const topics = eventTopics('Admitted', admission)
    const place = await placeOfLast(parts, view, view.final, topics, signal)
    return place ? { state: 'final', place } : { state: 'unknown', why: 'its event is not there' }
  }
  if (atHead.isAdmitted && equalBytes(atHead.admission, name))
    return { state: 'known', place: null }
  return carryOut(parts, account, admitCall(admission, writer), view, signal)
}

/** Freezes the incarnation, after a report whose signatures were checked when it was prepared. */
export async function confirmFork(
  parts: EvmParts,
  account: Account,
  { report, ...of }: Extract<Intent, { type: 'fork' }>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { view, atHead } = await standingOf(parts, of, signal)
  if (atHead.isFrozen) return { state: 'known', place: null }
  return carryOut(parts, account, confirmCall(of, report), view, signal)
}

/** The same bytes as long as they can still land, else new ones. */
async function carryOut(
  parts: EvmParts,
  account: Account,
  call: Uint8Array,
  view: View,
  signal: AbortSignal,
): Promise<Outcome> {
  const signed = await signCall(parts, account, call, view, signal)
  const transaction = 'state' in signed ? await signedBefore(account, call, signed) : signed
  if ('state' in transaction) return transaction
  const { reply, ...said } = await broadcast(parts.chain.nodes, transaction, signal)
  if (reply === 'taken') return { state: 'known', place: null }
  const why = 'why' in said ? said.why : ''
  return reply === 'refused' ? refused('not-permitted', why) : { state: 'unknown', why }
}

/** What is on its way already waits for its block, or was lost by the node: the same bytes are the answer to both. */
async function signedBefore(
  account: Account,
  call: Uint8Array,
  otherwise: Outcome,
): Promise<SignedTransaction | Outcome> {
  const { entry } = account.book
  const before = otherwise.state === 'unknown' && entry ? readTransaction(entry.bytes) : undefined
  return before && equalBytes(before.call, call) ? before : otherwise
}
