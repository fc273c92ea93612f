import type { Config } from '../config/schema.ts'
import type { Anchoring } from './anchoring/start-anchoring.ts'
import type { DataFolder } from './data-folder.ts'
import type { GatewayEvent } from './events.ts'
import type { Health } from './health.ts'
import type { Plans } from './plans.ts'
import type { Presence } from './presence.ts'
import type { Recording } from './recording/open-recording.ts'
import type { Room } from './room.ts'
import type { Sealing } from './sealing/sealing.ts'
import type { Store } from './store.ts'

/** What a running gateway is made of, for its devices, its watch and whoever asks it. */
export interface Live extends Recording {
  readonly config: Config
  readonly data: DataFolder
  readonly store: Store
  readonly sealing: Sealing
  readonly anchoring: Anchoring
  readonly health: Health
  readonly room: Room
  readonly plans: Plans
  readonly presence: Presence
  readonly onEvent: (event: GatewayEvent) => void
}
