/** Publishers that send JSON of their own form to topics of their own: what is a reading is said by the configuration. */
import { readingsIn } from '../../drivers/json-readings.ts'
import { samplesOf } from '../../drivers/json-samples.ts'
import { hasWildcard, matchesTopic } from '../../drivers/transports/mqtt-topics.ts'
import { markedSimulated } from '../recording/simulated.ts'
import type { Route } from './connection.ts'
import type { Duplicates } from './duplicates.ts'
import type { MqttHost } from './mqtt-ingest.ts'
import { type MqttConfig, mqttSource, planOf } from './plan-of.ts'

type Refuse = (source: string, reason: string, bytes: Uint8Array) => Promise<void>

/** The readings of a message are told apart by their kind: each is stored once, however often the message comes. */
export const idOfReading = (kind: string, id: string): string => `${kind} ${id}`

export function ownTopics(
  config: MqttConfig,
  of: MqttHost,
  duplicates: Duplicates,
  refused: Refuse,
): (topic: string) => Route {
  const listed = Object.entries(config.sources).flatMap(([name, { json, simulated }]) =>
    json === undefined ? [] : [{ name, json, simulated }],
  )
  type Listed = (typeof listed)[number]

  async function take({ name, json, simulated }: Listed, topic: string, payload: Uint8Array) {
    const mapped = readingsIn(payload, json)
    if (typeof mapped === 'string') return refused(name, mapped, payload)
    // Without room there is no PUBACK: the publisher sends it again.
    of.room.check()
    const source = mqttSource(name)
    const topicBeside = hasWildcard(json.topic) ? topic : null
    const sourceOf = () => source
    const samples = samplesOf(mapped, json, { sourceOf, topic: topicBeside, doubts: [] })
    if (samples.length > 0) of.presence.gaveValue(source)
    const stored = samples.map((sample) => {
      const { committed: _, details, source: __, ...taken } = sample
      const marked = { ...taken, details: simulated ? markedSimulated(details) : details }
      const id = mapped.id === null ? null : idOfReading(sample.kind, mapped.id)
      return duplicates.once(
        name,
        id,
        () =>
          new Promise<void>((resolve, reject) => {
            of.recorder.record(of.streams.open(planOf(config, name)), marked, {
              ...{ holdMs: 0, committed: () => resolve(), failed: reject },
            })
          }),
      )
    })
    await Promise.all([
      ...stored,
      ...mapped.refused.map(({ name: reading, why }) =>
        refused(name, `${reading}: ${why}`, payload),
      ),
    ])
  }

  return (topic) => {
    const meant = listed.filter(({ json }) => matchesTopic(json.topic, topic))
    if (meant.length === 0) return config.otherTopics
    return async (payload) => {
      await Promise.all(meant.map((one) => take(one, topic, payload)))
    }
  }
}
