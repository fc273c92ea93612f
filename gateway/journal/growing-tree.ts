/**
 * A tree that only grows. Each growth also gives the nodes that became complete with it: they are stored with
 * the batch, so that any path is found again without hashing the past, and damage hides few neighbours.
 */
import { concat } from '../../anchor-client/evidence/bytes.ts'
import {
  type Frontier,
  frontierRoot,
  type Hash,
  hashAt,
  hashCount,
  nodeHash,
} from '../../anchor-client/evidence/merkle.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'

/** Nodes of 16 leaves and more are kept on disk: a damaged frame hides at most 15 neighbours. */
export const keptLevel = 4

interface Growth {
  readonly from: number
  readonly size: number
  readonly root: Uint8Array
  /** Completed nodes of 16 leaves and more: by level, then by position. */
  readonly nodes: Uint8Array
  /** The subtrees of less than 16 leaves at the end, largest first. */
  readonly tail: Uint8Array
  readonly frontier: Frontier
}

/** Hashes pairs of nodes; the count is even. */
type Parents = (nodes: Uint8Array) => Uint8Array

export const sm3Parents: Parents = (nodes) => sm3Batch().parents(nodes)

export const parentsOf = (hash: Hash): Parents =>
  hash === sm3
    ? sm3Parents
    : (nodes) =>
        concat(
          ...Array.from({ length: hashCount(nodes) / 2 }, (_, i) =>
            nodeHash(hash, hashAt(nodes, 2 * i), hashAt(nodes, 2 * i + 1)),
          ),
        )

export const emptyFrontier = (): Frontier => ({ subtrees: [], size: 0 })

/** The tree with these leaf hashes after those it has. The frontier given stays as it is. */
export function grow(
  hash: Hash,
  parents: Parents,
  { subtrees, size: from }: Frontier,
  leaves: Uint8Array,
): Growth {
  const size = from + hashCount(leaves)
  const edge = new Map(subtrees.map((subtree) => [subtree.leaves, subtree.hash]))
  const kept: Uint8Array[] = []
  let nodes = leaves
  let position = from
  for (let level = 0, width = 1; nodes.length > 0; level++, width *= 2) {
    if (level >= keptLevel) kept.push(nodes)
    const sibling = edge.get(width)
    if (position % 2 === 1 && sibling) {
      nodes = concat(sibling, nodes)
      edge.delete(width)
    }
    const pairs = Math.floor(hashCount(nodes) / 2)
    if (hashCount(nodes) % 2 === 1) edge.set(width, nodes.slice(-32))
    nodes = parents(nodes.subarray(0, 64 * pairs))
    position = Math.floor(position / 2)
  }
  const frontier: Frontier = {
    subtrees: Array.from(edge, ([leaves, hash]) => ({ leaves, hash })).sort(
      (a, b) => b.leaves - a.leaves,
    ),
    size,
  }
  return {
    from,
    size,
    root: frontierRoot(hash, frontier),
    nodes: concat(...kept),
    tail: concat(
      ...frontier.subtrees.filter(({ leaves }) => leaves < 2 ** keptLevel).map(({ hash }) => hash),
    ),
    frontier,
  }
}

/** Where in a growth's `nodes` the node over [low, high) stands, or -1 where it is not among them. */
export function placeOfNode(from: number, size: number, low: number, high: number): number {
  let before = 0
  for (let width = 2 ** keptLevel; width <= high - low; width *= 2) {
    const first = Math.floor(from / width)
    const count = Math.floor(size / width) - first
    if (width === high - low) {
      const place = low / width - first
      return place >= 0 && place < count ? before + place : -1
    }
    before += count
  }
  return -1
}
