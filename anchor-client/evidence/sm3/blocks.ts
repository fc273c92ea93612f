import { scalarBase64 } from './compiled.ts'
import { instantiated } from './instance.ts'
import { absorbInJavaScript, finishInJavaScript } from './javascript.ts'
import { layout } from './layout.ts'

/** SM3 step by step, for whoever keeps the state: eight words. */
export interface Sm3Blocks {
  /** Takes in bytes of a length that 64 divides, and changes the state. */
  readonly absorb: (state: Int32Array, bytes: Uint8Array) => void
  /** The digest after fewer than 64 last bytes, of a message of `length` in all. The state stays as it is. */
  readonly finish: (state: Int32Array, rest: Uint8Array, length: number) => Uint8Array
}

/** The fastest that this engine runs. */
export const openBlocks = (): Sm3Blocks => openBlocksScalar() ?? blocksInJavaScript

export const blocksInJavaScript: Sm3Blocks = {
  absorb: absorbInJavaScript,
  finish: finishInJavaScript,
}

interface Scalar {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly absorb: (length: number) => void
  readonly finish: (length: number, high: number, low: number) => void
}

/** An instance of its own: the one that hashes at once has other bytes in its memory. */
export function openBlocksScalar(): Sm3Blocks | undefined {
  const scalar = instantiated<Scalar>(scalarBase64)
  if (scalar === undefined) return undefined
  const bytes = new Uint8Array(scalar.memory.buffer)
  const inside = new Int32Array(scalar.memory.buffer, layout.state, 8)
  const { message, messageCapacity: capacity, digest } = layout
  return {
    absorb(state, taken) {
      inside.set(state)
      for (let at = 0; at < taken.length; at += capacity) {
        const piece = taken.subarray(at, at + capacity)
        bytes.set(piece, message)
        scalar.absorb(piece.length)
      }
      state.set(inside)
    },
    finish(state, rest, length) {
      inside.set(state)
      bytes.set(rest, message)
      scalar.finish(rest.length, Math.floor(length / 2 ** 29), length << 3)
      return bytes.slice(digest, digest + 32)
    },
  }
}
