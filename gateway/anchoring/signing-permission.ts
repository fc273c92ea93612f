/**
 * Whether a checkpoint may be signed: not before every ledger has said what it holds, as a restored card would else
 * sign a fork.
 */
import type { Health } from '../health.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Recording } from '../recording/open-recording.ts'
import type { Store } from '../store.ts'
import { type Admitted, admit } from './admit.ts'
import { refusalOf } from './head-refusals.ts'
import { compareHeads, type HeadComparison } from './heads.ts'
import type { History } from './history.ts'
import type { Ledgers } from './ledger-host.ts'
import { type Bell, pause } from './pace.ts'
import type { RotationTeller } from './rotation-teller.ts'

export interface PermissionParts {
  readonly ledgers: Ledgers
  readonly history: History
  readonly store: Pick<Store, 'anchors' | 'identity'>
  readonly keys: KeyRing
  readonly rotations: RotationTeller
  readonly health: Health
  readonly recording: Pick<Recording, 'clock' | 'recorder' | 'streams'>
  readonly bell: Bell
  readonly signal: AbortSignal
}

/** A ledger that is silent for longer does not keep the others waiting. */
const leftOutAfterMs = 24 * 60 * 60 * 1000
const admitAgainMs = 5000

/** Asks the ledgers; true once nothing stands against signing. Throws where one knows more than we do. */
export function signingPermission(parts: PermissionParts): () => Promise<boolean> {
  const { ledgers, history, store, keys, rotations, health, bell, signal } = parts
  const { clock, recorder, streams } = parts.recording
  const { anchors, identity } = store
  const leftOut = new Set<string>()
  const admitting = new Set<string>()
  const silentSince = new Map<string, number>()
  const compare = () =>
    compareHeads({
      ledgers: ledgers.opened,
      history,
      store: anchors,
      signal,
      silentSince,
      monoMs: () => performance.now(),
    })

  function leaveOut(ledger: string): void {
    const pinned = anchors.pinned(ledger)
    if (pinned && pinned !== 'damaged' && !leftOut.has(ledger)) {
      const silent = { type: 'silent', time: clock.now(), ledger: pinned.ledgerId } as const
      recorder.state(streams.control, silent)
    }
    leftOut.add(ledger)
  }

  /** On a ledger of our own; on a chain that takes a while, and may be lost on the way. */
  async function admitOn(ledger: string): Promise<void> {
    const session = ledgers.opened.find(({ name }) => name === ledger)?.session
    if (session === undefined || admitting.has(ledger)) return
    admitting.add(ledger)
    const ask = () => admit(session, identity, keys.current.publicKey, signal)
    const first = await ask()
    if (first.state !== 'unknown') return
    const goOn = async () => {
      for (
        let last: Admitted = first;
        last.state === 'unknown' && !signal.aborted;
        last = await ask()
      ) {
        await pause(admitAgainMs)(signal)
      }
      bell.ring()
    }
    // Nobody waits for it: what is refused until then is asked again.
    goOn().catch(() => undefined)
  }

  async function isWaitedFor(comparison: HeadComparison): Promise<boolean> {
    const { ledger } = comparison
    if (comparison.state === 'unknown' && comparison.silentMs > leftOutAfterMs) {
      leaveOut(ledger)
      return false
    }
    if (comparison.state === 'other-key' && (await rotations.tell(ledger, signal))) {
      health.well(`ledger ${ledger}`)
      return false
    }
    const refusal = refusalOf(comparison)
    if (refusal?.code === 'STORE_BEHIND') throw refusal
    if (refusal) health.degraded(`ledger ${ledger}`, refusal.message)
    else health.well(`ledger ${ledger}`)
    if (comparison.state === 'absent') await admitOn(ledger)
    return refusal !== null
  }

  return async () => {
    let isWaiting = ledgers.closed.some(({ name }) => anchors.pinned(name) !== undefined)
    for (const comparison of await compare()) {
      if (await isWaitedFor(comparison)) isWaiting = true
    }
    return !isWaiting
  }
}
