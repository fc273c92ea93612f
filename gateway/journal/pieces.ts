/** Leaf hashes of one stream as frames held them, put in order: what is missing between them is a hole. */
import { concat } from '../../anchor-client/evidence/bytes.ts'

/** An empty one says that indices up to its start were given away. */
export interface Piece {
  readonly start: number
  readonly hashes: Uint8Array
}

/** Indices [from, to). */
export interface Hole {
  readonly from: number
  readonly to: number
}

interface Assembled {
  /** 32 bytes an index; zeros in the holes. */
  readonly hashes: Uint8Array
  readonly holes: readonly Hole[]
  /** What lies at `to` or beyond. */
  readonly rest: Piece[]
}

export function assemble(pieces: readonly Piece[], from: number, to: number): Assembled {
  const sorted = pieces.toSorted((a, b) => a.start - b.start)
  const [only] = sorted
  // Nearly always: one after the other, and nothing is missing.
  const ends = sorted.map(({ start, hashes }) => start + hashes.length / 32)
  if (only && sorted.every(({ start }, i) => start === (i === 0 ? from : ends[i - 1]))) {
    if (ends.at(-1) === to) {
      return { hashes: concat(...sorted.map(({ hashes }) => hashes)), holes: [], rest: [] }
    }
  }
  const all = new Uint8Array(32 * Math.max(0, to - from))
  const isThere = new Uint8Array(Math.max(0, to - from))
  const rest: Piece[] = []
  for (const { start, hashes } of sorted) {
    const count = hashes.length / 32
    const [low, high] = [Math.max(from, start), Math.min(to, start + count)]
    if (low < high) {
      all.set(hashes.subarray(32 * (low - start), 32 * (high - start)), 32 * (low - from))
      isThere.fill(1, low - from, high - from)
    }
    if (start + count > to || (count === 0 && start > to)) {
      const skip = Math.max(0, to - start)
      rest.push({ start: start + skip, hashes: hashes.subarray(32 * skip) })
    }
  }
  return { hashes: all, holes: holesIn(isThere, from), rest }
}

function holesIn(isThere: Uint8Array, from: number): Hole[] {
  const holes: { from: number; to: number }[] = []
  for (const [i, there] of isThere.entries()) {
    if (there === 1) continue
    const last = holes.at(-1)
    if (last?.to === from + i) last.to++
    else holes.push({ from: from + i, to: from + i + 1 })
  }
  return holes
}
