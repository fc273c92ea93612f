import { concat, equalBytes } from './bytes.ts'
import { type Hash, hashCount, largestPowerBelow, nodeHash } from './merkle.ts'

/** Consistency proofs of RFC 9162 section 2.1.4: that a larger tree begins with all of a smaller one. */

/** The root over the leaves [low, high) of the larger tree, for the subtrees that RFC 9162 splits it into. */
export type SubtreeRoot = (low: number, high: number) => Uint8Array

/** The list of hashes that shows the tree of `newSize` leaves to extend the one of its first `oldSize`. */
export function consistencyProof(
  subtree: SubtreeRoot,
  oldSize: number,
  newSize: number,
): Uint8Array {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) {
    throw new TypeError(`no tree of ${newSize} leaves extends one of ${oldSize}`)
  }
  // Every tree extends the empty one and itself.
  if (oldSize === 0 || oldSize === newSize) return new Uint8Array()
  const hashes: Uint8Array[] = []
  const walk = (low: number, high: number): void => {
    if (high === oldSize) {
      // The verifier holds the whole old root, but not that of an old subtree.
      if (low > 0) hashes.push(subtree(low, high))
      return
    }
    const middle = low + largestPowerBelow(high - low)
    if (oldSize <= middle) {
      walk(low, middle)
      hashes.push(subtree(middle, high))
    } else {
      walk(middle, high)
      hashes.push(subtree(low, middle))
    }
  }
  walk(0, newSize)
  return concat(...hashes)
}

/**
 * Whether the tree (newSize, newRoot) extends the tree (oldSize, oldRoot) by just this proof. Roots do not
 * bind their sizes: another size whose tree splits alike passes as well, so compare heads before or after.
 */
export function isExtension(
  hash: Hash,
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  proof: Uint8Array,
): boolean {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false
  if (oldRoot.length !== 32 || newRoot.length !== 32 || proof.length % 32 !== 0) return false
  if (oldSize === 0 && !equalBytes(oldRoot, hash())) return false
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot)
  if (oldSize === 0) return proof.length === 0

  let used = 0
  const next = (): Uint8Array => proof.subarray(32 * used, 32 * ++used)
  const walk = (low: number, high: number): Roots => {
    if (high === oldSize) {
      const root = low === 0 ? oldRoot : next()
      return { old: root, new: root }
    }
    const middle = low + largestPowerBelow(high - low)
    if (oldSize <= middle) {
      const left = walk(low, middle)
      return { old: left.old, new: nodeHash(hash, left.new, next()) }
    }
    const right = walk(middle, high)
    const left = next()
    return { old: nodeHash(hash, left, right.old), new: nodeHash(hash, left, right.new) }
  }
  const roots = walk(0, newSize)
  // Beyond the proof's end `next` gives empty hashes, which the count shows.
  if (used !== hashCount(proof)) return false
  return equalBytes(roots.old, oldRoot) && equalBytes(roots.new, newRoot)
}

/** What both trees have of a subtree: the old root over its old leaves, the new one over all. */
interface Roots {
  readonly old: Uint8Array
  readonly new: Uint8Array
}

const isSize = (size: number): boolean => Number.isSafeInteger(size) && size >= 0
