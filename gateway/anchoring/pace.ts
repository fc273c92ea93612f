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

/** Rung when something has changed, so that nobody waits out a pause for nothing. Several may listen to one. */
export interface Bell {
  /** How often it has rung. */
  readonly rings: number
  ring(): void
  /** Resolves once it has rung more than `heard` times, or with `signal`. */
  wait(heard: number, signal: AbortSignal): Promise<void>
}

export function newBell(): Bell {
  let rings = 0
  const listening = new Set<() => void>()
  return {
    get rings() {
      return rings
    },
    ring() {
      rings += 1
      for (const wake of listening) wake()
    },
    async wait(heard, signal) {
      if (rings > heard || signal.aborted) return
      const { promise, resolve } = deferred()
      listening.add(resolve)
      signal.addEventListener('abort', resolve, { once: true })
      await promise
      listening.delete(resolve)
    },
  }
}

function deferred() {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Waits for the first of these; the others are told to stop. Ends quietly when `signal` does. */
export const firstOf = (
  signal: AbortSignal,
  waits: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> =>
  within(signal, async (either, end) => {
    const running = waits.map((wait) =>
      wait(either).catch((error: unknown) => {
        if (!either.aborted) throw error
      }),
    )
    try {
      await Promise.race(running)
    } finally {
      end()
      await Promise.allSettled(running)
    }
  })

/**
 * A signal that ends with another one, or when it is ended. Not `AbortSignal.any`, of which a signal that lives as
 * long as the gateway would keep a trace for ever.
 */
export async function within<T>(
  signal: AbortSignal,
  work: (either: AbortSignal, end: (reason?: unknown) => void) => Promise<T>,
): Promise<T> {
  const either = new AbortController()
  const end = () => either.abort(signal.reason)
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  try {
    return await work(either.signal, (reason) => either.abort(reason))
  } finally {
    signal.removeEventListener('abort', end)
  }
}

export const pause =
  (ms: number) =>
  async (signal: AbortSignal): Promise<void> => {
    await sleep(ms, undefined, { signal }).catch(() => undefined)
  }
