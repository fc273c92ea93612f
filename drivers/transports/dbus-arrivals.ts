import { garbled } from './dbus-types.ts'

/** Bytes as they arrive; nothing is joined before all that is asked for is there. */
export function byteQueue() {
  let chunks: Uint8Array[] = []
  let length = 0
  const joined = (): Uint8Array => {
    if (chunks.length > 1) chunks = [Buffer.concat(chunks)]
    return chunks[0] ?? new Uint8Array()
  }
  const peek = (count: number) => (length < count ? null : joined().subarray(0, count))
  const take = (count: number): Uint8Array | null => {
    const bytes = peek(count)
    if (bytes === null) return null
    chunks = [joined().subarray(count)]
    length -= count
    return bytes
  }
  return {
    push(bytes: Uint8Array): void {
      chunks.push(bytes)
      length += bytes.length
    },
    peek,
    take,
    /** Up to CR LF, without them: the words before the first message are lines. */
    line(): string | null {
      const end = Buffer.from(joined()).indexOf('\r\n')
      if (end < 0 && length > 1024) throw garbled('an endless line')
      const bytes = end < 0 ? null : take(end + 2)
      return bytes && Buffer.from(bytes.subarray(0, end)).toString('latin1')
    },
  }
}
