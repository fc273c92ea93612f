import { disclosedBy, isKnownReading, timeOf } from '../fields.ts'
import type { Leaf, OpenedLeaf, Promised, Time } from '../model.ts'
import { isReading } from '../records.ts'
import { formatTime } from '../rfc3339.ts'
import { limitMs } from '../stream.ts'
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
    judge(index, time, true, true)
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
      return
    }
    if (record.type === 'lost') {
      notes.gap(() => `the reading ${index} was lost (${record.cause})`)
      declare(1)
      return
    }
    const time = timeOf(leaf)
    if (time !== null) judge(index, time, false, record.type === 'close')
    else if (record.type === 'alive' && promise?.type === 'events') quiet += 1
  }

  function declare(count: number): void {
    for (const since of [sincePoint, sinceCounter]) {
      since.declared = true
      since.allowance += count
    }
  }

  function forget(): void {
    point = null
    counter = null
    sincePoint = stretch()
    sinceCounter = stretch()
    quiet = 0
  }

  function judge(index: number, time: Time, reading: boolean, isPoint: boolean): void {
    const fault = point && timeFault(point, time, reading)
    if (fault) notes.broken(() => `before ${index} ${fault}`)
    // A sign of life does not stand for a reading where readings are promised.
    const wantsReadings = promise?.type === 'period' || promise?.type === 'counter'
    if (wantsReadings && !isPoint && point !== null) return
    point = time
    sincePoint = stretch()
    quiet = 0
  }

  function timeFault(before: Time, after: Time, reading: boolean): string | undefined {
    const sameBoot = before.boot === after.boot
    if (after.boot < before.boot || (sameBoot && after.monoMs < before.monoMs)) {
      return "the gateway's own clock runs backwards"
    }
    const limit = limitMs(promise)
    if (promise === null || limit === null) return undefined
    const elapsed = elapsedMs(before, after, limit)
    const { declared, allowance } = sincePoint
    if (!declared) {
      if (!sameBoot) return 'the gateway started anew, and no gap is declared'
      if (elapsed !== null && elapsed > limit * (quiet + 1)) {
        return `${elapsed} ms are silent where ${limit} ms are promised, and no gap is declared`
      }
      return undefined
    }
    if (promise.type !== 'period' || !reading || allowance === Number.POSITIVE_INFINITY) {
      return undefined
    }
    if (elapsed === null) return 'nothing shows how long the declared gap was'
    const missing = Math.max(0, Math.ceil((elapsed - promise.toleranceMs) / promise.ms) - 1)
    if (missing <= allowance) return undefined
    return `${missing} readings are missing, and only ${allowance} are declared`
  }

  function counterFault(modulus: number, now: number | null): string | undefined {
    if (now === null || now >= modulus) return "there is no sensor's counter as promised"
    if (counter === null) return undefined
    const missing = (((now - counter - 1) % modulus) + modulus) % modulus
    const allowed = sinceCounter.declared ? sinceCounter.allowance : 0
    if (missing <= allowed) return undefined
    return `the sensor's counter jumps over ${missing} readings, and ${allowed} are declared`
  }
}

function gapText(index: number, cause: string, count: number | null, time: Time | null): string {
  const when = time?.wallMs != null ? `, ${formatTime(time.wallMs)}` : ''
  return `gap at ${index} (${cause}, ${count === null ? 'unknown count' : `${count} readings`}${when})`
}
