/** Cuts a stream of bytes into MQTT control packets; a publication that is too long loses its end, not its place. */
import { Buffer } from 'node:buffer'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

interface MqttFrames {
  /** The packets that are whole by now. Throws SENSOR_GARBLED for what no packet can be. */
  feed(chunk: Uint8Array): readonly Buffer[]
}

/**
 * @param maxBytes of a packet's body. Who cannot refuse a long publication must at least not hold it in memory: what
 *   is left of it still has its topic and its number, so that it can be refused on record and acknowledged.
 */
export function openMqttFrames(maxBytes: number): MqttFrames {
  let rest = Buffer.alloc(0)
  let surplus = 0

  function next(): Buffer | undefined {
    let length = 0
    let at = 1
    for (; ; at++) {
      if (at > 4) throw garbled('a length of more than four bytes')
      const byte = rest[at]
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * 128 ** (at - 1)
      if (byte < 0x80) break
    }
    const kept = Math.min(length, maxBytes)
    const start = at + 1
    if (rest.length < start + kept) return undefined
    const first = rest[0] as number
    if (kept < length && first >> 4 !== publish) throw garbled('a packet that is too long')
    const body = rest.subarray(start, start + kept)
    const frame =
      kept === length
        ? rest.subarray(0, start + kept)
        : Buffer.concat([Buffer.of(first, ...lengthOf(kept)), body])
    rest = rest.subarray(start + kept)
    surplus = length - kept
    return frame
  }

  return {
    feed(chunk) {
      rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
      const frames: Buffer[] = []
      while (rest.length > 0) {
        const skipped = Math.min(surplus, rest.length)
        rest = rest.subarray(skipped)
        surplus -= skipped
        const frame = next()
        if (frame === undefined) break
        frames.push(frame)
      }
      return frames
    },
  }
}

const publish = 3

const garbled = (what: string) => new KedgeError('SENSOR_GARBLED', what)

function lengthOf(length: number): number[] {
  const bytes = [length % 128]
  for (let left = Math.floor(length / 128); left > 0; left = Math.floor(left / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80
    bytes.push(left % 128)
  }
  return bytes
}
