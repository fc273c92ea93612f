import { Buffer } from 'node:buffer'
import type { Writable } from 'node:stream'
import type { InFlight } from './in-flight.ts'

/** Answers on their way: everything that becomes known in one turn of the event loop goes out in one write. */
export interface Outbox {
  /** Not written yet. */
  readonly bytes: number
  say(answer: Uint8Array): void
  /** Some publication is settled, or something else has changed that `afterwards` should see. */
  flushSoon(): void
}

export function openOutbox(stream: Writable, flights: InFlight, afterwards: () => void): Outbox {
  let answers: Uint8Array[] = []
  let bytes = 0
  let isDue = false

  function flushSoon(): void {
    if (isDue) return
    isDue = true
    process.nextTick(flush)
  }

  function flush(): void {
    isDue = false
    const settled = flights.answers()
    if (settled !== null) answers.push(settled)
    if (stream.writable && answers.length > 0) stream.write(Buffer.concat(answers))
    answers = []
    bytes = 0
    afterwards()
  }

  return {
    flushSoon,
    get bytes() {
      return bytes
    },
    say(answer) {
      answers.push(answer)
      bytes += answer.length
      flushSoon()
    },
  }
}
