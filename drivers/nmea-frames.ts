import { maxSentence } from './nmea.ts'

/**
 * Cuts bytes into what may be sentences: at every line end and before every $, since a frame that
 * broke off is followed by a whole one. What is too long is cut short, so that it is refused once.
 */
export async function* framesIn(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let frame: number[] = []
  let failure: { readonly error: unknown } | null = null
  try {
    for await (const chunk of chunks) {
      for (const byte of chunk) {
        const isEnd = byte === 0x0a || byte === 0x0d
        if (isEnd || byte === 0x24) {
          if (frame.length > 0) yield Uint8Array.from(frame)
          frame = []
        }
        // One more than allowed tells that it was too long.
        if (!isEnd && frame.length <= maxSentence) frame.push(byte)
      }
    }
  } catch (error) {
    failure = { error }
  }
  // What came before a wire broke was said all the same.
  if (frame.length > 0) yield Uint8Array.from(frame)
  if (failure) throw failure.error
}
