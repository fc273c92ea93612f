import { bigEndian, utf8 } from '../golden/bytes.ts'
import { type Hash, historyHash } from '../golden/hash.ts'
import { treeRoot } from '../golden/tree.ts'
import { subproof } from './subproof.ts'

/** A history of invented headers, as RFC 9162 defines its roots and its proofs, word for word. */
export interface NaiveHistory {
  readonly hash: Hash
  rootAt(size: number): Uint8Array
  headAt(size: number): Uint8Array
  proof(oldSize: number, newSize: number): Uint8Array[]
}

/** @param sharedUntil up to this size all histories of a hash are one */
export function naiveHistory(hashId: 1 | 2, name = '', sharedUntil = 0): NaiveHistory {
  const hash = historyHash(hashId)
  const leaf = (i: number) => hash(utf8(i < sharedUntil ? `leaf ${i}` : `leaf ${name} ${i}`))
  const leaves: Uint8Array[] = []
  const known = new Map<string, Uint8Array>()
  const subtree = (low: number, high: number): Uint8Array => {
    while (leaves.length < high) leaves.push(leaf(leaves.length))
    const span = `${low} ${high}`
    const root = known.get(span) ?? treeRoot(leaves.slice(low, high), hash)
    known.set(span, root)
    return root
  }
  const rootAt = (size: number) => subtree(0, size)
  return {
    hash,
    rootAt,
    headAt: (size) => headOf(hash, size, rootAt(size)),
    proof: (oldSize, newSize) =>
      oldSize === 0
        ? []
        : subproof(oldSize, 0, newSize, true).map(([low, high]) => subtree(low, high)),
  }
}

export const headOf = (hash: Hash, size: number, root: Uint8Array): Uint8Array =>
  hash(Uint8Array.of(3), bigEndian(size, 8), root)
