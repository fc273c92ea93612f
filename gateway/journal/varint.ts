/** Whole numbers of few bytes where they are small: seven bits a byte, the lowest first. */

export interface Writer {
  bytes: Uint8Array
  at: number
}

export interface Reader {
  readonly bytes: Uint8Array
  at: number
}

export const maxVarintBytes = 8

export function writeVarint(writer: Writer, value: number): void {
  let left = value
  while (left >= 0x80) {
    writer.bytes[writer.at++] = (left % 0x80) | 0x80
    left = Math.floor(left / 0x80)
  }
  writer.bytes[writer.at++] = left
}

/** How many bytes it takes. */
export function varintBytes(value: number): number {
  let bytes = 1
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) bytes += 1
  return bytes
}

/** NaN where the bytes end too early or the number is beyond 2^53. */
export function readVarint(reader: Reader): number {
  let value = 0
  for (let scale = 1; scale < 2 ** 56; scale *= 0x80) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) return Number.NaN
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return Number.isSafeInteger(value) ? value : Number.NaN
  }
  return Number.NaN
}
