import type { Fields } from '../json-fields.ts'
import type { Beacon } from '../model.ts'
import type { Checkpoint } from '../seal.ts'

/**
 * How evidence of one kind of ledger is judged. A kind is one file beside this one and one line in
 * `index.ts`; it reads its own part of the trust file and decodes its own proofs, with its own limits.
 */
export interface ProofKind {
  /** The number that stands in an anchor. */
  readonly kind: number
  /** The name that stands in the trust file. */
  readonly name: string
  /** Reads what identifies a pinned ledger of this kind, beside the keys that all ledgers share. */
  readPin(fields: Fields): Pin
  judgeAnchor(proof: Uint8Array, checkpoint: Checkpoint): AnchorJudgement
  judgeBeacon(proof: Uint8Array, beacon: Beacon): BeaconJudgement
}

export interface Pin {
  /** What an anchor or a beacon calls this ledger: 32 bytes in hex. */
  readonly ledgerId: string
  /** Which code the regulator believes the ledger to run. */
  readonly code: string
}

export type AnchorJudgement =
  | { readonly holds: false; readonly why: string }
  | {
      readonly holds: true
      readonly ledgerId: string
      readonly code: string
      /** Whether a ledger with this code takes only extensions of what it took before. */
      readonly extensionsOnly: boolean
      readonly timeMs: number | null
      /** The ledger's own number of the entry or block: it grows with the sizes that are anchored. */
      readonly height: number
    }

export type BeaconJudgement =
  | { readonly holds: false; readonly why: string }
  | { readonly holds: true; readonly timeMs: number | null }
