/**
 * The way of a reading, from what a device says to what a ledger holds:
 * sample → reading → journal → batch → checkpoint and signature → anchor → evidence. Each step is a folder here.
 */
import { setMaxListeners } from 'node:events'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import type { Loaded } from '../config/load.ts'
import { type Anchoring, startAnchoring } from './anchoring/start-anchoring.ts'
import type { DataFolder } from './data-folder.ts'
import { runDevice } from './devices.ts'
import type { GatewayEvent } from './events.ts'
import { tellFoundAmiss } from './found-amiss.ts'
import { openHealth } from './health.ts'
import { type Held, holding } from './held.ts'
import { hashFor } from './history-hash.ts'
import { openMqttIngest } from './ingest/mqtt-ingest.ts'
import { openKeyRing } from './keys/key-ring.ts'
import type { Live } from './live.ts'
import { planDevices } from './plans.ts'
import { openPresence } from './presence.ts'
import { deviceHost } from './recording/device-host.ts'
import { openRecording, type Recording } from './recording/open-recording.ts'
import { openRoom } from './room.ts'
import { runningHere } from './running-here.ts'
import { scrubbing } from './scrubbing.ts'
import { openSealing, type Sealing } from './sealing/sealing.ts'
import { unsignedBatches } from './sealing/unsigned.ts'
import { serve } from './serving/serve.ts'
import { lastNamedKey, openStoreFor } from './store.ts'
import { watching } from './watch.ts'

interface Setup {
  readonly data: DataFolder
  readonly loaded: Loaded
  readonly onEvent: (event: GatewayEvent) => void
  /** Given what the gateway is made of, once it runs. */
  readonly onRunning?: (live: Live, mqttUrl: string | null) => void
}

/** Runs until the signal aborts, and then stops cleanly. Throws what makes going on wrong. */
export async function runGateway(setup: Setup, signal: AbortSignal): Promise<void> {
  const failed = new AbortController()
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    failed.abort()
  }
  await holding(async (held) => {
    held.use(runningHere())
    const live = await openFlow(setup, held, fail, failed.signal)
    await runUntil(AbortSignal.any([signal, failed.signal]), setup, live)
    if (failure === undefined) await stopCleanly(live)
    await held[Symbol.asyncDispose]()
  }).catch(fail)
  if (failure !== undefined) throw failure
  setup.onEvent({ event: 'stopped' })
}

/** Everything between a sample and a ledger, opened in the order in which a reading meets it. */
async function openFlow(
  { data, loaded, onEvent }: Setup,
  held: Held,
  fail: (error: unknown) => void,
  failed: AbortSignal,
): Promise<Live> {
  const { config } = loaded
  const health = openHealth(({ matter, why }, over) =>
    onEvent({ event: 'alarm', matter, why, over }),
  )
  // Each step tells the next one, which is opened after it.
  const next: { recording?: Recording; sealing?: Sealing; anchoring?: Anchoring } = {}
  const store = held.use(
    await openStoreFor(data, hashFor(config.anchor), {
      nowMs: () => next.recording?.clock.unixMs() ?? null,
      onCommitted: () => next.sealing?.committed(),
      onBroken: fail,
    }),
  )
  const { journal, marker } = store
  tellFoundAmiss(store, onEvent)
  const secret = config.keys.secret
  const named = await lastNamedKey(store)
  const keys = await openKeyRing(data, secret, marker.incarnation, named, journal.size)

  // sample → reading: its time, its stream and index, and every silence declared
  const recording = openRecording(store)
  next.recording = recording

  // journal → batch → checkpoint and signature
  const { maxReadings, maxAge: maxAgeMs, maxBytes } = config.batch
  const sealing = openSealing(journal, keys, {
    limits: { maxReadings, maxAgeMs, maxBytes },
    recording,
    previous: marker.previous,
    onSealed({ header: { seq, batchRoot, segments: streams }, count }, signed, lagMs) {
      const root = bytesToHex(batchRoot)
      onEvent({ event: 'batch', seq, count, root, streams, lagMs, signed: signed !== null })
      next.anchoring?.signed()
    },
    onFailed: fail,
  })
  next.sealing = held.use(sealing)

  // checkpoint → anchor: nothing is signed before the ledgers have said what they hold
  const entries = config.anchor
  const parts = { data, secret, entries, store, sealing, keys, health, recording, onEvent }
  const anchoring = held.use(await startAnchoring({ ...parts, onRefused: fail, signal: failed }))
  next.anchoring = anchoring

  recording.begin(loaded.bytes, await unsignedBatches(journal, keys, onEvent))
  const room = openRoom(data, journal, config.journal, health)
  await room.look().catch(() => undefined)
  const plans = planDevices(config)
  const presence = openPresence(config, plans, health)
  const seen = { health, room, plans, presence }
  return { config, data, store, sealing, anchoring, ...seen, onEvent, ...recording }
}

/** Who brings samples, what nobody brings, and who asks for evidence meanwhile. */
async function runUntil(stop: AbortSignal, { onRunning }: Setup, live: Live): Promise<void> {
  const { config, data, plans, store, onEvent } = live
  await holding(async (held) => {
    const { mqtt } = config.ingest
    const broker = mqtt && held.use(await openMqttIngest(mqtt, data.mqttPort, live))
    const host = deviceHost(live)
    // Each device listens to it, in more than one place.
    setMaxListeners(0, stop)
    const devices = plans.devices.map((device) => runDevice(device, host, stop))
    held.use(watching(live))
    held.use(scrubbing(live))
    held.use(await serve(data.socket, live))
    const url = broker?.url ?? null
    const gateway = bytesToHex(store.identity.gateway)
    const { pid } = process
    onEvent({ event: 'started', gateway, data: data.folder, mqtt: url, http: null, pid })
    onRunning?.(live, url)
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve))
    await Promise.all(devices)
    await held[Symbol.asyncDispose]()
  })
}

/** The last batch is sealed and signed, and has a moment to reach the ledgers. */
async function stopCleanly({ store, sealing, anchoring, end }: Live): Promise<void> {
  end()
  await store.journal.flush()
  await sealing.seal(true)
  await anchoring.settled(AbortSignal.timeout(longestSendMs))
}

const longestSendMs = 3000
