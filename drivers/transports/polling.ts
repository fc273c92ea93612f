import { setInterval } from 'node:timers/promises'
import { z } from 'zod'
import type { Promised } from '../../anchor-client/evidence/model.ts'

/** The options of a driver that polls. */
export const pollOptions = ({ leastMs }: { leastMs: number }) => ({
  everyMs: z.int().min(leastMs).max(86_400_000).default(10_000).describe('Time between readings'),
  toleranceMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(2000)
    .describe('How much later a reading may come before a gap must be declared'),
})

/** What a stream of polled readings promises. */
export const pollPromise = (options: { everyMs: number; toleranceMs: number }): Promised => ({
  type: 'period',
  ms: options.everyMs,
  toleranceMs: options.toleranceMs,
})

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
