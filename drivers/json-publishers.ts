/** Publishers at a broker of somebody else: what each is configured to send, and what a message of it gives. */
import { z } from 'zod'
import { partName, type Sample, type Surroundings } from './driver.ts'
import { openAttendance, openRepeats } from './json-attendance.ts'
import { mappingOptions } from './json-mapping.ts'
import { readingsIn } from './json-readings.ts'
import { samplesOf } from './json-samples.ts'
import type { MqttMessage } from './transports/mqtt.ts'
import { filtersOverlap, hasWildcard, matchesTopic, topicFilter } from './transports/mqtt-topics.ts'

const publisher = z
  .strictObject({
    topic: topicFilter.describe(
      'Topic that it sends to; with + or # the topic itself stays in each reading',
    ),
    ...mappingOptions,
    availability: z
      .strictObject({
        topic: topicFilter.describe('Topic of its last will'),
        online: z.string().min(1).max(64).default('online').describe('Its word for being there'),
        offline: z.string().min(1).max(64).default('offline').describe('Its word for being gone'),
      })
      .optional()
      .describe('Where it says that it comes and goes; its going is told'),
    everyMs: z
      .int()
      .min(100)
      .max(2_592_000_000)
      .optional()
      .describe(
        'How often it sends, so that silence can be proved; without it nothing is promised',
      ),
    toleranceMs: z
      .int()
      .min(0)
      .max(2_592_000_000)
      .default(60_000)
      .describe('How much later a reading may come before a gap must be declared'),
  })
  .describe('One publisher')

export const publishersOption = z
  .record(partName, publisher)
  .refine((all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 128)
  .refine((all) => overlapping(filtersOf(all)) === undefined)
  .meta({
    title: '1 to 128 publishers, no two topics of which mean the same unless they are the same',
  })
  .describe('Who sends what; each reading has a stream of its own, named SOURCE/PUBLISHER/READING')

type Publisher = z.output<typeof publisher>
type Publishers = z.output<typeof publishersOption>

export const nameOf = (source: string | undefined, publisher: string, reading: string): string =>
  `${source ?? 'json'}/${publisher}/${reading}`

export const filtersOf = (publishers: Readonly<Record<string, Publisher>>): readonly string[] => {
  const all = Object.values(publishers).flatMap(({ topic, availability }) =>
    availability ? [topic, availability.topic] : [topic],
  )
  return Array.from(new Set(all))
}

/** Two filters for which a broker may send one publication twice. */
const overlapping = (filters: readonly string[]): string | undefined =>
  filters.find((one, i) => filters.slice(i + 1).some((other) => filtersOverlap(one, other)))

interface Listening {
  readonly publishers: Publishers
  readonly source?: string | undefined
  readonly staleMs: number
}

/** Gives the samples of each message; what is none of them is refused. */
export function openListening(
  { publishers, source, staleMs }: Listening,
  { refuse, heard, warn }: Pick<Surroundings, 'refuse' | 'heard' | 'warn'>,
): (message: MqttMessage) => readonly Sample[] {
  const attendance = openAttendance(warn)
  const repeats = openRepeats()
  const isThere = (name: string, { readings }: Publisher): void => {
    for (const reading of Object.keys(readings)) heard(nameOf(source, name, reading))
  }

  function saidOf(name: string, publisher: Publisher, message: MqttMessage): readonly Sample[] {
    const { payload, isRetained, isAgain } = message
    const sourceOf = (reading: string) => nameOf(source, name, reading)
    const refused = (why: string): readonly Sample[] => {
      refuse(`${name}: ${why}`, payload, Object.keys(publisher.readings).map(sourceOf))
      return []
    }
    if (isRetained) return refused('retained: the broker had kept it, for how long nobody knows')
    const topic = hasWildcard(publisher.topic) ? message.topic : null
    if (topic !== null && Buffer.byteLength(topic) > 256) {
      return refused('its topic is longer than 256 bytes')
    }
    const mapped = readingsIn(payload, publisher)
    if (typeof mapped === 'string') return refused(mapped)
    if (mapped.id !== null && repeats(name, mapped.id)) {
      isThere(name, publisher)
      return []
    }
    for (const { name: reading, why } of mapped.refused) {
      refuse(`${name}: ${reading}: ${why}`, payload, [sourceOf(reading)])
    }
    const { time } = mapped
    const isStale = time !== null && Math.abs(Date.now() - time.unixMs) > staleMs
    const doubts = [...(isAgain ? ['sent again'] : []), ...(isStale ? ['stale'] : [])]
    return samplesOf(mapped, publisher, { sourceOf, topic, doubts })
  }

  return (message) =>
    Object.entries(publishers).flatMap(([name, publisher]) => {
      const { availability } = publisher
      if (availability && matchesTopic(availability.topic, message.topic)) {
        const said = attendance(name, availability, message.payload)
        // Of its readings that says nothing.
        if (said === null)
          refuse(`${name}: its availability is none of the two words`, message.payload, [])
        if (said === 'online' && !message.isRetained) isThere(name, publisher)
      }
      return matchesTopic(publisher.topic, message.topic) ? saidOf(name, publisher, message) : []
    })
}
