/** All that turns samples into readings, on the store of this gateway. */
import { encode } from '../../anchor-client/evidence/encode.ts'
import type { Store } from '../store.ts'
import { program } from '../version.ts'
import { type Clock, machineBoot, openClock } from './clock.ts'
import { openGaps } from './gaps.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { openShipments, type Shipments } from './shipments.ts'
import { bootNumber, lastMonoMs } from './start.ts'
import { openStreams, type Streams } from './streams.ts'

export interface Recording {
  readonly clock: Clock
  readonly streams: Streams
  readonly recorder: Recorder
  readonly shipments: Shipments
  /** What every start puts on record: the boot, the configuration where there is one, what was found amiss. */
  begin(config: Uint8Array | null, unsigned: readonly number[]): void
  /** That it stopped cleanly. */
  end(): void
}

export function openRecording({ journal, epochs }: Store): Recording {
  const machine = machineBoot()
  const { opened } = journal
  const boot = bootNumber(opened, machine)
  journal.setBoot(boot, machine.id)
  const clock = openClock(boot, machine, lastMonoMs(opened, boot))
  const gaps = openGaps(journal)
  const streams = openStreams(journal, clock, epochs, gaps)
  const recorder = openRecorder(journal, streams, clock, epochs, gaps)
  const shipments = openShipments(journal, streams, recorder, clock)
  const { control } = streams
  const note = (name: string, bytes: Uint8Array, time = clock.now()) =>
    recorder.state(control, { type: 'note', time, name, bytes })

  return {
    clock,
    streams,
    recorder,
    shipments,
    begin(config, unsigned) {
      const time = clock.now()
      recorder.state(control, { type: 'boot', time, program })
      note('machine-boot', machine.id, time)
      if (config) recorder.state(control, { type: 'config', time, bytes: config })
      for (const damage of opened.damage)
        recorder.state(control, { type: 'damage', time, ...damage })
      const { damagedRows } = opened
      if (damagedRows.length > 0) note('damaged-rows', encode(damagedRows.slice(0, 1024)), time)
      if (unsigned.length > 0) note('unsigned-batches', encode(unsigned.slice(0, 1024)), time)
    },
    end: () => note('stopped', new Uint8Array()),
  }
}
