/** Reads the journal through, slowly and once a day: what has decayed on the card goes on record before it is asked for. */
import type { Live } from './live.ts'
import { pause } from './retry.ts'

const firstAfterMs = 10 * 60 * 1000
const everyMs = 24 * 60 * 60 * 1000
const bytesPerMs = 2000

export function scrubbing(
  { store, recorder, streams, clock, health, onEvent }: Live,
  firstMs = firstAfterMs,
): AsyncDisposable {
  const ended = new AbortController()
  const { signal } = ended

  async function scrub(): Promise<void> {
    const { damage, damagedTables } = await store.journal.scrub({
      signal,
      pace: (bytes) => pause(bytes / bytesPerMs, signal),
    })
    for (const found of damage) {
      recorder.state(streams.control, { type: 'damage', time: clock.now(), ...found })
      onEvent({ event: 'warning', message: 'readings are damaged: kedge store check names them' })
    }
    if (damagedTables.length > 0) {
      health.degraded(
        'store',
        'files of the journal are damaged: start the gateway anew to mend them',
      )
    }
  }

  const running = (async () => {
    for (let waitMs = firstMs; ; waitMs = everyMs) {
      await pause(waitMs, signal)
      if (signal.aborted) return
      await scrub().catch((error: unknown) => {
        if (!signal.aborted) health.degraded('store', `it cannot be read through: ${error}`)
      })
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      ended.abort()
      await running
    },
  }
}
