import { Buffer } from 'node:buffer'
import type { Reason } from './answers.ts'
import type { Room } from './room.ts'

/** The first byte of the answer to a publication; none for QoS 0. */
export type Answer = 0 | 0x40 | 0x50

/** A publication from when it is taken until it is answered. */
export interface Flight {
  readonly answer: Answer
  readonly id: number
  readonly bytes: number
  readonly reason: Reason
  state: 'open' | 'stored' | 'failed'
}

/** Publications of one connection in the order in which they came, which is the order of their answers. */
export interface InFlight {
  readonly bytes: number
  readonly isEmpty: boolean
  /** One could not be stored: neither it nor any later one gets an answer. */
  readonly hasFailed: boolean
  add(answer: Answer, id: number, payloadBytes: number): Flight
  /** Nothing is to be stored, but its turn comes when everything before it is answered. */
  addSettled(answer: Answer, id: number, reason: Reason): void
  /** The answers to all that is settled, up to the first that is not. */
  answers(): Buffer | null
}

export function openInFlight(room: Room, publicationBytes: number): InFlight {
  const flights: Flight[] = []
  let bytes = 0
  let hasFailed = false

  function push(flight: Flight): Flight {
    flights.push(flight)
    bytes += flight.bytes
    room.take(flight.bytes)
    return flight
  }

  function answers(): Buffer | null {
    let settled = 0
    let given = 0
    let length = 0
    for (const flight of flights) {
      if (flight.state === 'open') break
      hasFailed ||= flight.state === 'failed'
      settled += 1
      given += flight.bytes
      if (!hasFailed && flight.answer !== 0) length += flight.reason === 0 ? 4 : 5
    }
    if (settled === 0) return null
    const answers = length > 0 ? Buffer.allocUnsafe(length) : null
    let at = 0
    for (let i = 0; at < length; i++) {
      const { answer, id, reason } = flights[i] as Flight
      if (answer === 0 || answers === null) continue
      answers[at++] = answer
      answers[at++] = reason === 0 ? 2 : 3
      answers[at++] = id >> 8
      answers[at++] = id & 0xff
      // Only MQTT 5 has reasons other than success here.
      if (reason !== 0) answers[at++] = reason
    }
    flights.splice(0, settled)
    bytes -= given
    room.give(given)
    return answers
  }

  return {
    add: (answer, id, payloadBytes) =>
      push({ answer, id, bytes: payloadBytes + publicationBytes, reason: 0, state: 'open' }),
    addSettled(answer, id, reason) {
      push({ answer, id, bytes: publicationBytes, reason, state: 'stored' })
    },
    answers,
    get bytes() {
      return bytes
    },
    get isEmpty() {
      return flights.length === 0
    },
    get hasFailed() {
      return hasFailed
    },
  }
}
