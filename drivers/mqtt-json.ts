/** Whatever publishes JSON over MQTT to a broker of its own: what is a reading is said by the configuration. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { z } from 'zod'
import { type Driver, defineDriver, type Sample, sourceOption } from './driver.ts'
import { mappingOptions } from './json-mapping.ts'
import { maxMessageBytes, readingsIn } from './json-readings.ts'
import { samplesOf } from './json-samples.ts'
import { openMqtt } from './transports/mqtt.ts'
import { filtersOverlap, hasWildcard, matchesTopic, topicFilter } from './transports/mqtt-topics.ts'
import { secretReference } from './transports/secret.ts'

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

const filePath = z
  .string()
  .regex(/^(?:\/|\.{1,2}\/)[^\0]{0,4095}$/)
  .meta({ title: 'a path: /from/the/root, or ./from/the/data/folder' })

const options = z.strictObject({
  url: z
    .string()
    .regex(/^mqtts?:\/\/(?:\[[0-9a-f:]+\]|[\w.-]+)(?::[1-9]\d{0,4})?$/)
    .refine((url) => URL.canParse(url))
    .meta({ title: 'mqtt://host:port, or mqtts://host:port for TLS' })
    .describe('The broker; port 1883, with TLS 8883, if not given'),
  user: z.string().min(1).max(256).optional().describe('User name at the broker'),
  password: secretReference.optional().describe('Where the password lies'),
  ca: filePath
    .optional()
    .describe("Certificates that sign the broker's; the system's if not given"),
  cert: filePath.optional().describe('Certificate of this client'),
  key: filePath.optional().describe('Its private key; only the gateway may be able to read it'),
  clientId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .meta({ title: 'letters, digits, dots, dashes and _, at most 64' })
    .optional()
    .describe('Name of the session that the broker keeps (made from this machine if not given)'),
  source: sourceOption('json').describe(
    'First part of the names of the streams, which are kept for ever (json if not given)',
  ),
  staleMs: z
    .int()
    .min(1000)
    .max(2_592_000_000)
    .default(300_000)
    .describe('A reading whose stated time is further from its arrival is suspect'),
  patienceMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('How long connecting may take'),
  publishers: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,23}$/)
        .meta({ title: 'a name of small letters, digits and . _ -, at most 24' }),
      publisher,
    )
    .refine((all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 128)
    .refine((all) => overlapping(filtersOf(all)) === undefined)
    .meta({
      title: '1 to 128 publishers, no two topics of which mean the same unless they are the same',
    })
    .describe(
      'Who sends what; each reading has a stream of its own, named SOURCE/PUBLISHER/READING',
    ),
})

type Publisher = z.output<typeof publisher>

export const mqttJson: Driver<typeof options> = defineDriver({
  summary:
    'Publishers of JSON at an MQTT broker (Zigbee2MQTT, Tasmota, Shelly, ESPHome and others)',
  options,

  sources: ({ source, publishers }) =>
    Object.entries(publishers).flatMap(([name, { readings, everyMs, toleranceMs }]) =>
      Object.entries(readings).map(([reading, { kind = reading }]) => ({
        source: nameOf(source, name, reading),
        kinds: [kind],
        promise: everyMs === undefined ? null : { type: 'period', ms: everyMs, toleranceMs },
        erasable: false,
      })),
    ),

  async *read({ publishers, source, staleMs, ...rest }, { signal, refuse, warn }) {
    const topics = filtersOf(publishers)
    const clientId = rest.clientId ?? (await clientIdFor(rest.url, topics))
    const maxPayloadBytes = maxMessageBytes
    await using link = await openMqtt({ ...rest, clientId, topics, maxPayloadBytes, signal, warn })
    const attendance = openAttendance(warn)
    const repeats = openRepeats()
    for await (const message of link) {
      const samples: Sample[] = []
      for (const [name, publisher] of Object.entries(publishers)) {
        const { availability, topic } = publisher
        if (availability && matchesTopic(availability.topic, message.topic)) {
          const said = attendance(name, availability, message.payload)
          if (said !== undefined) refuse(`${name}: ${said}`, message.payload)
        }
        if (!matchesTopic(topic, message.topic)) continue
        if (message.isRetained) {
          refuse(
            `${name}: retained: the broker had kept it, for how long nobody knows`,
            message.payload,
          )
          continue
        }
        if (hasWildcard(topic) && Buffer.byteLength(message.topic) > 256) {
          refuse(`${name}: its topic is longer than 256 bytes`, message.payload)
          continue
        }
        const mapped = readingsIn(message.payload, publisher)
        if (typeof mapped === 'string') {
          refuse(`${name}: ${mapped}`, message.payload)
          continue
        }
        if (mapped.id !== null && repeats(name, mapped.id)) continue
        for (const why of mapped.refused) refuse(`${name}: ${why}`, message.payload)
        const { time } = mapped
        const isStale = time !== null && Math.abs(Date.now() - time.unixMs) > staleMs
        const doubts = [message.isAgain && 'sent again', isStale && 'stale'].filter(
          (why) => why !== false,
        )
        const topicBeside = hasWildcard(topic) ? message.topic : null
        const sourceOf = (reading: string) => nameOf(source, name, reading)
        samples.push(...samplesOf(mapped, publisher, { sourceOf, topic: topicBeside, doubts }))
      }
      let open = samples.length
      if (open === 0) message.taken()
      for (const sample of samples) {
        const committed = () => {
          open -= 1
          if (open === 0) message.taken()
        }
        yield { ...sample, committed }
      }
    }
  },
})

const nameOf = (source: string | undefined, publisher: string, reading: string): string =>
  `${source ?? 'json'}/${publisher}/${reading}`

const filtersOf = (publishers: Readonly<Record<string, Publisher>>): readonly string[] => {
  const all = Object.values(publishers).flatMap(({ topic, availability }) =>
    availability ? [topic, availability.topic] : [topic],
  )
  return Array.from(new Set(all))
}

/** Two filters for which a broker may send one publication twice. */
const overlapping = (filters: readonly string[]): string | undefined =>
  filters.find((one, i) => filters.slice(i + 1).some((other) => filtersOverlap(one, other)))

