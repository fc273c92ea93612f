import { disclosedBy, isKnownReading, timeOf } from '../fields.ts'
import type { Leaf, OpenedLeaf, Promised, Time } from '../model.ts'
import { isReading } from '../records.ts'
import { formatTime } from '../rfc3339.ts'
import { limitMs } from '../stream.ts'
import { knownWall } from '../values.ts'
import { elapsedMs } from './elapsed.ts'

/** What the leaves of one range show of its stream's promise (FORMAT.md section 12, part 1). */
export interface PromiseWatch {
  see(index: number, leaf: Leaf): void
}

export interface Notes {
  /** The promise was broken without a word. */
  broken(why: () => string): void
  hidden(): void
  gap(why: () => string): void
}

/** A stretch since something was last seen: what was declared missing in it. */
interface Stretch {
  declared: boolean
  /** How many readings were declared missing; endless where nobody knows. */
  allowance: number
}

const stretch = (): Stretch => ({ declared: false, allowance: 0 })

export function watchPromise(promise: Promised, notes: Notes): PromiseWatch {
  let point: Time | null = null
  /** The latest that the wall clock can have shown at the point, if the promise was kept until then. */
  let latestMs: number | null = null
  let sincePoint = stretch()
  /** Alive leaves that may not state a time. */
  let quiet = 0
  let counter: number | null = null
  let sinceCounter = stretch()

  return { see }

  function see(index: number, leaf: Leaf): void {
    if (leaf.form === 'run') {
      notes.gap(() => `${leaf.count} leaves from ${index} were damaged`)
      declare(Number.POSITIVE_INFINITY)
    } else if (leaf.form === 'hidden' || (isReading(leaf.record) && !isKnownReading(leaf))) {
      notes.hidden()
      forget()
    } else if (isReading(leaf.record)) {
      seeReading(index, leaf)
    } else {
      seeStructural(index, leaf)
    }
  }

  function seeReading(index: number, leaf: Leaf): void {
    const time = timeOf(leaf) as Time
    judge(index, time, true)
    if (promise?.type !== 'counter') return
    const now = disclosedBy(leaf).counter ?? null
    const fault = counterFault(promise.modulus, now)
    if (fault) notes.broken(() => `at ${index} ${fault}`)
    counter = now
    sinceCounter = stretch()
  }

  function seeStructural(index: number, leaf: OpenedLeaf): void {
    const { record } = leaf
    if (record.type === 'gap') {
      notes.gap(() => gapText(index, record.cause, record.count, record.time))
      declare(record.count ?? Number.POSITIVE_INFINITY)
      if (record.time) seeGap(index, record.time)
      return
    }
    if (record.type === 'lost') {
      notes.gap(() => `the reading ${index} was lost (${record.cause})`)
      declare(1)
      return
    }
    const time = timeOf(leaf)
    if (time !== null) judge(index, time, record.type === 'close')
    else if (record.type === 'alive' && promise?.type === 'events') quiet += 1
  }

  /** What a gap declares reaches to its own time; where nothing came before, it begins there. */
  function seeGap(index: number, time: Time): void {
    const fault = point && timeFault(point, time)
    if (fault) notes.broken(() => `before ${index} ${fault}`)
    point ??= time
  }

  function declare(count: number): void {
    for (const since of [sincePoint, sinceCounter]) {
      since.declared = true
      since.allowance += count
    }
  }

  function forget(): void {
    point = null
    latestMs = null
    counter = null
    sincePoint = stretch()
    sinceCounter = stretch()
    quiet = 0
  }

  function judge(index: number, time: Time, isPoint: boolean): void {
    const latest = latestAt(time)
    const fault = (point && timeFault(point, time)) ?? wallFault(time, latest)
    if (fault) notes.broken(() => `before ${index} ${fault}`)
    // A sign of life does not stand for a reading where readings are promised.
    const wantsReadings = promise?.type === 'period' || promise?.type === 'counter'
    if (wantsReadings && !isPoint && point !== null) return
    point = time
    latestMs = latest
    sincePoint = stretch()
    quiet = 0
  }

  /** Clocks that say little, one after the other, must not add up to a silence. */
  function latestAt(time: Time): number | null {
    const limit = limitMs(promise)
    const wall = knownWall(time)
    const own = wall && wall.wallMs + wall.boundMs
    const carried =
      latestMs === null || limit === null || sincePoint.declared
        ? null
        : latestMs + limit * (quiet + 1)
    return own === null || carried === null ? (own ?? carried) : Math.min(own, carried)
  }

  function wallFault(time: Time, latest: number | null): string | undefined {
    const wall = knownWall(time)
    if (wall === null || latest === null || wall.wallMs - wall.boundMs <= latest) return undefined
    return 'the wall clock shows a silence that was not declared'
  }

  function timeFault(before: Time, after: Time): string | undefined {
    const sameBoot = before.boot === after.boot
    if (after.boot < before.boot || (sameBoot && after.monoMs < before.monoMs)) {
      return "the gateway's own clock runs backwards"
    }
    const limit = limitMs(promise)
    if (promise === null || limit === null) return undefined
    const elapsed = elapsedMs(before, after, limit)
    const { declared, allowance } = sincePoint
    if (allowance === Number.POSITIVE_INFINITY) return undefined
    if (!declared && !sameBoot) return 'the gateway started anew, and no gap is declared'
    if (declared && elapsed === null && (promise.type === 'period' || allowance === 0)) {
      return 'nothing shows how long the declared gap was'
    }
    if (elapsed === null) return undefined
    if (declared && promise.type === 'period') {
      const missing = Math.max(0, Math.ceil((elapsed - promise.toleranceMs) / promise.ms) - 1)
      if (missing <= allowance) return undefined
      return `${missing} readings are missing, and only ${allowance} are declared`
    }
    if (allowance > 0 || elapsed <= limit * (quiet + 1)) return undefined
    return `${elapsed} ms are silent where ${limit} ms are promised, and no gap is declared`
  }

  function counterFault(modulus: number, now: number | null): string | undefined {
    if (now === null || now >= modulus) return "there is no sensor's counter as promised"
    if (counter === null) return undefined
    const step = (now - counter - 1) % modulus
    const missing = step < 0 ? step + modulus : step
    const allowed = sinceCounter.declared ? sinceCounter.allowance : 0
    if (missing <= allowed) return undefined
    return `the sensor's counter jumps over ${missing} readings, and ${allowed} are declared`
  }
}

function gapText(index: number, cause: string, count: number | null, time: Time | null): string {
  const when = time?.wallMs != null ? `, ${formatTime(time.wallMs)}` : ''
  return `gap at ${index} (${cause}, ${count === null ? 'unknown count' : `${count} readings`}${when})`
}
