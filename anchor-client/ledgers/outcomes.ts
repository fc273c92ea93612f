import type { Beacon, HashId, LedgerProof } from '../evidence/model.ts'

/** What a ledger answers. */

/** All that `send` and `status` need after a restart. The id is for people: a transaction hash, an entry. */
export interface Prepared {
  readonly state: 'prepared'
  readonly id: string
  readonly bytes: Uint8Array
}

/** Nothing is known, for now: an ordinary outcome. Ask again, and resend the same bytes. */
export interface Unknown {
  readonly state: 'unknown'
  readonly why: string
}
export interface Absent {
  readonly state: 'absent'
}

export type Outcome =
  | Unknown
  /** It has the bytes; with a place they are included and not yet final. */
  | { readonly state: 'known'; readonly place: Place | null }
  | { readonly state: 'final'; readonly place: Place }
  /** A larger size is anchored, which says all that this one would have said. */
  | { readonly state: 'covered'; readonly by: Anchored }
  /** Another history holds this size, for ever: stop, and tell a person. */
  | { readonly state: 'conflict'; readonly size: number; readonly head: Uint8Array }
  /** Not taken as things stand. Kept pending: a registrar may change that. */
  | { readonly state: 'refused'; readonly reason: Refusal; readonly why: string }
  /** These bytes can never land any more (old head passed, nonce or block limit spent): find, then prepare anew. */
  | { readonly state: 'lapsed'; readonly why: string }

export type Refusal =
  | 'unregistered'
  | 'incarnation-unknown'
  | 'incarnation-closed'
  | 'frozen'
  | 'other-hash'
  | 'other-key'
  | 'signature'
  | 'no-extension'
  | 'malformed'
  | 'not-permitted'

export type Found =
  | Unknown
  | Absent
  | { readonly state: 'final'; readonly anchored: Anchored }
  | { readonly state: 'covered'; readonly by: Anchored }

export type FoundBeacon = Unknown | Absent | ({ readonly state: 'final' } & Beacon)

export type Proved = Unknown | Absent | ({ readonly state: 'proved' } & LedgerProof)

export type FoundHead =
  | Unknown
  | Absent
  | {
      readonly state: 'registered'
      /** 0 while nothing is anchored. */
      readonly size: number
      readonly head: Uint8Array
      readonly hashId: HashId
      /** SM3 of the key in use: all that a chain holds of it. */
      readonly keyId: Uint8Array
      readonly isFinal: boolean
      /** `closed` by a newer incarnation, `frozen` by a fork: neither takes an anchor any more. */
      readonly stands: 'open' | 'closed' | 'frozen'
    }

export interface Anchored {
  readonly size: number
  readonly head: Uint8Array
  readonly place: Place
}

/** A block or an entry. */
export interface Place {
  readonly height: number
  readonly hash: Uint8Array
  readonly timeMs: number | null
  readonly cost: string | null
}