/** Differs from machine to machine, and tells none of them from another to whoever reads it. */
async function clientIdFor(url: string, topics: readonly string[]): Promise<string> {
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => hostname())
  const hash = createHash('sha256').update(JSON.stringify([machine, url, topics]))
  return `kedge-${hash.digest('hex').slice(0, 16)}`
}

/** Tells once that a publisher went, and once that it is back. Gives why it is refused. */
function openAttendance(warn: (message: string) => void) {
  const gone = new Set<string>()
  type Words = NonNullable<Publisher['availability']>
  return (name: string, { online, offline }: Words, payload: Uint8Array): string | undefined => {
    const text = Buffer.from(payload.subarray(0, 256)).toString().trim()
    // Zigbee2MQTT writes {"state":"online"}.
    const word = /^\{\s*"state"\s*:\s*"([^"\\]{1,64})"\s*\}$/.exec(text)?.[1] ?? text
    if (word === offline) {
      if (!gone.has(name)) warn(`${name} says that it is gone`)
      gone.add(name)
    } else if (word === online) {
      if (gone.delete(name)) warn(`${name} says that it is back`)
    } else if (payload.length > 0) return 'its availability is none of the two words for it'
    return undefined
  }
}

/** The last ids of each publisher on this connection. */
function openRepeats() {
  const known = new Map<string, Set<string>>()
  return (name: string, id: string): boolean => {
    const ids = known.get(name) ?? new Set()
    known.set(name, ids)
    if (ids.has(id)) return true
    ids.add(id)
    const [oldest] = ids
    if (ids.size > 1000 && oldest !== undefined) ids.delete(oldest)
    return false
  }
}
