/** Readings that publishers bring over MQTT: PUBACK only once they, or their refusal, are on the disk. */
import { readFile, writeFile } from 'node:fs/promises'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { disclosedBy } from '../../anchor-client/evidence/fields.ts'
import type { Details } from '../../anchor-client/evidence/model.ts'
import type { Live } from '../live.ts'
import { streamsNamed } from '../proving/find.ts'
import { openedLeaf } from '../proving/opened-leaf.ts'
import { markedSimulated } from '../recording/simulated.ts'
import type { Store } from '../store.ts'
import { type Broker, openBroker, type Publication } from './broker.ts'
import { openDuplicates } from './duplicates.ts'
import { idOfReading, ownTopics } from './own-topics.ts'
import { checkAgainstMapping, readPayload } from './payload.ts'
import { type MqttConfig, mqttSource, planOf, publisherOf } from './plan-of.ts'

/** Parts of the running gateway. */
export type MqttHost = Pick<
  Live,
  'store' | 'streams' | 'recorder' | 'room' | 'presence' | 'onEvent'
>

const mostSources = 512
const windowIds = 10_000

export async function openMqttIngest(
  config: MqttConfig,
  portFile: string,
  of: MqttHost,
): Promise<Broker> {
  const seen = new Set<string>()
  for (const stream of of.store.journal.streams.values()) {
    const name = publisherOf(of.streams.sourceOf(stream))
    if (name !== undefined) seen.add(name)
  }
  const duplicates = openDuplicates((source) =>
    lastIds(of.store, mqttSource(source), config.sources[source]?.json !== undefined),
  )

  async function take({ source, payload }: Publication): Promise<void> {
    const said = readPayload(payload)
    const refusal = 'refused' in said ? said.refused : refusalOf(source, said.reading)
    if ('refused' in said || refusal !== null) {
      return refused(source, refusal ?? 'not readable', payload)
    }
    // Without room there is no PUBACK: the publisher sends it again.
    of.room.check()
    const { reading } = said
    of.presence.gaveValue(mqttSource(source))
    const store = () =>
      new Promise<void>((resolve, reject) => {
        of.recorder.record(
          of.streams.open(planOf(config, source)),
          {
            kind: reading.kind,
            value: reading.value,
            unit: reading.unit ?? mappedUnit(source, reading.kind),
            details: isSimulated(source) ? markedSimulated(detailsOf(reading)) : detailsOf(reading),
          },
          { holdMs: 0, committed: () => resolve(), failed: reject },
        )
      })
    await duplicates.once(source, reading.id, store)
  }

  function refusalOf(source: string, reading: Parameters<typeof checkAgainstMapping>[0]) {
    const listed = Object.hasOwn(config.sources, source) ? config.sources[source] : undefined
    if (listed === undefined && config.unlisted === 'refuse') {
      return 'this source is not listed in the configuration'
    }
    if (listed?.json) return 'this source sends to a topic of its own'
    if (!seen.has(source) && seen.size >= mostSources) return `more than ${mostSources} sources`
    seen.add(source)
    return listed ? checkAgainstMapping(reading, listed) : null
  }

  const mappedUnit = (source: string, kind: string): string | undefined =>
    Object.hasOwn(config.sources, source) ? config.sources[source]?.kinds?.[kind] : undefined

  const isSimulated = (source: string): boolean =>
    Object.hasOwn(config.sources, source) && config.sources[source]?.simulated === true

  const refused = (source: string, reason: string, bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      of.onEvent({ event: 'refused', source: mqttSource(source), reason })
      of.presence.wasHeard(mqttSource(source))
      of.recorder.refuse(
        { source: mqttSource(source), reason, bytes },
        { holdMs: 0, committed: () => resolve(), failed: reject },
      )
    })

  return openOnKeptPort(config.listen, portFile, {
    take,
    route: ownTopics(config, of, duplicates, refused),
    warn: (message) => of.onEvent({ event: 'warning', message }),
  })
}

/** Port 0 takes a free one at the first start, and the same one afterwards. */
async function openOnKeptPort(
  { host, port }: MqttConfig['listen'],
  portFile: string,
  broker: Parameters<typeof openBroker>[1],
): Promise<Broker> {
  if (port !== 0) return openBroker({ host, port }, broker)
  const kept = Number(await readFile(portFile, 'utf8').catch(() => '0'))
  const wanted = Number.isInteger(kept) && kept > 0 && kept < 65_536 ? kept : 0
  const opened = await openBroker({ host, port: wanted }, broker).catch((error) => {
    if (wanted === 0 || !(error instanceof KedgeError)) throw error
    broker.warn(`port ${wanted} of the last start is taken: another one is used`)
    return openBroker({ host, port: 0 }, broker)
  })
  await writeFile(portFile, `${opened.port}\n`)
  return opened
}

function detailsOf({ id, time }: { id: string | null; time: string | null }): Details | undefined {
  const details: (readonly [string, string])[] = []
  if (id !== null) details.push(['publisher-id', id])
  if (time !== null) details.push(['publisher-time', time])
  return details.length > 0 ? details : undefined
}

/** The ids of the last readings of a source that had one, oldest first. */
async function lastIds(
  { reader, epochs }: Store,
  source: string,
  hasOwnTopic: boolean,
): Promise<string[]> {
  const ids: string[] = []
  const streams = await streamsNamed(reader, epochs, source).catch((error) => {
    if (error instanceof KedgeError && error.code === 'NOT_FOUND') return []
    throw error
  })
  for (const { number, size } of streams.toReversed()) {
    for (let to = size; to > 0 && ids.length < windowIds; to -= windowIds) {
      const found: string[] = []
      for await (const { leaf } of reader.leaves(number, Math.max(0, to - windowIds), to)) {
        if (leaf === null) continue
        const { kind, details } = disclosedBy(openedLeaf(leaf, number, epochs))
        const id = details?.find(([name]) => name === 'publisher-id')?.[1]
        if (typeof id === 'string') found.push(hasOwnTopic ? idOfReading(kind ?? '', id) : id)
      }
      ids.unshift(...found)
    }
  }
  return ids.slice(-windowIds)
}
