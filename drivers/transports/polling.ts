import { setInterval } from 'node:timers/promises'

/** Yields at once, then every `everyMs` until `signal` aborts: one poll each. */
export async function* polls(everyMs: number, signal: AbortSignal): AsyncGenerator<void, void> {
  if (signal.aborted) return
  yield
  let polledMs = performance.now()
  try {
    for await (const _ of setInterval(everyMs, undefined, { signal })) {
      if (signal.aborted) return
      // Whoever was slow gets all the ticks it missed in one burst: only one of them is a poll.
      if (performance.now() - polledMs < everyMs / 2) continue
      polledMs = performance.now()
      yield
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
