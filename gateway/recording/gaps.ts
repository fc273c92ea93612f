/**
 * Every silence that a stream's promise does not allow is declared before the next record, by the rules that
 * evidence is judged by (FORMAT.md section 12).
 */
import type { Time } from '../../anchor-client/evidence/model.ts'
import { limitMs } from '../../anchor-client/evidence/stream.ts'
import { knownWall } from '../../anchor-client/evidence/values.ts'
import type { Journal } from '../journal/journal.ts'
import type { StreamState } from '../journal/stream-state.ts'
import { plainLeaf } from './plain-leaf.ts'
import { gapBefore, type Heard } from './promise-keeper.ts'

export interface Gaps {
  /** Why a source is silent, for the gap that will be declared; undefined once it speaks again. */
  blame(stream: StreamState, why: string | undefined): void
  reasonFor(stream: StreamState): string | undefined
  /** Adds the gap that must stand before a record of this time; true where there was one to add. */
  declare(stream: StreamState, time: Time, counter: number | null): boolean
  add(stream: StreamState, time: Time, cause: string, count: number | null): void
  /** A reading, or a sign of life: what comes next is judged against it. */
  passed(stream: StreamState, time: Time, counter: number | null): void
  /** A sign of life that states no time. */
  passedQuietly(stream: StreamState, time: Time): void
}

export function openGaps(journal: Journal): Gaps {
  // By the stream itself, so that one that is over is forgotten with it.
  const blamed = new WeakMap<StreamState, string>()
  const heard = new WeakMap<StreamState, Heard>()
  // Nobody watched while the gateway stood still: whatever goes on from before begins with a gap.
  const resumed = new WeakSet(journal.streams.values())

  function add(stream: StreamState, time: Time, cause: string, count: number | null): void {
    const stated = stream.descriptor.erasable ? null : time
    journal.add({ stream, leaf: plainLeaf({ type: 'gap', time: stated, cause, count }) })
    if (count === null) resumed.delete(stream)
    stream.hasGapSince = count === null
  }

  return {
    blame(stream, why) {
      if (why === undefined) blamed.delete(stream)
      else blamed.set(stream, why)
    },
    reasonFor: (stream) => blamed.get(stream),
    add,
    declare(stream, time, counter) {
      const { descriptor, added } = stream
      const why = blamed.get(stream)
      if (limitMs(descriptor.promise) === null || added === 0) return false
      if (resumed.delete(stream)) {
        add(stream, time, why ?? 'stopped', null)
        return true
      }
      if (stream.hasGapSince) return false
      const missing = gapBefore(descriptor, stream, heard.get(stream), time, counter, why)
      if (missing === null) return false
      add(stream, time, missing.cause, missing.count)
      return true
    },
    passed(stream, time, counter) {
      heard.set(stream, { latestWallMs: latestWall(stream, heard.get(stream), time), quiet: 0 })
      stream.lastTime = time
      stream.lastCounter = counter
      stream.hasGapSince = false
      resumed.delete(stream)
      blamed.delete(stream)
    },
    passedQuietly(stream, time) {
      const { latestWallMs = null, quiet = 0 } = heard.get(stream) ?? {}
      heard.set(stream, { latestWallMs, quiet: quiet + 1 })
      stream.lastTime = time
    },
  }
}

/** The latest that the wall can be at this record, so that clocks that say little do not add up to a silence. */
function latestWall(
  { descriptor, hasGapSince }: StreamState,
  before: Heard | undefined,
  time: Time,
): number | null {
  const limit = limitMs(descriptor.promise)
  const known = knownWall(time)
  const own = known && known.wallMs + known.boundMs
  if (limit === null || hasGapSince || before === undefined || before.latestWallMs === null)
    return own
  const grown = before.latestWallMs + limit * (before.quiet + 1)
  return own === null ? grown : Math.min(own, grown)
}
