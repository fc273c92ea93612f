// The trees of section 3, as they are defined there and as slowly as that is.
import { join } from './bytes.ts'
import { type Hash, sm3 } from './hash.ts'

/** A subtree [lo, hi) by position. */
export type Span = readonly [lo: number, hi: number]

export const treeRoot = (leaves: readonly Uint8Array[], hash: Hash = sm3): Uint8Array => {
  const [only] = leaves
  if (only === undefined) return hash()
  if (leaves.length === 1) return only
  const k = split(leaves.length)
  return hash(Uint8Array.of(1), treeRoot(leaves.slice(0, k), hash), treeRoot(leaves.slice(k), hash))
}

/** The siblings of leaf i, from the leaf up. */
export const inclusionPath = (
  leaves: readonly Uint8Array[],
  i: number,
  hash: Hash = sm3,
): readonly Uint8Array[] => {
  if (leaves.length <= 1) return []
  const k = split(leaves.length)
  const left = leaves.slice(0, k)
  const right = leaves.slice(k)
  return i < k
    ? [...inclusionPath(left, i, hash), treeRoot(right, hash)]
    : [...inclusionPath(right, i - k, hash), treeRoot(left, hash)]
}

/** Which subtrees of a tree of size n make the left and right list of [a, b). */
export const rangeSpans = (n: number, a: number, b: number): { left: Span[]; right: Span[] } => {
  const left: Span[] = []
  const right: Span[] = []
  const walk = (lo: number, hi: number): void => {
    if (hi <= a) left.push([lo, hi])
    else if (lo >= b) right.push([lo, hi])
    else if (hi - lo > 1) {
      const middle = lo + split(hi - lo)
      walk(lo, middle)
      walk(middle, hi)
    }
  }
  walk(0, n)
  return { left, right }
}

/** The aligned nodes of [c, d). */
export const alignedSpans = (c: number, d: number): readonly Span[] => {
  const spans: Span[] = []
  for (let p = c; p < d; ) {
    let width = 1
    while (p % (2 * width) === 0 && p + 2 * width <= d) width *= 2
    spans.push([p, p + width])
    p += width
  }
  return spans
}

/** A list of hashes: one byte string. */
export const nodes = (leaves: readonly Uint8Array[], spans: readonly Span[]): Uint8Array =>
  join(...spans.map(([lo, hi]) => treeRoot(leaves.slice(lo, hi))))

const split = (n: number): number => {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}
