/** How time goes on from what is on record. */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import type { Opened } from '../journal/replay.ts'
import type { MachineBoot } from './clock.ts'

/** The boot's number: the one before goes on where the machine was not started anew. */
export function bootNumber({ boot, machineBoot }: Opened, { id }: MachineBoot): number {
  return boot >= 0 && equalBytes(machineBoot, id) ? boot : boot + 1
}

/** The latest time of this boot that is on record. */
export function lastMonoMs({ streams }: Opened, boot: number): number {
  const times = Array.from(streams.values(), ({ lastTime }) => lastTime)
  return Math.max(0, ...times.map((time) => (time?.boot === boot ? time.monoMs : 0)))
}
