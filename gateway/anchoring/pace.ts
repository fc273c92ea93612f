/** How long to wait before a ledger is asked again. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pace {
  readonly firstMs: number
  readonly mostMs: number
  /** While bytes are known and not yet final, so that they are not asked after more often than blocks come. */
  readonly pollMostMs: number
  /** After a refusal or a fault, which only a person changes. */
  readonly slowMs: number
  /** From 0 up to 1: a fleet that lost its ledger at one moment must not come back at one moment. */
  random(): number
}

export const usualPace: Pace = {
  firstMs: 1_000,
  mostMs: 300_000,
  pollMostMs: 15_000,
  slowMs: 300_000,
  random: Math.random,
}

/** Doubles with each attempt, and lies between half of that and all of it. */
export function backoffMs({ firstMs, random }: Pace, attempt: number, mostMs: number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 40))
  return whole * (1 + random()) * 0.5
}

/** Rung when something has changed, so that nobody waits out a pause for nothing. */
export interface Bell {
  ring(): void
  /** Resolves at the next ring, or at once where it has rung since the last wait ended. */
  wait(signal: AbortSignal): Promise<void>
}

export function newBell(): Bell {
  let hasRung = false
  let wake: (() => void) | null = null
  return {
    ring() {
      hasRung = true
      wake?.()
    },
    async wait(signal) {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
        wake = null
      }
      if (!signal.aborted) hasRung = false
    },
  }
}

/** Waits for the first of these; the others are told to stop. Ends quietly when `signal` does. */
export async function firstOf(
  signal: AbortSignal,
  waits: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  const quiet = (error: unknown) => {
    if (!either.aborted) throw error
  }
  const running = waits.map((wait) => wait(either).catch(quiet))
  try {
    await Promise.race(running)
  } finally {
    done.abort()
    await Promise.allSettled(running)
  }
}

export const pause =
  (ms: number) =>
  async (signal: AbortSignal): Promise<void> => {
    await sleep(ms, undefined, { signal }).catch(() => undefined)
  }
