/** What becomes of what a device says. */
import type { Sample } from '../../drivers/driver.ts'
import type { Device, DeviceHost } from '../devices.ts'
import type { StreamState } from '../journal/stream-state.ts'
import type { Live } from '../live.ts'
import { markedSimulated } from './simulated.ts'
import type { StreamPlan } from './streams.ts'

type Parts = Omit<Live, 'anchoring'>

export function deviceHost(of: Parts): DeviceHost {
  const { streams, recorder, shipments, plans, presence, clock, health, room, config, onEvent } = of
  const isKnown = (name: string) => config.devices[name] !== undefined

  /** Tag events go to the open shipment at this reader, everything else to the device's own stream. */
  function streamFor(device: Device, plan: StreamPlan): StreamState {
    return shipments.at(device.name) ?? streams.open(plan)
  }

  /** The stream of a source, and the shipment that is open at this reader. */
  function each(
    device: Device,
    sources: readonly string[],
    change: (stream: StreamState) => void,
  ): void {
    for (const source of sources) {
      const plan = plans.streams.get(source)
      if (plan) change(streams.open(plan))
    }
    const shipment = sources.length > 0 && shipments.at(device.name)
    if (shipment) change(shipment)
  }

  return {
    take(device, sample) {
      const plan = plans.streams.get(sample.source)
      if (plan === undefined || !isKnown(device.name)) return true
      presence.gaveValue(sample.source)
      const stream = streamFor(device, plan)
      if (room.full) {
        recorder.blame(stream, 'disk-full')
        return sample.committed === undefined
      }
      recorder.record(stream, takenOf(device, sample), {
        // Whoever waits for a receipt must not wait for others.
        holdMs: sample.committed ? 0 : config.commit.holdMs,
        committed: sample.committed && (() => sample.committed?.()),
      })
      return true
    },
    settled: () => of.store.journal.flush(),
    garbled(device, sources) {
      for (const source of sources) presence.wasHeard(source)
      each(device, sources, (stream) => recorder.blame(stream, 'refused'))
    },
    refuse(source, reason, bytes) {
      onEvent({ event: 'refused', source, reason })
      recorder.refuse({ source, reason, bytes }, { holdMs: config.commit.holdMs })
    },
    heard(device, source) {
      presence.wasHeard(source)
      each(device, [source], (stream) => recorder.heard(stream))
    },
    clock(fix) {
      if (!clock.set(fix)) return
      recorder.state(streams.control, { type: 'clock', time: clock.now() })
    },
    trouble(device, error) {
      const matter = `device ${device.name}`
      if (error === null) {
        health.well(matter)
        return
      }
      health.degraded(matter, error.hint ? `${error.message}: ${error.hint}` : error.message)
      // Of streams that cannot be opened: the device is there.
      if (error.code === 'STORE_FULL') return
      const all = plans.ofDevice(device.name).map(({ source }) => source)
      each(device, all, (stream) => recorder.blame(stream, 'absent'))
    },
    warn: (device, message) => onEvent({ event: 'warning', message: `${device.name}: ${message}` }),
  }
}

const takenOf = ({ isSimulated }: Device, sample: Sample) => {
  const { kind, value, unit, quality, raw, counter, details, source } = sample
  const marked = isSimulated ? markedSimulated(details) : details
  return { kind, value, unit, quality, raw, counter, details: marked, source }
}
