/** Which gap must be declared before a record may follow, by the rules that evidence is judged by. */
import type { Descriptor, Time } from '../../anchor-client/evidence/model.ts'
import { limitMs } from '../../anchor-client/evidence/stream.ts'
import { knownWall } from '../../anchor-client/evidence/values.ts'

export interface Last {
  readonly lastTime: Time | null
  readonly lastCounter: number | null
  readonly hasGapSince: boolean
}

export interface Missing {
  readonly cause: string
  readonly count: number | null
}

/** `why` is what is known of the silence: an absent device, a refused frame. */
export function gapBefore(
  { promise }: Descriptor,
  { lastTime, lastCounter, hasGapSince }: Last,
  time: Time,
  counter: number | null,
  why: string | undefined,
): Missing | null {
  const limit = limitMs(promise)
  if (promise === null || limit === null || lastTime === null || hasGapSince) return null
  if (lastTime.boot !== time.boot) return { cause: why ?? 'stopped', count: null }
  if (jumped(lastTime, time, limit)) return { cause: 'clock', count: null }
  const elapsedMs = time.monoMs - lastTime.monoMs
  if (promise.type === 'counter') {
    const missing = missingBetween(promise.modulus, lastCounter, counter)
    if (missing !== 0) return { cause: why ?? 'skipped', count: missing }
  }
  if (elapsedMs <= limit) return null
  if (promise.type !== 'period') return { cause: why ?? 'silent', count: null }
  const count = Math.ceil((elapsedMs - promise.toleranceMs) / promise.ms) - 1
  return { cause: why ?? 'late', count: Math.max(1, count) }
}

/** Null where nobody can say how many: at the first, or where the device gave none. */
function missingBetween(modulus: number, last: number | null, next: number | null): number | null {
  if (last === null) return 0
  if (next === null) return null
  return (((next - last - 1) % modulus) + modulus) % modulus
}

/** The wall clock went on by more than the counter of milliseconds allows. */
function jumped(last: Time, time: Time, limit: number): boolean {
  const [before, after] = [knownWall(last), knownWall(time)]
  if (before === null || after === null) return false
  const leastMs = after.wallMs - after.boundMs - before.wallMs - before.boundMs
  return leastMs > limit && time.monoMs - last.monoMs <= limit
}
