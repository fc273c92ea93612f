/** Bytes to and from a device, whatever lies between. */
import type { Duplex } from 'node:stream'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/**
 * Reading ends quietly when the signal aborts. It throws SENSOR_ABSENT when the far end is gone, or
 * says nothing for too long: a half-open connection says so in no other way.
 */
export interface Wire extends AsyncIterable<Uint8Array>, AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>
}

export interface WireOptions {
  readonly silentMs: number
  readonly signal: AbortSignal
}

/** An opened stream as a wire called `name`; `close` lets go of what the stream itself does not. */
export function wireOver(
  duplex: Duplex,
  name: string,
  { silentMs, signal }: WireOptions,
  close: () => Promise<void>,
): Wire {
  const cut = () => duplex.destroy()
  // The reader is told by the iterator; an error that comes later has no other listener.
  duplex.on('error', () => {})
  signal.addEventListener('abort', cut)
  if (signal.aborted) cut()
  // One listener for all of them: a board with many contacts is told of each at once.
  const writing = new Set<() => void>()
  duplex.on('close', () => {
    for (const giveUp of writing) giveUp()
  })

  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    const iterator = duplex[Symbol.asyncIterator]()
    while (!signal.aborted) {
      const giveUp = () =>
        duplex.destroy(new KedgeError('SENSOR_ABSENT', `${name} said nothing for ${silentMs} ms`))
      // Who was busy itself finds the time over before it looks at the wire: a second wait lets it look.
      let silence = setTimeout(() => {
        silence = setTimeout(giveUp, 20)
      }, silentMs)
      const next = await iterator
        .next()
        .catch((cause) => {
          throw signal.aborted ? cause : lost(name, cause)
        })
        .finally(() => clearTimeout(silence))
      if (signal.aborted) return
      if (next.done) throw lost(name)
      yield next.value
    }
  }

  return {
    [Symbol.asyncIterator]: chunks,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        // Who is closed in the middle of a write may never say what became of it.
        const giveUp = () => reject(lost(name))
        if (duplex.destroyed) return giveUp()
        writing.add(giveUp)
        duplex.write(bytes, (error) => {
          writing.delete(giveUp)
          if (error) reject(lost(name, error))
          else resolve()
        })
      }),
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', cut)
      duplex.destroy()
      await close()
    },
  }
}

function lost(name: string, cause?: unknown): KedgeError {
  if (cause instanceof KedgeError) return cause
  return new KedgeError('SENSOR_ABSENT', `${name} was unplugged or closed`, { cause })
}
