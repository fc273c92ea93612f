/** What every start puts on record before anything else: the boot, the configuration, and what was found amiss. */
import { encode } from '../../anchor-client/evidence/codec.ts'
import type { Opened } from '../journal/replay.ts'
import type { Clock, MachineBoot } from './clock.ts'
import type { Recorder } from './recorder.ts'
import type { Streams } from './streams.ts'

export interface Start {
  readonly program: string
  readonly machine: MachineBoot
  readonly config: Uint8Array
  readonly opened: Opened
  /** Batches that bear no signature of ours though they should. */
  readonly unsigned: readonly number[]
}

export function recordStart(
  recorder: Recorder,
  { control }: Streams,
  clock: Clock,
  { program, machine, config, opened, unsigned }: Start,
): void {
  const time = clock.now()
  recorder.state(control, { type: 'boot', time, program })
  recorder.state(control, { type: 'note', time, name: 'machine-boot', bytes: machine.id })
  recorder.state(control, { type: 'config', time, bytes: config })
  for (const damage of opened.damage) recorder.state(control, { type: 'damage', time, ...damage })
  if (opened.damagedRows.length > 0) {
    const bytes = encode(opened.damagedRows.slice(0, 1024))
    recorder.state(control, { type: 'note', time, name: 'damaged-rows', bytes })
  }
  if (unsigned.length > 0) {
    const bytes = encode(unsigned.slice(0, 1024))
    recorder.state(control, { type: 'note', time, name: 'unsigned-batches', bytes })
  }
}

/** The boot's number: the one before goes on where the machine was not started anew. */
export function bootNumber({ boot, machineBoot }: Opened, { id }: MachineBoot): number {
  const isSame = boot >= 0 && Buffer.from(machineBoot).equals(id)
  return isSame ? boot : boot + 1
}

/** The latest time of this boot that is on record. */
export function lastMonoMs({ streams }: Opened, boot: number): number {
  const times = Array.from(streams.values(), ({ lastTime }) => lastTime)
  return Math.max(0, ...times.map((time) => (time?.boot === boot ? time.monoMs : 0)))
}
