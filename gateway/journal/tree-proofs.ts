/** Paths and ranges of trees that lie on the disk: which nodes are wanted follows from FORMAT.md section 3. */
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { consistencyProof } from '../../anchor-client/evidence/consistency.ts'
import {
  alignedSizes,
  type Hash,
  hashCount,
  largestPowerBelow,
  nodeHash,
} from '../../anchor-client/evidence/merkle.ts'

/** The node over [low, high): complete, and as wide as a power of two. */
export type NodeAt = (low: number, high: number) => Promise<Uint8Array>

/** The root over [low, high) in the shape of RFC 9162, from complete nodes. */
export async function subtreeRoot(
  hash: Hash,
  node: NodeAt,
  low: number,
  high: number,
): Promise<Uint8Array> {
  if (high === low) return hash()
  const nodes: Uint8Array[] = []
  for (const [from, to] of alignedSpans(low, high)) nodes.push(await node(from, to))
  return nodes.reduceRight((right, left) => nodeHash(hash, left, right))
}

/** The siblings of a leaf, from the leaf up. */
export async function inclusionPath(
  hash: Hash,
  node: NodeAt,
  index: number,
  size: number,
): Promise<Uint8Array> {
  const path: Uint8Array[] = []
  let [low, high] = [0, size]
  while (high - low > 1) {
    const middle = low + largestPowerBelow(high - low)
    const isLeft = index < middle
    const [from, to] = isLeft ? [middle, high] : [low, middle]
    path.push(await subtreeRoot(hash, node, from, to))
    if (isLeft) high = middle
    else low = middle
  }
  return concat(...path.reverse())
}

/** The aligned nodes of [from, to), in order. */
export async function alignedNodes(node: NodeAt, from: number, to: number): Promise<Uint8Array> {
  const nodes: Uint8Array[] = []
  for (const [low, high] of alignedSpans(from, to)) nodes.push(await node(low, high))
  return concat(...nodes)
}

function alignedSpans(from: number, to: number): (readonly [number, number])[] {
  let at = from
  return alignedSizes(from, to).map((width) => {
    at += width
    return [at - width, at]
  })
}

/** What stands to the right of [0, to) in a tree of this size. */
export async function nodesBeyond(
  hash: Hash,
  node: NodeAt,
  to: number,
  size: number,
): Promise<Uint8Array> {
  const nodes: Uint8Array[] = []
  const walk = async (low: number, high: number): Promise<void> => {
    if (high <= to) return
    if (low >= to) {
      nodes.push(await subtreeRoot(hash, node, low, high))
      return
    }
    const middle = low + largestPowerBelow(high - low)
    await walk(low, middle)
    await walk(middle, high)
  }
  await walk(0, size)
  return concat(...nodes)
}

export async function consistency(
  hash: Hash,
  node: NodeAt,
  oldSize: number,
  newSize: number,
): Promise<Uint8Array> {
  // The proof is asked for twice: once to learn which nodes it wants, once with them at hand.
  const wanted: (readonly [number, number])[] = []
  consistencyProof(
    (low, high) => {
      wanted.push([low, high])
      return new Uint8Array(32)
    },
    oldSize,
    newSize,
  )
  const nodes: Uint8Array[] = []
  for (const [low, high] of wanted) nodes.push(await subtreeRoot(hash, node, low, high))
  let next = 0
  return consistencyProof(() => nodes[next++] as Uint8Array, oldSize, newSize)
}

/** The path of one leaf in a tree whose leaves are all at hand. */
export function pathAmong(hash: Hash, leaves: Uint8Array, index: number): Uint8Array {
  const path: Uint8Array[] = []
  const rootOf = (low: number, high: number): Uint8Array => {
    if (high - low === 1) return leaves.subarray(32 * low, 32 * high)
    const middle = low + largestPowerBelow(high - low)
    return nodeHash(hash, rootOf(low, middle), rootOf(middle, high))
  }
  let [low, high] = [0, hashCount(leaves)]
  while (high - low > 1) {
    const middle = low + largestPowerBelow(high - low)
    const isLeft = index < middle
    path.push(isLeft ? rootOf(middle, high) : rootOf(low, middle))
    if (isLeft) high = middle
    else low = middle
  }
  return concat(...path.reverse())
}
