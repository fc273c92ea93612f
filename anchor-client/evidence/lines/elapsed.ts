import type { Promised, Time } from '../model.ts'
import { limitMs } from '../stream.ts'
import { knownWall } from '../values.ts'

/**
 * How much time lies between two leaves, at the least: the longer of what the monotonic clock and what the
 * bounded wall clocks say. Null where neither can say: across boots, bounds above the limit that is judged
 * say nothing.
 */
export function elapsedMs(before: Time, after: Time, limit: number): number | null {
  const sameBoot = before.boot === after.boot
  const mono = sameBoot ? after.monoMs - before.monoMs : null
  const from = knownWall(before)
  const to = knownWall(after)
  const isVague = !sameBoot && from && to && from.boundMs + to.boundMs > limit
  const wall = from && to && !isVague ? to.wallMs - from.wallMs - from.boundMs - to.boundMs : null
  if (mono === null || wall === null) return mono ?? wall
  return Math.max(mono, wall)
}

/** Whether these two lie so close that a stream's promise allows no silence longer than between them. */
export function withinOnePromise(promise: Promised, before: Time, after: Time): boolean {
  const limit = limitMs(promise)
  const elapsed = limit === null ? null : elapsedMs(before, after, limit)
  return limit !== null && elapsed !== null && Math.abs(elapsed) <= limit
}
