/**
 * One ledger's outbox, step by step: planned → prepared → sent → included → final. Each state is on the disk
 * before the step that it names, one is on its way at a time, and whatever is asked may be asked again.
 */
import { historyHash } from '../../anchor-client/evidence/merkle.ts'
import { checkpointHead } from '../../anchor-client/evidence/seal.ts'
import type { AnchorRequest, Place } from '../../anchor-client/ledgers/ledger.ts'
import { fetchProof } from './anchor-proofs.ts'
import { type Anchor, type Flight, keepable } from './anchor-records.ts'
import { asked } from './asked.ts'
import { checkpointOf } from './history.ts'
import { fetchHeld, identify, type OutboxParts, plan } from './outbox-plan.ts'
import { again, none, type Rest } from './outbox-rest.ts'
import {
  afterFind,
  afterOutcome,
  afterRestart,
  justPlanned,
  type Move,
  nextCall,
  type Recollection,
} from './outbox-rules.ts'

interface Outbox {
  /** Asks one thing, or writes one thing down, and says what to wait for. */
  step(): Promise<Rest>
  /** Mends what was found damaged, and fetches proofs that are still to be had. Null when all is well. */
  tend(): Promise<Untended | null>
}

interface Untended {
  readonly state: 'damaged' | 'unproved'
  readonly why: string
  /** False where it is only too early. */
  readonly isAmiss: boolean
}

export function openOutbox(parts: OutboxParts): Outbox {
  const { session, history, store, signal } = parts
  const { gateway, incarnation } = history
  let ledgerId: Uint8Array | null = null
  let recollection: Recollection = afterRestart
  /** Up to which size proofs were asked for in this round through all of them, and the worst that was found in it. */
  let lastAsked = 0
  let worst: Untended | null = null

  async function step(): Promise<Rest> {
    if (ledgerId === null) {
      const identified = await identify(parts)
      if (identified.rest !== 'identified') return identified
      ledgerId = identified.ledgerId
    }
    const amiss = store.amiss(ledgerId)
    if (amiss !== null) parts.onNotice('damaged', amiss.what)
    const flight = await store.flight(ledgerId)
    if (flight === 'damaged') {
      parts.onNotice('damaged', 'the record of what was on its way is damaged in the store')
      await store.putFlight(ledgerId, null)
      return none
    }
    if (flight !== null) return advance(ledgerId, flight)
    const planned = await plan(parts, ledgerId)
    if (!('target' in planned)) return planned
    recollection = justPlanned
    return none
  }

  async function advance(ledger: Uint8Array, flight: Flight): Promise<Rest> {
    const move = await ask(ledger, flight)
    switch (move.move) {
      case 'settle':
        return settle(ledger, flight, move.place)
      case 'covered':
        return covered(ledger, move.by.size)
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
    const isAgain = target.size <= (await newestSize(ledger))
    await store.keep(ledger, [anchor], true)
    parts.onAnchored(anchor)
    // A ledger that takes what it has taken before and does not show it would be sent the same for ever.
    return isAgain ? again('forgot', `it has taken ${target.size} batches once more`) : none
  }

  /** What was on its way stays until the larger one is had: a ledger may say one thing, and show another. */
  async function covered(ledger: Uint8Array, bySize: number): Promise<Rest> {
    const fetched = await fetchHeld(parts, ledger, (await newestSize(ledger)) + 1)
    if (fetched !== none) return fetched
    const size = await newestSize(ledger)
    if (size < bySize) return again('known', `it has ${bySize} batches, and shows only ${size}`)
    await store.putFlight(ledger, null)
    return none
  }

  const newestSize = async (ledger: Uint8Array) => (await store.newest(ledger))?.size ?? 0

  async function tend(): Promise<Untended | null> {
    if (ledgerId === null) return null
    const amiss = store.amiss(ledgerId)
    if (amiss !== null) {
      const mended = await fetchHeld(parts, ledgerId, amiss.fromSize)
      if ('why' in mended) return { state: 'damaged', why: mended.why, isAmiss: true }
      // What it does not hold either stays gone, and was told.
      store.forgive(ledgerId)
    }
    return prove(ledgerId)
  }

  /** Some at a time, and those that cannot be proved must not stand before the others for ever. */
  async function prove(ledger: Uint8Array): Promise<Untended | null> {
    for (;;) {
      const sizes = await store.unproved(ledger, severalProofs, lastAsked)
      const isRoundOver = sizes.length < severalProofs
      let isAnyLeft = false
      for (const size of sizes) {
        const left = await proveOne(ledger, size)
        isAnyLeft ||= left !== null
        if (left !== null && (worst === null || left.isAmiss)) worst = left
      }
      lastAsked = isRoundOver ? 0 : (sizes.at(-1) ?? 0)
      if (!isRoundOver && !isAnyLeft) continue
      const told = worst
      if (isRoundOver) worst = null
      return told
    }
  }

  async function proveOne(ledger: Uint8Array, size: number): Promise<Untended | null> {
    const anchor = await store.at(ledger, size)
    if (anchor === null) return null
    const fetched = anchor.proof
      ? ({ state: 'proved', proof: anchor.proof } as const)
      : await fetchProof(session, ledger, checkpointOf(history, size, anchor.root), signal)
    if (fetched.state === 'proved') {
      await store.keep(ledger, [{ ...anchor, proof: fetched.proof }], false)
      return null
    }
    const why = `the proof of ${size} batches: ${fetched.why}`
    return { state: 'unproved', why, isAmiss: fetched.isAmiss }
  }

  return { step, tend }
}

const severalProofs = 16
