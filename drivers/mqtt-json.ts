/** Whatever publishes JSON over MQTT to a broker of its own: what is a reading is said by the configuration. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { z } from 'zod'
import { type Driver, defineDriver, sourceOption } from './driver.ts'
import { filtersOf, nameOf, openListening, publishersOption } from './json-publishers.ts'
import { maxMessageBytes } from './json-readings.ts'
import { openMqtt } from './transports/mqtt.ts'
import { secretReference } from './transports/secret.ts'

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
    .describe(
      'Name of the session that the broker keeps, no other may have it (made from this machine, url, user and source if not given)',
    ),
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
  publishers: publishersOption,
})

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

  async *read({ publishers, source, staleMs, ...rest }, { signal, ...told }) {
    const topics = filtersOf(publishers)
    const { warn } = told
    const clientId = rest.clientId ?? (await clientIdFor(rest.url, rest.user, source))
    const maxPayloadBytes = maxMessageBytes
    await using link = await openMqtt({ ...rest, clientId, topics, maxPayloadBytes, signal, warn })
    const samplesIn = openListening({ publishers, source, staleMs }, told)
    for await (const message of link) {
      const samples = samplesIn(message)
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

/**
 * Differs from machine to machine, and tells none of them from another to whoever reads it. Another list of topics
 * is the same session still: one that nobody comes back to would be kept by the broker for ever.
 */
async function clientIdFor(...of: readonly (string | undefined)[]): Promise<string> {
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => hostname())
  const hash = createHash('sha256').update(JSON.stringify([machine, ...of]))
  return `kedge-${hash.digest('hex').slice(0, 16)}`
}
