/** Registers this gateway on a ledger that is its own: nobody else could. */
import type { LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import { asked, type Fault } from './asked.ts'
import type { History } from './history.ts'

export type Admitted =
  /** It is registered now, or was before. */
  | { readonly state: 'registered' }
  /** Somebody else is the registrar, and must be asked. */
  | { readonly state: 'not-ours' }
  | { readonly state: 'refused'; readonly reason: string; readonly why: string }
  | { readonly state: 'unknown'; readonly why: string }
  | Fault

/**
 * May be asked again at any time: only a ledger that knows nothing of this incarnation is told of it, so that
 * a key that was rotated meanwhile is no second registration.
 */
export async function admit(
  session: LedgerSession,
  { gateway, incarnation, hashId }: Pick<History, 'gateway' | 'incarnation' | 'hashId'>,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<Admitted> {
  const { registrar } = session
  if (registrar === null) return { state: 'not-ours' }
  const head = await asked(signal, (until) => session.head(gateway, incarnation, until))
  if (head.state === 'unknown' || head.state === 'fault') return head
  if (head.state === 'registered') return { state: 'registered' }
  const outcome = await asked(signal, (until) =>
    registrar.admit({ gateway, incarnation, hashId, key }, until),
  )
  switch (outcome.state) {
    case 'final':
      return { state: 'registered' }
    case 'refused':
    case 'fault':
      return outcome
    case 'unknown':
    case 'lapsed':
      return { state: 'unknown', why: outcome.why }
    default:
      return { state: 'unknown', why: `it answers ${outcome.state}, and not yet for good` }
  }
}
