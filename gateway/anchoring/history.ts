/** What anchoring must know of the gateway's own history. The journal and the signing keys answer. */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import type { HashId } from '../../anchor-client/evidence/model.ts'
import { type Checkpoint, checkpointHead } from '../../anchor-client/evidence/seal.ts'

export interface History {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly hashId: HashId
  /** The newest checkpoint that was signed and may be anchored, or null. */
  newest(): SignedHead | null
  /** Sealed headers so far (signed or not): no ledger may know more. */
  size(): number
  /** 0 < size <= size() */
  rootAt(size: number): Promise<Uint8Array>
  consistency(oldSize: number, newSize: number): Promise<Uint8Array>
  /**
   * The checkpoint of this size as it was signed, or signed again. Asked only for sizes that a ledger already
   * holds with our root, where a second signature is no fork.
   */
  signedAt(size: number): Promise<SignedHead>
}

export interface SignedHead {
  readonly size: number
  readonly root: Uint8Array
  readonly key: Uint8Array
  readonly signature: Uint8Array
}

export const checkpointOf = (
  { gateway, incarnation, hashId }: History,
  size: number,
  root: Uint8Array,
): Checkpoint => ({ gateway, incarnation, hashId, size, root })

/** What a ledger holds, seen from here. Of size 0 there is nothing to compare. */
export async function judgeHeld(
  history: History,
  { size, head }: { readonly size: number; readonly head: Uint8Array },
): Promise<'ours' | 'ahead' | 'other'> {
  if (size === 0) return 'ours'
  if (size > history.size()) return 'ahead'
  const ours = checkpointHead(checkpointOf(history, size, await history.rootAt(size)))
  return equalBytes(ours, head) ? 'ours' : 'other'
}
