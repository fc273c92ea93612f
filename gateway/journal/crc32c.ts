/** The check of LevelDB's own files. */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest
})

export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let check = -1
  for (let i = from; i < to; i++) check = step(check, bytes[i] as number)
  return ~check >>> 0
}

const step = (check: number, byte: number): number =>
  (table[(check ^ byte) & 0xff] as number) ^ (check >>> 8)

/** How many bytes from `from` on the check that follows them is of, the last one being at most `mostLast`; or -1. */
export function lengthByCheck(bytes: Uint8Array, from: number, mostLast: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let check = -1
  for (let i = from; i + 5 <= bytes.length; i++) {
    check = step(check, bytes[i] as number)
    if ((bytes[i] as number) > mostLast) continue
    if (view.getUint32(i + 1, true) === masked(~check >>> 0)) return i + 1 - from
  }
  return -1
}

/** LevelDB stores a check turned and added to, as checks of checks are weak. */
export const masked = (check: number): number =>
  (((check >>> 15) | (check << 17)) + 0xa282ead8) >>> 0
