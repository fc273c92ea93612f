import { sha256 } from '@noble/hashes/sha2.js'
import { concat, equalBytes } from './bytes.ts'
import type { HashId } from './model.ts'
import { sm3 } from './sm3.ts'

/** Trees in the shape of RFC 9162 (FORMAT.md section 3). */

export type Hash = (...parts: readonly Uint8Array[]) => Uint8Array

const sha256Of: Hash = (...parts) => sha256(concat(...parts))

/** The hash that an incarnation's history is built with. */
export const historyHash = (id: HashId): Hash => (id === 1 ? sm3 : sha256Of)

// Without the prefix byte an inner node could be passed off as a leaf.
const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** The leaf of a statement (a segment, a header) that is hashed as it stands. */
export const statementLeaf = (hash: Hash, statement: Uint8Array): Uint8Array =>
  hash(leafPrefix, statement)

export const nodeHash = (hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array =>
  hash(nodePrefix, left, right)

export const hashCount = (hashes: Uint8Array): number => hashes.length / 32
export const hashAt = (hashes: Uint8Array, i: number): Uint8Array =>
  hashes.subarray(32 * i, 32 * i + 32)

/** The root that an inclusion path leads to, or undefined where the path is not exactly what is needed. */
export function rootByPath(
  hash: Hash,
  leaf: Uint8Array,
  index: number,
  size: number,
  path: Uint8Array,
): Uint8Array | undefined {
  if (index >= size) return undefined
  // Sizes reach 2^53: BigInt-free halving, as bit operators would cut at 32 bits.
  let node = index
  let last = size - 1
  let root = leaf
  for (let i = 0; i < hashCount(path); i++) {
    if (last === 0) return undefined
    const sibling = hashAt(path, i)
    if (node % 2 === 1 || node === last) {
      root = nodeHash(hash, sibling, root)
      // A last node without sibling goes up unhashed until it is a right child.
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2)
        last = Math.floor(last / 2)
      }
    } else {
      root = nodeHash(hash, root, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? root : undefined
}

export const leadsTo = (
  hash: Hash,
  leaf: Uint8Array,
  index: number,
  size: number,
  path: Uint8Array,
  root: Uint8Array,
): boolean => {
  const found = rootByPath(hash, leaf, index, size, path)
  return found !== undefined && equalBytes(found, root)
}

interface Subtree {
  /** How many leaves: a power of two. */
  readonly leaves: number
  readonly hash: Uint8Array
}

/** The maximal complete subtrees of [0, size), largest first: all that an append-only tree must remember. */
export interface Frontier {
  readonly subtrees: Subtree[]
  size: number
}

/** The frontier of [0, size) from its hashes, or undefined where they are not as many as it needs. */
export function frontierOf(size: number, hashes: Uint8Array): Frontier | undefined {
  const leaves = powersOfTwo(size)
  if (hashCount(hashes) !== leaves.length) return undefined
  const subtrees = leaves.map((count, i) => ({ leaves: count, hash: hashAt(hashes, i) }))
  return { subtrees, size }
}

/** Appends a complete subtree, whose position must be a multiple of its leaves. */
export function append(hash: Hash, frontier: Frontier, leaves: number, subtree: Uint8Array): void {
  const { subtrees } = frontier
  let joined: Subtree = { leaves, hash: subtree }
  for (let last = subtrees.at(-1); last?.leaves === joined.leaves; last = subtrees.at(-1)) {
    subtrees.pop()
    joined = { leaves: 2 * joined.leaves, hash: nodeHash(hash, last.hash, joined.hash) }
  }
  subtrees.push(joined)
  frontier.size += leaves
}

/** Appends the aligned nodes of the next `count` leaves; false where they are not just those. */
export function appendNodes(
  hash: Hash,
  frontier: Frontier,
  count: number,
  nodes: Uint8Array,
): boolean {
  const sizes = alignedSizes(frontier.size, frontier.size + count)
  if (hashCount(nodes) !== sizes.length) return false
  for (const [i, leaves] of sizes.entries()) append(hash, frontier, leaves, hashAt(nodes, i))
  return true
}

/** How many leaves each aligned node of [from, to) has. */
export function alignedSizes(from: number, to: number): number[] {
  const sizes: number[] = []
  for (let at = from; at < to; at += sizes.at(-1) as number) {
    let leaves = 1
    while (at % (2 * leaves) === 0 && at + 2 * leaves <= to) leaves *= 2
    sizes.push(leaves)
  }
  return sizes
}

/** The root of the tree that holds just what was appended. */
export function frontierRoot(hash: Hash, { subtrees }: Frontier): Uint8Array {
  return subtrees.length === 0
    ? hash()
    : subtrees
        .map((subtree) => subtree.hash)
        .reduceRight((right, left) => nodeHash(hash, left, right))
}

/** The root at this size or a larger one, whose leaves beyond the frontier are stood for by `right`; undefined where those do not fit. */
export function rootBeyond(
  hash: Hash,
  frontier: Frontier,
  size: number,
  right: Uint8Array,
): Uint8Array | undefined {
  const { subtrees, size: covered } = frontier
  if (size === covered) return right.length === 0 ? frontierRoot(hash, frontier) : undefined
  let usedLeft = 0
  let usedRight = 0
  const walk = (low: number, high: number): Uint8Array => {
    if (high <= covered) return (subtrees[usedLeft++] as Subtree).hash
    if (low >= covered) return hashAt(right, usedRight++)
    const middle = low + largestPowerBelow(high - low)
    const left = walk(low, middle)
    return nodeHash(hash, left, walk(middle, high))
  }
  const root = walk(0, size)
  return usedRight === hashCount(right) ? root : undefined
}

function powersOfTwo(size: number): number[] {
  const powers: number[] = []
  for (let left = size, power = 2 ** 53; left > 0; power /= 2) {
    if (power > left) continue
    powers.push(power)
    left -= power
  }
  return powers
}

/** The largest power of two below a size of at least two: where RFC 9162 splits a tree. */
export function largestPowerBelow(size: number): number {
  let power = 1
  while (2 * power < size) power *= 2
  return power
}
