/** LevelDB's compression, the other way round; undefined where the bytes are not what it makes. */
import { readVarint } from './varint.ts'

const longest = 64 * 1024 * 1024

export function unsnap(packed: Uint8Array): Uint8Array | undefined {
  const reader = { bytes: packed, at: 0 }
  const length = readVarint(reader)
  if (!(length <= longest)) return undefined
  const plain = new Uint8Array(length)
  let at = 0
  let next = reader.at
  const little = (bytes: number): number => {
    let value = 0
    for (let i = 0; i < bytes; i++) value += (packed[next++] ?? 0) * 2 ** (8 * i)
    return value
  }
  while (next < packed.length) {
    const tag = packed[next++] as number
    const kind = tag & 3
    let count = (tag >>> 2) + 1
    if (kind === 0) {
      if (count > 60) count = little(count - 60) + 1
      if (next + count > packed.length || at + count > length) return undefined
      plain.set(packed.subarray(next, next + count), at)
      next += count
    } else {
      if (kind === 1) count = ((tag >>> 2) & 7) + 4
      const back = kind === 1 ? (tag >>> 5) * 256 + little(1) : little(kind === 2 ? 2 : 4)
      if (back === 0 || back > at || at + count > length) return undefined
      // Byte by byte: what is copied may be what was just written.
      for (let i = 0; i < count; i++) plain[at + i] = plain[at + i - back] as number
    }
    at += count
  }
  return at === length ? plain : undefined
}
