import type { Config } from '../config/schema.ts'
import type { Anchoring } from './anchoring/start-anchoring.ts'
import type { GatewayEvent } from './events.ts'
import type { Health } from './health.ts'
import type { Plans } from './plans.ts'
import type { Clock } from './recording/clock.ts'
import type { Recorder } from './recording/recorder.ts'
import type { Shipments } from './recording/shipments.ts'
import type { Streams } from './recording/streams.ts'
import type { Room } from './room.ts'
import type { Sealing } from './sealing/sealing.ts'
import type { Store } from './store.ts'

/** What a running gateway is made of, for its devices, its watch and whoever asks it. */
export interface Live {
  readonly config: Config
  readonly store: Store
  readonly clock: Clock
  readonly streams: Streams
  readonly recorder: Recorder
  readonly shipments: Shipments
  readonly sealing: Sealing
  readonly anchoring: Anchoring
  readonly health: Health
  readonly room: Room
  readonly plans: Plans
  readonly onEvent: (event: GatewayEvent) => void
}
