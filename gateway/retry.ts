/** How long to wait before something that failed is tried again. */
import { setTimeout as sleep } from 'node:timers/promises'

const firstMs = 500
const mostMs = 30_000

/** Twice as long each time, with some luck in it: what failed together should not come back together. */
export const backoffMs = (attempt: number): number =>
  Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 2)

/** Ends early, and without an error, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
