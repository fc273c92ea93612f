/** Sealed trees computed anew from the leaves that frames hold, and what of them is not there any more. */
import { compareBytes, equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { type Frontier, hashAt, historyHash } from '../../anchor-client/evidence/merkle.ts'
import { type Frame, runsOf, type StoredLeaf } from './frame.ts'
import { grow, keptLevel, placeOfNode, sm3Parents } from './growing-tree.ts'
import { leafHashes } from './leaf-hashes.ts'
import { assemble, type Hole, type Piece } from './pieces.ts'
import type { RunHead } from './run-heads.ts'
import type { SealedSegment } from './seal-row.ts'

/** Sealed, and no longer there. */
export interface Damaged extends Hole {
  readonly tag: Uint8Array
  /** Of the seal that says so. */
  readonly size: number
  readonly root: Uint8Array
}

interface Tree {
  readonly tag: Uint8Array
  sealed: Frontier
}

interface Segments {
  /** The leaves of a frame, run by run. */
  add(frame: Frame): readonly (readonly [stream: number, leaves: readonly StoredLeaf[]])[]
  /** A frame that is gone: these indices were given away. */
  gone(runs: readonly RunHead[]): void
  /** Judges what was added since the last seal, and moves the tree on; false where nobody knows how it stands. */
  seal(tree: Tree, segment: SealedSegment): boolean
  /** What was added of this stream and is not sealed. */
  unsealed(stream: number): readonly Piece[]
  /** Of a stream that is closed. */
  forget(stream: number): void
  /** All that `seal` missed so far, neighbours made one. */
  damage(): Damaged[]
}

const keptLeaves = 2 ** keptLevel

export function openSegments(): Segments {
  const pieces = new Map<number, Piece[]>()
  const found: Damaged[] = []
  const piecesOf = (stream: number): Piece[] => {
    const of = pieces.get(stream) ?? []
    pieces.set(stream, of)
    return of
  }
  return {
    add(frame) {
      return runsOf(frame).map(({ stream, start, leaves }) => {
        piecesOf(stream).push({ start, hashes: leafHashes(leaves) })
        return [stream, leaves] as const
      })
    },
    gone(runs) {
      for (const { stream, start, count } of runs) {
        piecesOf(stream).push({ start: start + count, hashes: new Uint8Array() })
      }
    },
    seal(tree, segment) {
      const { stream, size, root } = segment
      const { hashes, holes, rest } = assemble(piecesOf(stream), tree.sealed.size, size)
      pieces.set(stream, rest)
      const grown = grow(historyHash(1), sm3Parents, tree.sealed, hashes)
      if (holes.length === 0 && equalBytes(grown.root, root)) {
        tree.sealed = grown.frontier
        return true
      }
      const gone = holes.length > 0 ? holes : [{ from: tree.sealed.size, to: size }]
      for (const hole of widened(gone, size)) found.push({ ...hole, tag: tree.tag, size, root })
      const frontier = frontierAfter(tree.sealed, segment)
      if (frontier) tree.sealed = frontier
      return frontier !== undefined
    },
    unsealed: (stream) => pieces.get(stream) ?? [],
    forget: (stream) => void pieces.delete(stream),
    damage: () => merged(found),
  }
}

/** What can be shown without these leaves: nodes of 16, and at the end of a seal the smaller ones kept with it. */
function widened(holes: readonly Hole[], size: number): Hole[] {
  const wide: { from: number; to: number }[] = []
  for (const { from, to } of holes) {
    const low = from - (from % keptLeaves)
    const high = Math.min(size, Math.ceil(to / keptLeaves) * keptLeaves)
    const last = wide.at(-1)
    if (last && low <= last.to) last.to = Math.max(last.to, high)
    else wide.push({ from: low, to: high })
  }
  return wide
}

/** A file carries neighbours as one run, under one record and its seal: the later one. */
function merged(found: readonly Damaged[]): Damaged[] {
  const all: Damaged[] = []
  for (const one of found.toSorted((a, b) => compareBytes(a.tag, b.tag) || a.from - b.from)) {
    const last = all.at(-1)
    if (last === undefined || !equalBytes(one.tag, last.tag) || one.from > last.to) {
      all.push(one)
      continue
    }
    const { tag, size, root } = one.size > last.size ? one : last
    all[all.length - 1] = { tag, from: last.from, to: Math.max(last.to, one.to), size, root }
  }
  return all
}

/** The frontier after a segment whose leaves are not all there, from the nodes that were kept with it. */
function frontierAfter(before: Frontier, { from, size, nodes, tail }: SealedSegment) {
  const after: { leaves: number; hash: Uint8Array }[] = []
  let [at, used] = [0, 0]
  for (let leaves = 2 ** 53; leaves >= 1; leaves /= 2) {
    if (at + leaves > size) continue
    const place = placeOfNode(from, size, at, at + leaves)
    const hash =
      leaves < keptLeaves
        ? hashAt(tail, used++)
        : place >= 0
          ? hashAt(nodes, place)
          : // It did not change since.
            at + leaves <= before.size
            ? before.subtrees.find((subtree) => subtree.leaves === leaves)?.hash
            : undefined
    if (hash === undefined) return undefined
    after.push({ leaves, hash })
    at += leaves
  }
  return { subtrees: after, size } satisfies Frontier
}
