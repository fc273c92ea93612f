import { fourBase64, scalarBase64 } from './compiled.ts'
import { instantiated } from './instance.ts'
import { sm3InJavaScript } from './javascript.ts'
import { layout } from './layout.ts'

/** Hashing many messages that lie in `memory`, as `layout` says: `from` and `to` are addresses in it. */
export interface Many {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** Messages of equal length, each after a prefix byte unless that is negative. */
  readonly each: (from: number, to: number, count: number, length: number, prefix: number) => void
  /** Messages that end where `layout.ends` says. */
  readonly slices: (from: number, to: number, count: number) => void
}

/** The fastest that this engine runs. */
export const openMany = (): Many => openFour() ?? openManyScalar() ?? openManyInJavaScript()

/** Four at a time, or undefined where there is no SIMD: its instructions do not validate there. */
export const openFour = (): Many | undefined => instantiated<Many>(fourBase64)

export const openManyScalar = (): Many | undefined => instantiated<Many>(scalarBase64)

export function openManyInJavaScript(): Many {
  const bytes = new Uint8Array(65_536 * layout.pages)
  const ends = new Uint32Array(bytes.buffer, layout.ends, layout.most)
  const hash = (to: number, ...parts: readonly Uint8Array[]) =>
    bytes.set(sm3InJavaScript(parts), to)
  return {
    memory: bytes,
    each(from, to, count, length, prefix) {
      const before = prefix < 0 ? new Uint8Array() : Uint8Array.of(prefix)
      for (let i = 0; i < count; i++) {
        const start = from + length * i
        hash(to + 32 * i, before, bytes.subarray(start, start + length))
      }
    },
    slices(from, to, count) {
      for (let i = 0, start = from; i < count; i++) {
        const end = from + (ends[i] as number)
        hash(to + 32 * i, bytes.subarray(start, end))
        start = end
      }
    },
  }
}
