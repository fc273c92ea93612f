import { type Hash, nodeHash } from '../../anchor-client/evidence/merkle.ts'

/** A whole tree in memory, for files larger than the golden ones: it gives the root and every proof. */
export interface Tree {
  readonly root: Uint8Array
  /** The siblings from the leaf up, as a list of hashes. */
  path(index: number): Uint8Array
  /** What stands left and right of [from, to). */
  range(from: number, to: number): { left: Uint8Array; right: Uint8Array }
}

/** @param leaves leaf hashes, one after the other */
export function treeOf(hash: Hash, leaves: Uint8Array): Tree {
  const size = leaves.length / 32
  // levels[k] holds the hashes of all complete subtrees of 2^k leaves.
  const levels = [leaves]
  for (let below = leaves; below.length >= 64; below = levels.at(-1) as Uint8Array) {
    const level = new Uint8Array(32 * Math.floor(below.length / 64))
    for (let at = 0; at < level.length; at += 32) {
      const left = below.subarray(2 * at, 2 * at + 32)
      level.set(nodeHash(hash, left, below.subarray(2 * at + 32, 2 * at + 64)), at)
    }
    levels.push(level)
  }

  function subtree(low: number, high: number): Uint8Array {
    const width = high - low
    const level = Math.log2(width)
    if (Number.isInteger(level)) {
      const at = 32 * (low / width)
      return (levels[level] as Uint8Array).subarray(at, at + 32)
    }
    const middle = low + split(width)
    return nodeHash(hash, subtree(low, middle), subtree(middle, high))
  }

  function path(index: number): Uint8Array {
    const siblings: Uint8Array[] = []
    for (let low = 0, high = size; high - low > 1; ) {
      const middle = low + split(high - low)
      if (index < middle) {
        siblings.push(subtree(middle, high))
        high = middle
      } else {
        siblings.push(subtree(low, middle))
        low = middle
      }
    }
    return join(siblings.reverse())
  }

  function range(from: number, to: number) {
    const left: Uint8Array[] = []
    const right: Uint8Array[] = []
    const walk = (low: number, high: number): void => {
      if (high <= from) left.push(subtree(low, high))
      else if (low >= to) right.push(subtree(low, high))
      else if (high - low > 1) {
        const middle = low + split(high - low)
        walk(low, middle)
        walk(middle, high)
      }
    }
    walk(0, size)
    return { left: join(left), right: join(right) }
  }

  return { root: subtree(0, size), path, range }
}

export function join(hashes: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(32 * hashes.length)
  for (const [i, hash] of hashes.entries()) joined.set(hash, 32 * i)
  return joined
}

const split = (width: number): number => 2 ** (Math.ceil(Math.log2(width)) - 1)
