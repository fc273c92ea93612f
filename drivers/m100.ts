/** Frames of the M100 protocol: BB, type, command, length of two bytes, parameters, checksum, 7E. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'

/** An EPC has 31 words at most, and five bytes go with it. */
const mostParameters = 67
const mostNoise = 256

/** What was found on the wire: a whole frame, or bytes that are none and why. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly fault: string | null
}

export function command(code: number, ...parameters: readonly number[]): Uint8Array {
  const body = [0, code, parameters.length >> 8, parameters.length & 0xff, ...parameters]
  return Uint8Array.of(0xbb, ...body, sum(body), 0x7e)
}

export const parametersOf = (frame: Uint8Array): Uint8Array => frame.subarray(5, -2)

/**
 * Cuts bytes into frames by their length, since 7E may stand anywhere. After a fault the search goes
 * on one byte further, so that a frame that broke off never takes a whole one with it.
 */
export async function* framesIn(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Frame, void> {
  let pending: readonly number[] = []
  let noise: number[] = []
  let fault = ''
  let failure: { readonly error: unknown } | null = null
  const takenNoise = (): Frame[] => {
    const taken = noise.length > 0 ? [{ bytes: Uint8Array.from(noise), fault }] : []
    noise = []
    return taken
  }
  try {
    for await (const chunk of chunks) {
      pending = [...pending, ...chunk]
      let at = 0
      while (at < pending.length) {
        const found = look(pending, at)
        if (found === 'unfinished') break
        if (typeof found === 'number') {
          yield* takenNoise()
          yield { bytes: Uint8Array.from(pending.slice(at, at + found)), fault: null }
          at += found
          continue
        }
        if (pending[at] === 0xbb || noise.length === mostNoise) yield* takenNoise()
        if (noise.length === 0) fault = found.fault
        noise.push(pending[at++] as number)
      }
      pending = pending.slice(at)
    }
  } catch (error) {
    failure = { error }
  }
  // What came before a wire broke was said all the same.
  yield* takenNoise()
  if (pending.length > 0) yield { bytes: Uint8Array.from(pending), fault: 'half a frame' }
  if (failure) throw failure.error
}

/** The length of the frame at `at`, or that more must come, or why there is none. */
function look(bytes: readonly number[], at: number): number | 'unfinished' | { fault: string } {
  const [head, type = 0, , high = 0, low = 0] = bytes.slice(at, at + 5)
  if (head !== 0xbb) return { fault: 'noise between frames' }
  if (type > 2) return { fault: `a frame of type ${type}, which there is not` }
  const parameters = (high << 8) | low
  if (parameters > mostParameters) return { fault: `a frame of ${parameters} bytes: too long` }
  const length = parameters + 7
  if (bytes.length - at < length) return 'unfinished'
  if (bytes[at + length - 1] !== 0x7e)
    return { fault: 'half a frame, with something else behind it' }
  const right = sum(bytes.slice(at + 1, at + length - 2))
  if (bytes[at + length - 2] !== right) return { fault: 'bad checksum' }
  return length
}

const sum = (bytes: readonly number[]): number =>
  bytes.reduce((all, byte) => (all + byte) & 0xff, 0)

export const inventory = 0x22
export const failed = 0xff

/** A frame as an answer to an inventory. */
type Said =
  | { readonly what: 'tag'; readonly tag: Tag }
  | { readonly what: 'error'; readonly code: number }
  | { readonly what: 'fault'; readonly reason: string }
  | { readonly what: 'other' }

export function saidIn({ bytes, fault }: Frame): Said {
  if (fault !== null) return { what: 'fault', reason: fault }
  const [, type, code] = bytes
  if (type === 1 && code === failed) return { what: 'error', code: parametersOf(bytes)[0] ?? 0 }
  if (type !== 2 || code !== inventory) return { what: 'other' }
  try {
    return { what: 'tag', tag: parseTag(parametersOf(bytes)) }
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error
    return { what: 'fault', reason: error.message }
  }
}

export interface Tag {
  /** Lower-case hex, as are the two others. */
  readonly epc: string
  readonly pc: string
  readonly crc: string
  readonly rssiDbm: number
}

/** What the reader says of one tag; the tag's own checksum is computed anew. */
export function parseTag(parameters: Uint8Array): Tag {
  const [signal = 0, high = 0] = parameters
  // The top five bits of the protocol control word.
  const words = high >> 3
  if (parameters.length !== 5 + 2 * words) {
    throw garbled(`a tag of ${words} words in ${parameters.length} bytes`)
  }
  if (words === 0) throw garbled('a tag without an EPC')
  const signed = parameters.subarray(1, -2)
  const crc = hexOf(parameters.subarray(-2))
  if (crc !== crc16(signed)) throw garbled("the tag's own checksum is bad (CRC-16)")
  return {
    epc: hexOf(signed.subarray(2)),
    pc: hexOf(signed.subarray(0, 2)),
    crc,
    rssiDbm: (signal << 24) >> 24,
  }
}

/** The CRC of Gen2 tags: x¹⁶ + x¹² + x⁵ + 1 from all ones, inverted. */
function crc16(bytes: Uint8Array): string {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  }
  return (~crc & 0xffff).toString(16).padStart(4, '0')
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
