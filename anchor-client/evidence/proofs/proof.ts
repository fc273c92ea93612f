import type { Fields } from '../json-fields.ts'
import type { Beacon } from '../model.ts'
import type { Checkpoint } from '../seal.ts'
import type { PinnedChain } from './evm-pin.ts'

/**
 * How evidence of one kind of ledger is judged. A kind is one file beside this one and one line in
 * `index.ts`; it reads its own part of the trust file and decodes its own proofs, with its own limits.
 */
export interface ProofKind {
  /** The number that stands in an anchor. */
  readonly kind: number
  /** The name that stands in the trust file. */
  readonly name: string
  /** What the ledger numbers, for people. */
  readonly heightOf: 'entry' | 'block'
  /** Reads what identifies a pinned ledger of this kind, beside the keys that all ledgers share. */
  readPin(fields: Fields): Pin
  /** @param pins the ledgers of this kind that are believed; none where nothing is. */
  judgeAnchor(proof: Uint8Array, checkpoint: Checkpoint, pins?: readonly Pin[]): AnchorJudgement
  judgeBeacon(proof: Uint8Array, beacon: Beacon, pins?: readonly Pin[]): BeaconJudgement
}

export interface Pin {
  /** What a beacon calls this ledger: 32 bytes in hex. */
  readonly ledgerId: string
  /** Which code the regulator believes the ledger to run. */
  readonly code: string
  /** Of an EVM ledger: by what a block of its chain is known. */
  readonly chain?: PinnedChain
}

export type AnchorJudgement =
  | { readonly holds: false; readonly why: string }
  | {
      readonly holds: true
      /** Null where the proof alone does not say which ledger it is of, and no pin vouches for its block. */
      readonly ledgerId: string | null
      /** Pinned ledgers that it may be of, though they do not vouch for its block. */
      readonly mayBe: readonly string[]
      /** Null where the proof does not show it. */
      readonly code: string | null
      /** Whether a ledger with this code takes only extensions of what it took before. */
      readonly extensionsOnly: boolean
      readonly timeMs: number | null
      /** The ledger's own number of the entry or block: it grows with the sizes that are anchored. */
      readonly height: number
      /** Whether the ledger still held it at that height, rather than took it just then. */
      readonly isStanding: boolean
      /** What a person should know: which ledger it is where none is pinned, or what is weak in it. */
      readonly note: string | null
    }

export type BeaconJudgement =
  | { readonly holds: false; readonly why: string }
  | {
      readonly holds: true
      readonly timeMs: number | null
      /** Why the pin does not vouch for the block; null where it does, or where there is no pin. */
      readonly doubt: string | null
    }
