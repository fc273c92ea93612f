/**
 * One ledger's outbox, step by step: planned → prepared → sent → included → final. Each state is on the disk
 * before the step that it names, one is on its way at a time, and whatever is asked may be asked again.
 */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { historyHash } from '../../anchor-client/evidence/merkle.ts'
import { checkpointHead } from '../../anchor-client/evidence/seal.ts'
import type { AnchorRequest, LedgerSession, Place } from '../../anchor-client/ledgers/ledger.ts'
import { admit } from './admit.ts'
import { fetchProof } from './anchor-proofs.ts'
import { type Anchor, type Flight, keepable } from './anchor-records.ts'
import type { AnchorStore } from './anchor-store.ts'
import { asked } from './asked.ts'
import { judgeHead, judgeKept } from './heads.ts'
import { checkpointOf, type History } from './history.ts'
import {
  afterFind,
  afterOutcome,
  afterRestart,
  justPlanned,
  type Move,
  nextCall,
  type Recollection,
} from './outbox-rules.ts'
import { recoverAnchors } from './recover.ts'

export interface Outbox {
  /** Asks one thing, or writes one thing down, and says what to wait for. */
  step(): Promise<Rest>
  /** Fetches proofs that are still to be had; what is amiss where some are. */
  prove(): Promise<Unproved | null>
}

export interface Unproved {
  readonly count: number
  readonly why: string
  readonly isAmiss: boolean
}

export type Rest =
  | { readonly rest: 'none' }
  /** Nothing to do before there is a checkpoint of more than `size`. */
  | { readonly rest: 'idle'; readonly size: number }
  /** `again`: nobody answers. `poll`: it is being taken. `slow`: only a person changes it. */
  | { readonly rest: 'again' | 'poll' | 'slow'; readonly state: string; readonly why: string }
  /** Never asked again in this run: a fork, or another ledger. */
  | { readonly rest: 'end'; readonly state: OutboxEnd; readonly why: string }

/** `ahead`, `other` and `conflict`: another history of this gateway is there. */
export type OutboxEnd = 'conflict' | 'ahead' | 'other' | 'mismatch'

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

