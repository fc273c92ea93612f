/** Everything that a configuration may say: forms, defaults and explanations. */
import { z } from 'zod'
import { kindOption, unitOption } from '../drivers/driver.ts'
import { mappingOptions } from '../drivers/json-mapping.ts'
import { topicFilter } from '../drivers/transports/mqtt-topics.ts'
import { listen, name, secret, sourceName } from './forms.ts'
import { promise } from './promise.ts'
import { duration, size } from './units.ts'

/** A driver or a ledger as the configuration sees it. */
export interface Choice {
  readonly summary: string
  readonly options: z.ZodObject
  /** The streams that a device will feed. */
  sources?(options: never): readonly { readonly source: string }[]
}

/** By the name that `driver:` or `ledger:` says. */
export type Choices = Readonly<Record<string, Choice>>

const between = (least: number, most: number) => (section: object) => {
  const count = Object.keys(section).length
  return count >= least && count <= most
}

const simulated = z
  .boolean()
  .default(false)
  .describe('No real device: each of its readings says so, for ever')

const ownJson = z
  .strictObject({
    topic: topicFilter.describe(
      'Topic that it sends to, not ingest/NAME; with + or # the topic itself stays in each reading',
    ),
    ...mappingOptions,
  })
  .refine(
    ({ readings }) => {
      const kinds = Object.entries(readings).map(([name, { kind = name }]) => kind)
      return new Set(kinds).size === kinds.length
    },
    { error: 'readings of different kinds, as they share a stream' },
  )

const mqttSource = z.strictObject({
  kinds: z
    .record(kindOption, unitOption)
    .refine(between(1, 32), { error: '1 to 32 kinds' })
    .optional()
    .describe('Kinds of reading that it sends, each with its unit; without it any kind is taken'),
  json: ownJson
    .optional()
    .describe(
      'For who sends JSON of its own form to a topic of its own; kinds is then not looked at',
    ),
  private: z
    .boolean()
    .default(false)
    .describe("A person's readings: kept under a random pseudonym, each value hidden, erasable"),
  promise: promise
    .optional()
    .describe('How often it sends, so that silence can be proved; without it nothing is promised'),
  simulated,
})

const mqtt = z.strictObject({
  listen: listen
    .prefault('127.0.0.1:1883')
    .describe('Where publishers connect; each sends to ingest/NAME'),
  unlisted: z
    .enum(['accept', 'refuse'])
    .default('accept')
    .describe('What to do with publishers that are not under sources'),
  otherTopics: z
    .enum(['refuse', 'ignore'])
    .default('refuse')
    .describe(
      'What to do with what is sent to topics that stand nowhere here: end the connection, or acknowledge and forget it',
    ),
  sources: z
    .record(sourceName, mqttSource)
    .refine(between(0, 512), { error: 'at most 512 publishers' })
    .default({})
    .describe('What is known of each publisher; what it sends otherwise is refused and counted'),
})

export const configSchema = (drivers: Choices, ledgers: Choices) =>
  z.strictObject({
    site: name.describe('Where the gateway stands'),
    gateway: name.describe('What people call the gateway; its key alone says which one it is'),
    keys: z
      .strictObject({
        secret: secret
          .optional()
          .describe(
            "Passphrase of the gateway's key; without it one is made in the data folder, which then protects nothing by itself",
          ),
      })
      .prefault({})
      .describe("The gateway's own key"),
    devices: z
      .record(name, oneOf('driver', drivers, { simulated }))
      .default({})
      .describe('Attached devices by name'),
    ingest: z
      .strictObject({
        mqtt: mqtt.optional().describe('Broker of the gateway; without this section there is none'),
      })
      .prefault({})
      .describe('Readings that others bring'),
    shipments: z
      .record(
        name,
        z.strictObject({
          members: z
            .array(z.string().meta({ title: 'the name of a device, or mqtt/NAME' }))
            .min(1)
            .max(64)
            .meta({ title: 'a list of 1 to 64 devices, or mqtt/NAME' })
            .describe('Whose streams belong to every shipment opened at this reader'),
        }),
      )
      .default({})
      .describe('Readers (devices) at which shipments are opened'),
    commit: z
      .strictObject({
        holdMs: z
          .int()
          .min(0)
          .max(1000)
          .default(200)
          .meta({ title: 'milliseconds as a whole number from 0 to 1000' })
          .describe('How long polled readings may wait for a common write; spares the card'),
      })
      .prefault({})
      .describe('Writing readings to disk'),
    batch: z
      .strictObject({
        maxReadings: z
          .int()
          .min(1)
          .max(65_536)
          .default(4096)
          .describe('Seal and sign at this many readings'),
        maxAge: duration('1s', '24h')
          .prefault('60s')
          .describe('Seal and sign when the oldest reading is this old'),
        maxBytes: size('4KiB', '16MiB')
          .prefault('1MiB')
          .describe('Seal and sign at this many bytes of readings'),
      })
      .prefault({})
      .describe('When readings are sealed and signed; what comes first counts'),
    anchor: z
      .array(oneOf('ledger', ledgers))
      .min(1)
      .max(8)
      .prefault([{ ledger: 'embedded' }])
      .meta({ title: 'a list of 1 to 8 ledgers' })
      .describe('Ledgers on which the history is anchored'),
    journal: z
      .strictObject({
        maxBytes: size('64MiB', '16TiB')
          .prefault('4GiB')
          .describe('Room that the journal may take on the disk'),
        minFree: size('0B', '16TiB')
          .prefault('512MiB')
          .describe('Room on the disk that is left to others'),
        reserve: size('1MiB', '1GiB')
          .prefault('16MiB')
          .describe('Room taken at once and kept for what must be recorded when the disk is full'),
      })
      .refine(({ maxBytes, reserve }) => reserve <= maxBytes / 2, {
        error: 'a reserve of at most half of maxBytes',
      })
      .prefault({})
      .describe('The store on disk'),
    http: z
      .strictObject({ listen: listen.prefault('127.0.0.1:8470').describe('Where it answers') })
      .optional()
      .describe('Pages and figures for this machine; without this section there are none'),
  })

export type Config = z.output<ReturnType<typeof configSchema>>

/** One alternative a driver or ledger, told apart by the key that names it. */
function oneOf<Key extends string>(key: Key, choices: Choices, shared: z.ZodRawShape = {}) {
  const shapes = Object.entries(choices).map(([name, { summary, options }]) =>
    // An extension keeps the rules that a driver has for its options together.
    options
      .safeExtend({ [key]: z.literal(name), ...shared })
      .strict()
      .describe(summary),
  )
  const union = z.discriminatedUnion(key, shapes as [z.ZodObject, ...z.ZodObject[]])
  type Chosen = { readonly [K in Key]: string } & Readonly<Record<string, unknown>>
  return union as unknown as z.ZodType<Chosen, Chosen>
}
