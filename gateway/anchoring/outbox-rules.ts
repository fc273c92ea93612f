/** What follows from what a ledger answers. Pure: no store, no clock, no ledger. */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import type {
  Anchored,
  Found,
  Outcome,
  Place,
  Refusal,
} from '../../anchor-client/ledgers/ledger.ts'
import { type Flight, keepable } from './anchor-records.ts'
import type { Fault } from './asked.ts'
import type { SignedHead } from './history.ts'

/** What to ask next of what is on its way. */
type Call = 'find' | 'prepare' | 'send' | 'status'

/** What is known beside the record. Forgotten by a restart, which therefore begins with `find`. */
export interface Recollection {
  readonly mustFind: boolean
  readonly hasLapsed: boolean
  readonly isKnown: boolean
}

export const afterRestart: Recollection = { mustFind: true, hasLapsed: false, isKnown: false }
export const justPlanned: Recollection = { mustFind: false, hasLapsed: false, isKnown: false }

export function nextCall(flight: Flight, { mustFind, isKnown }: Recollection): Call {
  if (mustFind) return 'find'
  if (flight.state === 'planned') return 'prepare'
  return isKnown ? 'status' : 'send'
}

export type Move =
  /** Anchored for ever. */
  | { readonly move: 'settle'; readonly place: Place }
  /** A larger size of ours is anchored: that one is to be fetched. */
  | { readonly move: 'covered'; readonly by: Anchored }
  /** To be written down before anything else is asked. */
  | { readonly move: 'record'; readonly flight: Flight; readonly isKnown: boolean }
  /** It can never land: what is newest then is planned anew. */
  | { readonly move: 'replan'; readonly why: string }
  | { readonly move: 'go on'; readonly recollection: Recollection }
  | { readonly move: 'wait'; readonly wait: Wait; readonly recollection: Recollection }
  /** A fork: never asked again. */
  | { readonly move: 'stop'; readonly why: string }

interface Wait {
  /** `again`: nobody answers. `poll`: it is being taken. `slow`: only a person changes it. */
  readonly how: 'again' | 'poll' | 'slow'
  readonly state: Refusal | 'unknown' | 'known' | 'fault'
  readonly why: string
}

/** `head` is what the target should be held as. */
export function afterFind(
  found: Found | Fault,
  head: Uint8Array,
  recollection: Recollection,
): Move {
  switch (found.state) {
    case 'final':
      return equalBytes(found.anchored.head, head)
        ? { move: 'settle', place: found.anchored.place }
        : stop(found.anchored.size)
    case 'covered':
      return { move: 'covered', by: found.by }
    case 'absent':
      return recollection.hasLapsed
        ? { move: 'replan', why: 'what was prepared can no longer be taken' }
        : { move: 'go on', recollection: { ...recollection, mustFind: false } }
    case 'unknown':
    case 'fault':
      return { move: 'wait', wait: outage(found), recollection }
  }
}

/** After `prepare`, `send` or `status`. `newest` is what would be sent instead. */
export function afterOutcome(
  outcome: Outcome | Fault,
  flight: Flight,
  newest: SignedHead | null,
): Move {
  switch (outcome.state) {
    case 'final':
      return { move: 'settle', place: outcome.place }
    case 'covered':
      return { move: 'covered', by: outcome.by }
    case 'conflict':
      return stop(outcome.size)
    case 'lapsed':
      // Perhaps it lapsed because it is already there, by these bytes or others.
      return { move: 'go on', recollection: { mustFind: true, hasLapsed: true, isKnown: false } }
    case 'refused':
      return afterRefusal(outcome.reason, outcome.why, flight, newest)
    case 'known':
      return afterKnown(outcome.place, flight)
    case 'unknown':
    case 'fault':
      // Whatever it knew before, it may have forgotten: the same bytes again are the way to find out.
      return { move: 'wait', wait: outage(outcome), recollection: justPlanned }
  }
}

function afterRefusal(
  reason: Refusal,
  why: string,
  flight: Flight,
  newest: SignedHead | null,
): Move {
  const { target } = flight
  const isOther = newest && (newest.size > target.size || !equalBytes(newest.key, target.key))
  // What these bytes say is refused for itself, whoever is registered later.
  if (isOther && forItself.includes(reason)) return { move: 'replan', why }
  const wait = { how: 'slow', state: reason, why } as const
  return { move: 'wait', wait, recollection: justPlanned }
}

const forItself: readonly Refusal[] = [
  'other-key',
  'other-hash',
  'signature',
  'no-extension',
  'malformed',
]

function afterKnown(place: Place | null, flight: Flight): Move {
  const wait = { how: 'poll', state: 'known', why: 'it is being taken' } as const
  const waiting: Move = { move: 'wait', wait, recollection: { ...justPlanned, isKnown: true } }
  if (flight.state === 'planned') return { ...waiting, recollection: justPlanned }
  const { target, oldSize, prepared } = flight
  if (place === null) {
    if (flight.state !== 'included') return waiting
    // The block that held it is gone: these bytes are on their way once more.
    return { move: 'record', flight: { state: 'sent', target, oldSize, prepared }, isKnown: false }
  }
  if (flight.state === 'included' && equalBytes(flight.place.hash, place.hash)) return waiting
  const included = { state: 'included', target, oldSize, prepared, place: keepable(place) } as const
  return { move: 'record', flight: included, isKnown: true }
}

const outage = ({ state, why }: { state: 'unknown' | 'fault'; why: string }): Wait => ({
  how: state === 'unknown' ? 'again' : 'slow',
  state,
  why,
})

const stop = (size: number): Move => ({
  move: 'stop',
  why: `it holds another history of this gateway at ${size} batches`,
})
