import { scalarBase64 } from './compiled.ts'
import { instantiated } from './instance.ts'
import { sm3InJavaScript } from './javascript.ts'
import { layout } from './layout.ts'

export type Sm3OfParts = (parts: readonly Uint8Array[]) => Uint8Array

/** The fastest that this engine runs. */
export const openSm3 = (): Sm3OfParts => openScalar() ?? sm3InJavaScript

interface Scalar {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** The digest of so many bytes at `message`. */
  readonly hash: (length: number) => void
  readonly begin: () => void
  /** Takes in so many bytes at `message`, a multiple of 64. */
  readonly absorb: (length: number) => void
  /** Takes in the last bytes at `message`, with the bits of the whole in two words. */
  readonly finish: (length: number, high: number, low: number) => void
}

/** Undefined where there is no WebAssembly, or where a page's policy forbids it. */
export function openScalar(): Sm3OfParts | undefined {
  const scalar = instantiated<Scalar>(scalarBase64)
  if (scalar === undefined) return undefined
  const bytes = new Uint8Array(scalar.memory.buffer)
  const digest = bytes.subarray(layout.digest, layout.digest + 32)
  const { message, messageCapacity: capacity } = layout

  return (parts) => {
    let length = 0
    for (const part of parts) length += part.length
    if (length > capacity) return hashLong(parts, length)
    let at = message
    for (const part of parts) {
      // A call to copy costs more than a prefix is long.
      if (part.length >= 16) bytes.set(part, at)
      else for (let i = 0; i < part.length; i++) bytes[at + i] = part[i] as number
      at += part.length
    }
    scalar.hash(length)
    return new Uint8Array(digest)
  }

  function hashLong(parts: readonly Uint8Array[], length: number): Uint8Array {
    const { begin, absorb, finish } = scalar as Scalar
    begin()
    let filled = 0
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        const taken = Math.min(capacity - filled, part.length - at)
        bytes.set(part.subarray(at, at + taken), message + filled)
        at += taken
        filled += taken
        if (filled < capacity) continue
        absorb(capacity)
        filled = 0
      }
    }
    finish(filled, Math.floor(length / 2 ** 29), length << 3)
    return new Uint8Array(digest)
  }
}
