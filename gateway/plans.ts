/** What the configuration means in devices, streams and readers. */
import type { Config } from '../config/schema.ts'
import { type DriverName, drivers } from '../drivers/index.ts'
import { type Device, sourcesOf } from './devices.ts'
import { planOf, publisherOf } from './ingest/plan-of.ts'
import type { Reader } from './recording/shipments.ts'
import type { StreamPlan } from './recording/streams.ts'

export interface Plans {
  readonly devices: readonly Device[]
  /** By the stream's source. */
  readonly streams: ReadonlyMap<string, StreamPlan>
  /** The streams of a device, by its name. */
  ofDevice(name: string): readonly StreamPlan[]
  readonly readers: ReadonlyMap<string, Reader>
}

export function planDevices(config: Config): Plans {
  const devices = Object.entries(config.devices).map(([name, { driver: of, ...entry }]): Device => {
    const { simulated, ...options } = entry
    const driver = drivers[of as DriverName] as unknown as Device['driver']
    return { name, driver, options, isSimulated: simulated === true }
  })
  const byDevice = new Map(
    devices.map((device) => [
      device.name,
      sourcesOf(device).map(({ source, kinds, promise, erasable }): StreamPlan => {
        return { source, kinds, promise, isPrivate: erasable, isDevice: true }
      }),
    ]),
  )
  const ofDevice = (name: string): readonly StreamPlan[] => byDevice.get(name) ?? []
  const { mqtt } = config.ingest
  const member = (name: string): readonly StreamPlan[] => {
    const publisher = publisherOf(name)
    return publisher !== undefined && mqtt ? [planOf(mqtt, publisher)] : ofDevice(name)
  }
  const readers = Object.entries(config.shipments).map(([name, { members }]) => {
    const [stream] = ofDevice(name)
    const reader: Reader = {
      name,
      kinds: stream?.kinds ?? [],
      promise: stream?.promise ?? null,
      members: members.flatMap(member),
    }
    return [name, reader] as const
  })
  return {
    devices,
    streams: new Map(
      Array.from(byDevice.values())
        .flat()
        .map((plan) => [plan.source, plan]),
    ),
    ofDevice,
    readers: new Map(readers),
  }
}
