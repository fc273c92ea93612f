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
  | { readonly state: 'recovered' }
  | { readonly state: 'ahead' | 'other'; readonly held: Anchored }
  | { readonly state: 'unknown'; readonly why: string }
  | Fault

/** How many go into one write. */
const several = 64

/** `onKept` is told of each that the store did not have. What was had before the ledger fell silent stays. */
export async function recoverAnchors(
  of: Recovery,
  fromSize: number,
  onKept: (anchor: Anchor) => void,
): Promise<Recovered> {
  const { session, history, store, ledgerId, signal } = of
  const { gateway, incarnation } = history
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  let held: AsyncIterator<Anchored, void> | undefined
  let fresh: Anchor[] = []
  // What is before comes from the store, so that the chain of sizes closes again.
  let after = (await store.newest(ledgerId, fromSize))?.size ?? 0

  /** Null where there is another one to ask for. */
  async function one(): Promise<Recovered | null> {
    held ??= session.iterate(gateway, incarnation, fromSize, until)[Symbol.asyncIterator]()
    const { done, value } = await held.next()
    if (done) return { state: 'recovered' }
    const kept = await store.at(ledgerId, value.size)
    const judged = await unlessDamaged(judgeHeld(history, value))
    if (judged === 'ahead' || judged === 'other') return { state: judged, held: value }
    if (kept === null || kept.after !== after) {
      const signed = kept ?? (await unlessDamaged(history.signedAt(value.size)))
      if (signed !== null) {
        const { size, root, key, signature } = signed
        const place = keepable(value.place)
        fresh.push({ size, root, key, signature, after, place, proof: kept?.proof ?? null })
      }
    }
    after = value.size
    if (fresh.length >= several) await flush()
    return null
  }

  async function flush(): Promise<void> {
    const anchors = fresh
    fresh = []
    await store.keep(ledgerId, anchors, false)
    for (const anchor of anchors) onKept(anchor)
  }

  try {
    for (;;) {
      // Each by itself: a history of years takes longer than any one answer may.
      const recovered = await asked(signal, one)
      if (recovered !== null) return recovered
    }
  } finally {
    over.abort()
    await flush()
  }
}

/** Where the journal itself has lost what was anchored, that one anchor is lost with it, and no other. */
const unlessDamaged = <T>(answer: Promise<T>): Promise<T | null> =>
  answer.catch((error: unknown) => {
    if (error instanceof KedgeError && error.code === 'STORE_DAMAGED') return null
    throw error
  })
