/** What an outbox does while nothing is on its way: who is the ledger, what does it hold, what is to be sent next? */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import { admit } from './admit.ts'
import type { Anchor, Planned } from './anchor-records.ts'
import type { AnchorStore } from './anchor-store.ts'
import { asked } from './asked.ts'
import { judgeHead, judgeKept } from './heads.ts'
import type { History } from './history.ts'
import { again, elsewhere, idle, none, type Rest, slow } from './outbox-rest.ts'
import { recoverAnchors } from './recover.ts'

export interface OutboxParts {
  /** As the configuration has it: `embedded`, `embedded-2`. */
  readonly name: string
  readonly session: LedgerSession
  readonly history: History
  readonly store: AnchorStore
  readonly signal: AbortSignal
  onAnchored(anchor: Anchor): void
  /** Something that was noticed and is being mended. */
  onNotice(state: 'damaged' | 'forgot', why: string): void
}

interface Identified {
  readonly rest: 'identified'
  readonly ledgerId: Uint8Array
}

/** Pins the ledger at first use, and looks through what is kept of it. */
export async function identify(parts: OutboxParts): Promise<Rest | Identified> {
  const { name, session, history, store, signal } = parts
  const identity = await asked(signal, (until) => session.describe(until))
  if (identity.state === 'unknown') return { rest: 'again', ...identity }
  if (identity.state === 'fault') return slow('fault', identity.why)
  if (!identity.hashIds.includes(history.hashId)) {
    return slow('other-hash', "it does not compute this history's hash")
  }
  try {
    await store.pin(name, identity)
  } catch (error) {
    if (!(error instanceof KedgeError) || error.code !== 'LEDGER_MISMATCH') throw error
    return { rest: 'end', state: 'mismatch', why: error.message }
  }
  const kept = await judgeKept(store, identity.ledgerId, history)
  if (kept?.state === 'ahead' || kept?.state === 'other') return elsewhere(kept.state, kept.size)
  await store.check(identity.ledgerId)
  return { rest: 'identified', ledgerId: identity.ledgerId }
}

/** Nothing is on its way: what does the ledger hold, and is there anything newer? */
export async function plan(parts: OutboxParts, ledger: Uint8Array): Promise<Rest | Planned> {
  const { session, history, store, signal } = parts
  const { gateway, incarnation } = history
  const found = await asked(signal, (until) => session.head(gateway, incarnation, until))
  if (found.state === 'unknown') return { rest: 'again', ...found }
  if (found.state === 'fault') return slow('fault', found.why)
  const newest = history.newest()
  const kept = (await store.newest(ledger))?.size ?? 0
  const held = await judgeHead(found, history, session.registrar !== null)
  switch (held.state) {
    case 'ahead':
    case 'other':
      return elsewhere(held.state, held.size)
    case 'closed':
    case 'frozen':
    case 'other-key':
    case 'other-hash':
      return slow(reasons[held.state], standings[held.state])
    case 'absent':
      if (kept > 0) return slow('forgot', `it took ${kept} batches, and knows nothing of them now`)
      return newest === null ? idle(0) : register(parts, newest.key)
    case 'ours':
      break
  }
  if (held.size > kept) {
    if (!held.isFinal) return { rest: 'poll', state: 'known', why: 'its head is not final' }
    const missing = await fetchHeld(parts, ledger, kept + 1)
    if (missing !== none) return missing
    return (await store.newest(ledger))?.size === held.size
      ? none
      : again('known', 'what its head shows is not to be had yet')
  }
  if (held.size < kept) {
    parts.onNotice('forgot', `it took ${kept} batches, and holds only ${held.size} of them now`)
  }
  if (newest === null || newest.size <= held.size) return idle(held.size)
  const flight: Planned = { state: 'planned', target: newest, oldSize: held.size }
  await store.putFlight(ledger, flight)
  return flight
}

async function register(parts: OutboxParts, key: Uint8Array): Promise<Rest> {
  const { session, history, signal } = parts
  const admitted = await admit(session, history, key, signal)
  switch (admitted.state) {
    case 'registered':
      return none
    case 'not-ours':
      return slow('unregistered', 'nobody has registered this gateway there')
    case 'refused':
      return slow(admitted.reason, admitted.why)
    case 'unknown':
      return { rest: 'again', ...admitted }
    case 'fault':
      return slow('fault', admitted.why)
  }
}

/** Fetches the anchors that it holds from this size on, and the store does not. */
export async function fetchHeld(
  parts: OutboxParts,
  ledgerId: Uint8Array,
  fromSize: number,
): Promise<Rest> {
  const { store } = parts
  const kept = (await store.newest(ledgerId))?.size ?? 0
  const recovered = await recoverAnchors({ ...parts, ledgerId }, fromSize, (anchor) => {
    if (anchor.size > kept) parts.onAnchored(anchor)
  })
  switch (recovered.state) {
    case 'ahead':
    case 'other':
      return elsewhere(recovered.state, recovered.held.size)
    case 'unknown':
      return { rest: 'again', ...recovered }
    case 'fault':
      return slow('fault', recovered.why)
    case 'recovered':
      return none
  }
}

const reasons = {
  closed: 'incarnation-closed',
  frozen: 'frozen',
  'other-key': 'other-key',
  'other-hash': 'other-hash',
} as const

const standings = {
  closed: 'a newer incarnation has taken the place of this one',
  frozen: 'a fork of this gateway was shown to it',
  'other-key': 'another key is registered for this gateway',
  'other-hash': 'another history hash is registered for this gateway',
} as const
