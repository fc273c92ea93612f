/** Asks a ledger for the anchors that it holds and the store does not, and keeps those that are ours. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Anchored, LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import { type Anchor, keepable } from './anchor-records.ts'
import type { AnchorStore } from './anchor-store.ts'
import { asked, type Fault } from './asked.ts'
import { type History, judgeHeld } from './history.ts'

interface Recovery {
  readonly session: LedgerSession
  readonly ledgerId: Uint8Array
  readonly history: History
  readonly store: AnchorStore
  readonly signal: AbortSignal
}

type Recovered =
  /** Those that the store did not have. */
  | { readonly state: 'recovered'; readonly anchors: readonly Anchor[] }
  | { readonly state: 'ahead' | 'other'; readonly held: Anchored }
  | { readonly state: 'unknown'; readonly why: string }
  | Fault

/** How many go into one write. */
const several = 64

export async function recoverAnchors(of: Recovery, fromSize: number): Promise<Recovered> {
  const { session, history, store, ledgerId, signal } = of
  const { gateway, incarnation } = history
  const anchors: Anchor[] = []
  let fresh: Anchor[] = []
  // What is before comes from the store, so that the chain of sizes closes again.
  let after = (await store.newest(ledgerId, fromSize))?.size ?? 0
  const walk = async (until: AbortSignal): Promise<Recovered> => {
    for await (const held of session.iterate(gateway, incarnation, fromSize, until)) {
      until.throwIfAborted()
      const kept = await store.at(ledgerId, held.size)
      const judged = await unlessDamaged(judgeHeld(history, held))
      if (judged === 'ahead' || judged === 'other') return { state: judged, held }
      if (kept === null || kept.after !== after) {
        const signed = kept ?? (await unlessDamaged(history.signedAt(held.size)))
        if (signed !== null) {
          const { size, root, key, signature } = signed
          const place = keepable(held.place)
          fresh.push({ size, root, key, signature, after, place, proof: kept?.proof ?? null })
        }
      }
      after = held.size
      if (fresh.length >= several) await flush()
    }
    await flush()
    return { state: 'recovered', anchors }
  }
  const flush = async (): Promise<void> => {
    await store.keep(ledgerId, fresh, false)
    anchors.push(...fresh)
    fresh = []
  }
  return asked(signal, walk)
}

/** Where the journal itself has lost what was anchored, that one anchor is lost with it, and no other. */
const unlessDamaged = <T>(answer: Promise<T>): Promise<T | null> =>
  answer.catch((error: unknown) => {
    if (error instanceof KedgeError && error.code === 'STORE_DAMAGED') return null
    throw error
  })
