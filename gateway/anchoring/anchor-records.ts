/** What the anchor store keeps, and the bytes in which it keeps it. */
import {
  type Cursor,
  decodeWhole,
  malformed,
  maxTextBytes,
  readBytes,
  readFixedBytes,
  readOptional,
  readText,
  readTuple,
  readUint,
} from '../../anchor-client/evidence/codec.ts'
import { encode, type Item } from '../../anchor-client/evidence/encode.ts'
import type { LedgerProof } from '../../anchor-client/evidence/model.ts'

import type { Place, Prepared } from '../../anchor-client/ledgers/ledger.ts'
import type { SignedHead } from './history.ts'

/** A checkpoint that a ledger holds for ever. */
export interface Anchor extends SignedHead {
  /** The size that was anchored on this ledger before it, 0 for none: shows where a row is gone. */
  readonly after: number
  readonly place: Place
  /** Null until the ledger has handed it out and it was judged. */
  readonly proof: LedgerProof | null
}

/** What is on its way to a ledger: there is one, or none. Its state is written before the step that it names. */
export type Flight = Planned | Handed | Included

interface Aimed {
  readonly target: SignedHead
  /** The size that the ledger showed, which the target extends. */
  readonly oldSize: number
}
export interface Planned extends Aimed {
  readonly state: 'planned'
}
interface Handed extends Aimed {
  /** `sent`: the bytes may have left, and may land at any time. */
  readonly state: 'prepared' | 'sent'
  readonly prepared: Prepared
}
interface Included extends Aimed {
  readonly state: 'included'
  readonly prepared: Prepared
  readonly place: Place
}

/** The ledger that an entry of the configuration has meant since its first use. */
export interface Pinned {
  readonly name: string
  readonly ledgerId: Uint8Array
  /** As `describe` gave it, in JSON: what a trust file says of it. */
  readonly pin: string
}

const states = ['planned', 'prepared', 'sent', 'included'] as const

const signedItems = ({ size, root, key, signature }: SignedHead): Item[] => [
  size,
  root,
  key,
  signature,
]

const readSigned = (cursor: Cursor): SignedHead => ({
  size: readUint(cursor),
  root: readFixedBytes(cursor, 32),
  key: readFixedBytes(cursor, 65),
  signature: readFixedBytes(cursor, 64),
})

const placeItem = ({ height, hash, timeMs, cost }: Place): Item => [height, hash, timeMs, cost]

function readPlace(cursor: Cursor): Place {
  readTuple(cursor, 4, 'a place')
  return {
    height: readUint(cursor),
    hash: Uint8Array.from(readBytes(cursor)),
    timeMs: readOptional(cursor, readUint),
    cost: readOptional(cursor, (at) => readText(at, maxTextBytes)),
  }
}

/** A place as it can be kept: a ledger's time and cost are only told, and must not stop an anchor. */
export const keepable = ({ height, hash, timeMs, cost }: Place): Place => ({
  height,
  hash,
  timeMs: timeMs !== null && Number.isSafeInteger(timeMs) && timeMs >= 0 ? timeMs : null,
  cost: cost !== null && /^[ -~]{1,256}$/.test(cost) ? cost : null,
})

export const encodeAnchor = (anchor: Anchor): Uint8Array =>
  encode([
    ...signedItems(anchor),
    anchor.after,
    placeItem(anchor.place),
    anchor.proof && [anchor.proof.kind, anchor.proof.proof],
  ])

export const decodeAnchor = (bytes: Uint8Array): Anchor =>
  decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 7, 'an anchor')
    return {
      ...readSigned(cursor),
      after: readUint(cursor),
      place: readPlace(cursor),
      proof: readOptional(cursor, (at) => {
        readTuple(at, 2, 'a proof')
        return { kind: readUint(at), proof: readBytes(at) }
      }),
    }
  })

export const encodeFlight = (flight: Flight): Uint8Array =>
  encode([
    states.indexOf(flight.state),
    ...signedItems(flight.target),
    flight.oldSize,
    flight.state === 'planned' ? null : [flight.prepared.id, flight.prepared.bytes],
    flight.state === 'included' ? placeItem(flight.place) : null,
  ])

export const decodeFlight = (bytes: Uint8Array): Flight =>
  decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 8, 'a record of the outbox')
    const state = states[readUint(cursor, states.length - 1)]
    const aimed = { target: readSigned(cursor), oldSize: readUint(cursor) }
    const prepared = readOptional(cursor, readPrepared)
    const place = readOptional(cursor, readPlace)
    if (state === 'planned' && !prepared && !place) return { state, ...aimed }
    if (state === 'included' && prepared && place) return { state, ...aimed, prepared, place }
    if ((state === 'prepared' || state === 'sent') && prepared && !place) {
      return { state, ...aimed, prepared }
    }
    throw malformed(cursor, 'what belongs to this state')
  })

function readPrepared(cursor: Cursor): Prepared {
  readTuple(cursor, 2, 'what was prepared')
  const id = readText(cursor, maxTextBytes)
  return { state: 'prepared', id, bytes: readBytes(cursor) }
}

export const encodePin = ({ ledgerId, pin }: Pinned): Uint8Array =>
  encode([ledgerId, new TextEncoder().encode(pin)])

export const decodePin = (name: string, bytes: Uint8Array): Pinned =>
  decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 2, 'a pinned ledger')
    const ledgerId = readFixedBytes(cursor, 32)
    return { name, ledgerId, pin: new TextDecoder().decode(readBytes(cursor)) }
  })
