/** Which gap must be declared before a record may follow, by the rules that evidence is judged by. */
import { elapsedMs } from '../../anchor-client/evidence/lines/elapsed.ts'
import type { Descriptor, Time } from '../../anchor-client/evidence/model.ts'
import { limitMs } from '../../anchor-client/evidence/stream.ts'
import { knownWall } from '../../anchor-client/evidence/values.ts'

interface Last {
  readonly lastTime: Time | null
  readonly lastCounter: number | null
}

/** What the last record left behind, as a verifier keeps it. */
export interface Heard {
  /** The latest that the wall can have been then; null where nobody can say. */
  readonly latestWallMs: number | null
  /** Signs of life since then that state no time. */
  readonly quiet: number
}

interface Missing {
  readonly cause: string
  readonly count: number | null
}

/** `why` is what is known of the silence: an absent device, a refused frame. */
export function gapBefore(
  { promise }: Descriptor,
  { lastTime, lastCounter }: Last,
  heard: Heard | undefined,
  time: Time,
  counter: number | null,
  why: string | undefined,
): Missing | null {
  const limit = limitMs(promise)
  if (promise === null || limit === null || lastTime === null) return null
  const elapsed = elapsedMs(lastTime, time, limit)
  const monoMs = lastTime.boot === time.boot ? time.monoMs - lastTime.monoMs : null
  if (elapsed === null || monoMs === null) return { cause: why ?? 'stopped', count: null }
  // The wall clock went on by more than the time that passed: it was set.
  if (monoMs <= limit && (elapsed > limit || isBeyond(heard, limit, time))) {
    return { cause: 'clock', count: null }
  }
  if (promise.type === 'counter') {
    const missing = missingBetween(promise.modulus, lastCounter, counter)
    if (missing !== 0) return { cause: why ?? 'skipped', count: missing }
  }
  if (elapsed <= limit) return null
  if (promise.type !== 'period') return { cause: why ?? 'silent', count: null }
  const count = Math.ceil((elapsed - promise.toleranceMs) / promise.ms) - 1
  return { cause: why ?? 'late', count: Math.max(1, count) }
}

function isBeyond(heard: Heard | undefined, limit: number, time: Time): boolean {
  const known = knownWall(time)
  if (known === null || heard === undefined || heard.latestWallMs === null) return false
  return known.wallMs - known.boundMs > heard.latestWallMs + limit * (heard.quiet + 1)
}

/** Null where nobody can say how many: at the first, or where the device gave none. */
function missingBetween(modulus: number, last: number | null, next: number | null): number | null {
  if (last === null) return 0
  if (next === null) return null
  return (((next - last - 1) % modulus) + modulus) % modulus
}