export function openOutbox(parts: OutboxParts): Outbox {
  const { name, session, history, store, signal } = parts
  const { gateway, incarnation } = history
  let ledgerId: Uint8Array | null = null
  let recollection: Recollection = afterRestart

  async function step(): Promise<Rest> {
    if (ledgerId === null) return identify()
    const amiss = store.amiss(ledgerId)
    if (amiss !== null) {
      parts.onNotice('damaged', amiss.what)
      return recover(ledgerId, amiss.fromSize, none)
    }
    const flight = await store.flight(ledgerId)
    if (flight === 'damaged') {
      parts.onNotice('damaged', 'the record of what was on its way is damaged in the store')
      await store.putFlight(ledgerId, null)
      return none
    }
    return flight === null ? plan(ledgerId) : advance(ledgerId, flight)
  }

  async function identify(): Promise<Rest> {
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
    ledgerId = identity.ledgerId
    return none
  }

  /** Nothing is on its way: what does the ledger hold, and is there anything newer? */
  async function plan(ledger: Uint8Array): Promise<Rest> {
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
        if (kept > 0)
          return slow('forgot', `it took ${kept} batches, and knows nothing of them now`)
        return newest === null ? idle(0) : register(newest.key)
      case 'ours':
        break
    }
    if (held.size > kept) {
      if (!held.isFinal) return { rest: 'poll', state: 'known', why: 'its head is not final' }
      return recover(ledger, kept + 1, again('known', 'what its head shows is not to be had yet'))
    }
    if (held.size < kept) {
      parts.onNotice('forgot', `it took ${kept} batches, and holds only ${held.size} of them now`)
    }
    if (newest === null || newest.size <= held.size) return idle(held.size)
    await store.putFlight(ledger, { state: 'planned', target: newest, oldSize: held.size })
    recollection = justPlanned
    return none
  }

  async function register(key: Uint8Array): Promise<Rest> {
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

  async function advance(ledger: Uint8Array, flight: Flight): Promise<Rest> {
    const move = await ask(ledger, flight)
    switch (move.move) {
      case 'settle':
        return settle(ledger, flight, move.place)
      case 'covered':
        return recover(ledger, ((await store.newest(ledger))?.size ?? 0) + 1, async () => {
          await store.putFlight(ledger, null)
          return none
        })
      case 'record':
        await store.putFlight(ledger, move.flight)
        recollection = { ...justPlanned, isKnown: move.isKnown }
        return none
      case 'replan':
        await store.putFlight(ledger, null)
        // Not at once: a ledger that lets everything lapse is not asked in a tight loop.
        return { rest: 'again', state: 'lapsed', why: move.why }
      case 'go on':
        recollection = move.recollection
        return none
      case 'wait': {
        recollection = move.recollection
        const { how, state, why } = move.wait
        return { rest: how, state, why }
      }
      case 'stop':
        return { rest: 'end', state: 'conflict', why: move.why }
    }
  }

  async function ask(ledger: Uint8Array, flight: Flight): Promise<Move> {
    const { target } = flight
    const call = nextCall(flight, recollection)
    if (call === 'find') {
      const { size, root } = target
      const found = await asked(signal, (until) => session.find(gateway, incarnation, size, until))
      return afterFind(found, checkpointHead(checkpointOf(history, size, root)), recollection)
    }
    if (flight.state === 'planned') {
      const request = await requestOf(flight)
      const answer = await asked(signal, (until) => session.prepare(request, until))
      if (answer.state !== 'prepared') return afterOutcome(answer, flight, history.newest())
      return {
        move: 'record',
        flight: { ...flight, state: 'prepared', prepared: answer },
        isKnown: false,
      }
    }
    const { prepared } = flight
    if (flight.state === 'prepared') {
      // Before they leave: from here on they may land at any time.
      await store.putFlight(ledger, { ...flight, state: 'sent' })
    }
    const outcome = await asked(signal, (until) =>
      call === 'status' ? session.status(prepared, until) : session.send(prepared, until),
    )
    const now: Flight = flight.state === 'prepared' ? { ...flight, state: 'sent' } : flight
    return afterOutcome(outcome, now, history.newest())
  }

  async function requestOf({ target, oldSize }: Flight): Promise<AnchorRequest> {
    const { size, root, key, signature } = target
    return {
      type: 'anchor',
      ...checkpointOf(history, size, root),
      oldSize,
      oldRoot: oldSize > 0 ? await history.rootAt(oldSize) : historyHash(history.hashId)(),
      key,
      signature,
      consistency: await history.consistency(oldSize, size),
    }
  }

  async function settle(ledger: Uint8Array, flight: Flight, place: Place): Promise<Rest> {
    const { target, oldSize } = flight
    const checkpoint = checkpointOf(history, target.size, target.root)
    const fetched = await fetchProof(session, ledger, checkpoint, signal)
    const proof = fetched.state === 'proved' ? fetched.proof : null
    const anchor: Anchor = { ...target, after: oldSize, place: keepable(place), proof }
    await store.keep(ledger, [anchor], true)
    parts.onAnchored(anchor)
    return none
  }

  /** Fetches what the ledger holds from this size on; `otherwise` where the store lacked nothing. */
  async function recover(
    ledger: Uint8Array,
    fromSize: number,
    otherwise: Rest | (() => Promise<Rest>),
  ): Promise<Rest> {
    const kept = (await store.newest(ledger))?.size ?? 0
    const recovered = await recoverAnchors(
      { session, ledgerId: ledger, history, store, signal },
      fromSize,
    )
    // What was noticed on the way has just been mended, or cannot be.
    store.amiss(ledger)
    switch (recovered.state) {
      case 'ahead':
      case 'other':
        return elsewhere(recovered.state, recovered.held.size)
      case 'unknown':
        return { rest: 'again', ...recovered }
      case 'fault':
        return slow('fault', recovered.why)
      case 'recovered':
        for (const anchor of recovered.anchors) if (anchor.size > kept) parts.onAnchored(anchor)
        if (typeof otherwise === 'function') return otherwise()
        return recovered.anchors.length > 0 ? none : otherwise
    }
  }

  async function prove(): Promise<Unproved | null> {
    if (ledgerId === null) return null
    const sizes = await store.unproved(ledgerId, severalProofs)
    let worst: { why: string; isAmiss: boolean } | null = null
    for (const size of sizes) {
      const anchor = await store.at(ledgerId, size)
      if (anchor === null) continue
      const checkpoint = checkpointOf(history, size, anchor.root)
      const fetched = anchor.proof
        ? ({ state: 'proved', proof: anchor.proof } as const)
        : await fetchProof(session, ledgerId, checkpoint, signal)
      if (fetched.state === 'proved') {
        await store.keep(ledgerId, [{ ...anchor, proof: fetched.proof }], false)
      } else if (worst === null || fetched.isAmiss) worst = fetched
    }
    return worst && { count: sizes.length, why: worst.why, isAmiss: worst.isAmiss }
  }

  return { step, prove }
}

const severalProofs = 16

const none: Rest = { rest: 'none' }
const idle = (size: number): Rest => ({ rest: 'idle', size })
const slow = (state: string, why: string): Rest => ({ rest: 'slow', state, why })
const again = (state: string, why: string): Rest => ({ rest: 'again', state, why })

const elsewhere = (state: 'ahead' | 'other', size: number): Rest => ({
  rest: 'end',
  state,
  why:
    state === 'ahead'
      ? `${size} batches of this gateway are anchored, which is more than its store has`
      : `other batches of this gateway are anchored, up to batch ${size - 1}`,
})

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
