/** Cuts a stream of bytes into MQTT control packets, whatever pieces it comes in. */
import { Buffer } from 'node:buffer'

/** One control packet: its first byte, and what follows the length. */
export interface Frame {
  readonly first: number
  /** A view that the next `feed` may overwrite. */
  readonly body: Buffer
}

export interface Frames {
  feed(chunk: Buffer): void
  /** The next packet, undefined while it is not whole, or a word on what no packet can be. */
  next(): Frame | 'malformed' | 'too large' | undefined
  /** Whether a packet was begun that is not whole. */
  readonly isMidway: boolean
}

/** @param maxBytes of a body: compared with the length that a packet says, before anything of it is kept */
export function openFrames(maxBytes: number): Frames {
  let bytes: Buffer = nothing
  let start = 0
  let end = 0
  // A chunk of the socket is cut where it lies; only what is left over moves to memory of our own.
  let isOwn = false

  function next(): ReturnType<Frames['next']> {
    const first = bytes[start]
    if (start === end || first === undefined) return keepRest()
    // MQTT knows no type 0.
    if (first < 0x10) return 'malformed'
    let length = 0
    let at = start + 1
    for (let shift = 0; ; shift += 7) {
      if (shift > 21) return 'malformed'
      if (at === end) return keepRest()
      const byte = bytes[at++] as number
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        // A length has one form, the shortest.
        if (byte === 0 && shift > 0) return 'malformed'
        break
      }
    }
    if (length > maxBytes) return 'too large'
    if (end - at < length) return keepRest()
    start = at + length
    return { first, body: bytes.subarray(at, start) }
  }

  function keepRest(): undefined {
    if (isOwn) return
    // Else a few bytes would hold on to the whole chunk.
    bytes = start === end ? nothing : Buffer.from(bytes.subarray(start, end))
    end -= start
    start = 0
    isOwn = true
  }

  function feed(chunk: Buffer): void {
    if (start === end) {
      bytes = chunk
      start = 0
      end = chunk.length
      isOwn = false
      return
    }
    const rest = end - start
    if (!isOwn || bytes.length - end < chunk.length) {
      // Twice the room each time: who sends byte by byte does not make us copy everything at every byte.
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * rest, rest + chunk.length))
      bytes.copy(grown, 0, start, end)
      bytes = grown
      start = 0
      end = rest
      isOwn = true
    }
    chunk.copy(bytes, end)
    end += chunk.length
  }

  return {
    feed,
    next,
    get isMidway() {
      return start < end
    },
  }
}

const nothing: Buffer = Buffer.alloc(0)
