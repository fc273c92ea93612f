/** Position and time from a GNSS receiver that speaks NMEA 0183, by serial line or TCP. */
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Details, Value } from '../anchor-client/evidence/model.ts'
import {
  type Driver,
  defineDriver,
  type Sample,
  type Surroundings,
  sourceOption,
} from './driver.ts'
import { decodeSentence, type Gga, type Rmc, type Sentence } from './nmea.ts'
import { framesIn } from './nmea-frames.ts'
import { openWire, wireOptions } from './transports/any-wire.ts'

const options = z.strictObject({
  ...wireOptions({ baudRate: 9600, silentMs: 10_000 }),
  source: sourceOption('gnss'),
  everyMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(10_000)
    .describe('Least time between two positions; receivers say one a second'),
  aliveMs: z
    .int()
    .min(1000)
    .max(86_400_000)
    .default(60_000)
    .describe('Without a position for so long the stream says that it is alive'),
  clockBoundMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(1000)
    .describe('How late the sentence with the time may be'),
})

type Options = z.output<typeof options>

export const gnssNmea: Driver<typeof options> = defineDriver({
  summary: 'GNSS receiver (NMEA 0183)',
  options,

  // Under a roof there is no position: no period could be promised.
  sources: ({ source = 'gnss', aliveMs }) => [
    { source, kinds: ['position'], promise: { type: 'events', ms: aliveMs }, erasable: false },
  ],

  async *read(options, surroundings) {
    const { port, everyMs, source = 'gnss' } = options
    await using wire = await openWire(port, { ...options, signal: surroundings.signal })
    const arrival = { isLive: false }
    const clock = receiverClock(options, surroundings)
    let sky: Gga | null = null
    let yieldedMs = Number.NEGATIVE_INFINITY
    for await (const frame of framesIn(noteArrival(wire, arrival))) {
      // Half a sentence that a stop cut off is no fault of the receiver.
      if (surroundings.signal.aborted) return
      const sentence = decoded(frame, surroundings)
      if (sentence === null) continue
      clock(sentence, arrival.isLive)
      if (sentence.type === 'GGA') sky = sentence
      if (sentence.type !== 'RMC' || sentence.position === null) continue
      if (performance.now() - yieldedMs < everyMs) continue
      yieldedMs = performance.now()
      yield positionSample(source, sentence, sky?.time === sentence.time ? sky : null)
      // Who was held up finds sentences that have waited, and takes no time from them.
      if (performance.now() - yieldedMs > 100) arrival.isLive = false
    }
  },
})

function decoded(frame: Uint8Array, { refuse }: Surroundings): Sentence | null {
  try {
    return decodeSentence(String.fromCharCode(...frame))
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error
    refuse(error.message, frame)
    return null
  }
}

/** Bytes that had to be waited for are bytes that have just been said. */
async function* noteArrival(chunks: AsyncIterable<Uint8Array>, arrival: { isLive: boolean }) {
  let stopWaiting = afterWaiting(arrival)
  try {
    for await (const chunk of chunks) {
      stopWaiting()
      yield chunk
      stopWaiting = afterWaiting(arrival)
    }
  } finally {
    stopWaiting()
  }
}

/** Two waits, since a program that was busy itself finds the first one over before it looks at the wire. */
function afterWaiting(arrival: { isLive: boolean }): () => void {
  const second = () => {
    timer = setTimeout(() => {
      arrival.isLive = true
    }, 10)
  }
  let timer = setTimeout(second, 10)
  return () => clearTimeout(timer)
}

/** A receiver that lost count of the weeks says a date of many years ago. */
const earliestMs = Date.UTC(2026, 0, 1)

/** Tells the gateway the time, once a second of the receiver, while the receiver vouches for it. */
function receiverClock({ clockBoundMs }: Options, { clock, warn }: Surroundings) {
  let isVouchedFor = false
  let toldMs: number | null = null
  let isWarned = false
  return (sentence: Sentence, isLive: boolean): void => {
    if (sentence.type === 'RMC') isVouchedFor = sentence.isValid && !invented.has(sentence.mode)
    // ZDA has no word of its own for validity: a receiver without a fix sends its battery clock.
    if ((sentence.type !== 'RMC' && sentence.type !== 'ZDA') || !isVouchedFor || !isLive) return
    const { unixMs = null, text } = sentence.utc ?? {}
    if (unixMs === null || unixMs === toldMs) return
    if (unixMs < earliestMs) {
      if (!isWarned) warn(`the receiver says ${text}: a date in the past sets no clock`)
      isWarned = true
      return
    }
    toldMs = unixMs
    clock({ unixMs, boundMs: clockBoundMs })
  }
}

/** Where a position is from if no satellite gave it: the mode of an RMC, the fix quality of a GGA. */
const invented = new Map<string | number | null, string>([
  ['E', 'dead reckoning'],
  ['M', 'put in by hand'],
  ['S', 'simulator'],
  [6, 'dead reckoning'],
  [7, 'put in by hand'],
  [8, 'simulator'],
])

function positionSample(source: string, rmc: Rmc, sky: Gga | null): Sample {
  const { lat, lon } = rmc.position as NonNullable<Rmc['position']>
  const doubt = invented.get(rmc.mode) ?? invented.get(sky?.fix ?? null)
  const known: readonly (readonly [string, Value])[] = [
    ['altitude-m', sky?.altitudeMetres ?? null],
    ['hdop', sky?.hdop ?? null],
    ['satellites', typeof sky?.satellites === 'number' ? [sky.satellites, 0] : null],
  ]
  const details: Details = known.filter(([, value]) => value !== null)
  return {
    source,
    kind: 'position',
    value: [
      ['lat', lat],
      ['lon', lon],
    ],
    unit: 'deg',
    ...(doubt && { quality: `suspect: ${doubt}` }),
    ...(details.length > 0 && { details }),
  }
}
