import type { Config } from '../../config/schema.ts'
import type { StreamPlan } from '../recording/streams.ts'

export type MqttConfig = NonNullable<Config['ingest']['mqtt']>

export const mqttSource = (name: string): string => `mqtt/${name}`

export const publisherOf = (source: string): string | undefined => /^mqtt\/(.+)$/.exec(source)?.[1]

/** The stream of a publisher, listed in the configuration or not. */
export function planOf({ sources }: MqttConfig, name: string): StreamPlan {
  const listed = Object.hasOwn(sources, name) ? sources[name] : undefined
  return {
    source: mqttSource(name),
    kinds: listed?.json
      ? Object.entries(listed.json.readings).map(([reading, { kind = reading }]) => kind)
      : listed?.kinds
        ? Object.keys(listed.kinds)
        : null,
    promise: listed?.promise ?? null,
    isPrivate: listed?.private ?? false,
    isDevice: false,
  }
}
