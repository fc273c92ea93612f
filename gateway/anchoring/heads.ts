/**
 * Before anything is signed after a start: what does each ledger hold of this gateway? A restored or cloned data
 * folder shows as a ledger that knows more, or something else, than the store.
 */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { checkpointHead } from '../../anchor-client/evidence/seal.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import type { FoundHead, LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import type { AnchorStore } from './anchor-store.ts'
import { asked } from './asked.ts'
import { checkpointOf, type History, judgeHeld } from './history.ts'

export type HeadComparison = { readonly ledger: string } & (
  | HeadJudgement
  /** An outage. `silentMs` is how long it has been one in this run, for whoever leaves it out after a day. */
  | { readonly state: 'unknown'; readonly why: string; readonly silentMs: number }
  /** Waiting does not help: damaged, held by another process, or not the ledger that was pinned. */
  | { readonly state: 'fault'; readonly error: KedgeError }
)

type HeadJudgement =
  /** Nobody has registered this gateway and incarnation there, so that nothing is anchored. */
  | { readonly state: 'absent'; readonly mayAdmit: boolean }
  | { readonly state: 'ours'; readonly size: number; readonly isFinal: boolean }
  | {
      readonly state: 'ahead' | 'other' | 'closed' | 'frozen' | 'other-key' | 'other-hash'
      readonly size: number
      /** Sealed headers in our own store. */
      readonly ours: number
    }

interface HeadQuestion {
  readonly ledgers: readonly { readonly name: string; readonly session: LedgerSession }[]
  readonly history: History
  readonly store: AnchorStore
  readonly signal: AbortSignal
  /** Kept by the caller between questions: since when each silent ledger has been so. A store that is restored
   * with it would call a ledger silent that nobody has asked, so it is in memory only. */
  readonly silentSince: Map<string, number>
  /** A clock that nobody sets. */
  monoMs(): number
}

export async function compareHeads(of: HeadQuestion): Promise<readonly HeadComparison[]> {
  return Promise.all(
    of.ledgers.map(async ({ name, session }) => {
      const comparison = await compareHead(of, name, session)
      if (comparison.state !== 'unknown') {
        of.silentSince.delete(name)
        return { ledger: name, ...comparison }
      }
      const now = of.monoMs()
      const since = of.silentSince.get(name) ?? now
      of.silentSince.set(name, since)
      return { ledger: name, ...comparison, silentMs: now - since }
    }),
  )
}

type Compared =
  | HeadJudgement
  | { readonly state: 'unknown'; readonly why: string }
  | { readonly state: 'fault'; readonly error: KedgeError }

async function compareHead(
  { history, store, signal }: HeadQuestion,
  name: string,
  session: LedgerSession,
): Promise<Compared> {
  const pinned = store.pinned(name)
  if (pinned !== undefined && pinned !== 'damaged') {
    const kept = await judgeKept(store, pinned.ledgerId, history)
    if (kept !== null) return kept
  }
  const identity = await asked(signal, (until) => session.describe(until))
  if (identity.state === 'fault') return { state: 'fault', error: kedgeErrorOf(identity.error) }
  if (identity.state === 'unknown') return identity
  try {
    await store.pin(name, identity)
  } catch (error) {
    if (error instanceof KedgeError && error.code === 'LEDGER_MISMATCH') {
      return { state: 'fault', error }
    }
    throw error
  }
  const { gateway, incarnation } = history
  const found = await asked(signal, (until) => session.head(gateway, incarnation, until))
  if (found.state === 'fault') return { state: 'fault', error: kedgeErrorOf(found.error) }
  return found.state === 'unknown' ? found : judgeHead(found, history, session.registrar !== null)
}

/** Worst first: what cannot be mended here hides what can. */
export async function judgeHead(
  found: Exclude<FoundHead, { state: 'unknown' }>,
  history: History,
  mayAdmit: boolean,
): Promise<HeadJudgement> {
  if (found.state === 'absent') return { state: 'absent', mayAdmit }
  const { size, stands, isFinal } = found
  const ours = history.size()
  if (found.hashId !== history.hashId) return { state: 'other-hash', size, ours }
  if (stands === 'closed') return { state: 'closed', size, ours }
  const judged = await judgeHeld(history, found)
  if (judged !== 'ours') return { state: judged, size, ours }
  if (stands === 'frozen') return { state: 'frozen', size, ours }
  const newest = history.newest()
  if (newest && !equalBytes(keyId(newest.key), found.keyId))
    return { state: 'other-key', size, ours }
  return { state: 'ours', size, isFinal }
}

/** What was anchored, or on its way, when only the journal was restored: then the ledger need not be asked. */
export async function judgeKept(
  store: AnchorStore,
  ledgerId: Uint8Array,
  history: History,
): Promise<Extract<HeadJudgement, { ours: number }> | null> {
  const flight = await store.flight(ledgerId)
  const newest = await store.newest(ledgerId)
  const aimed = flight === null || flight === 'damaged' ? null : flight.target
  for (const signed of [aimed, newest]) {
    if (signed === null) continue
    const { size, root } = signed
    const head = checkpointHead(checkpointOf(history, size, root))
    const judged = await judgeHeld(history, { size, head })
    if (judged !== 'ours') return { state: judged, size, ours: history.size() }
  }
  return null
}

const kedgeErrorOf = (error: unknown): KedgeError =>
  error instanceof KedgeError
    ? error
    : new KedgeError('INTERNAL', error instanceof Error ? error.message : String(error), {
        cause: error,
      })
