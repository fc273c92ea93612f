import type { HashId } from '../evidence/model.ts'
import type { Checkpoint } from '../evidence/seal.ts'

/** What a ledger is asked for. */
export type LedgerRequest = AnchorRequest | RotationRequest | ForkReport

/** Asks for a checkpoint that extends the one at `oldSize`: the next anchor and any catch-up alike. */
export interface AnchorRequest extends Checkpoint {
  readonly type: 'anchor'
  /** The head that the ledger showed; of size 0 the root is the empty tree's. */
  readonly oldSize: number
  readonly oldRoot: Uint8Array
  readonly key: Uint8Array
  /** The gateway's SM2 signature over M. */
  readonly signature: Uint8Array
  readonly consistency: Uint8Array
}

/** The key that follows header `seq`. Both keys sign the rotation message. */
export interface RotationRequest {
  readonly type: 'rotation'
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly seq: number
  readonly newKey: Uint8Array
  readonly oldSignature: Uint8Array
  readonly newSignature: Uint8Array
  /** The address that will write on a chain from then on, where it changes: it must ask for the same. */
  readonly account?: Uint8Array
}

/** Two checkpoints of one size and two roots, signed by one key: anybody may report them. */
export interface ForkReport extends Omit<Checkpoint, 'root'> {
  readonly type: 'fork'
  readonly key: Uint8Array
  readonly forks: readonly [Fork, Fork]
}
export interface Fork {
  readonly root: Uint8Array
  readonly signature: Uint8Array
}

/** Asked by the registrar, and by nobody else. */
export interface Admission {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly hashId: HashId
  readonly key: Uint8Array
  /** The address that will write on a chain, where it is not the registrar's own. */
  readonly account?: Uint8Array
}
