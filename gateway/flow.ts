/**
 * The way of a reading, from what a device says to what a ledger holds:
 * sample → reading → journal → batch → checkpoint and signature → anchor → evidence. Each step is a folder here.
 */
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { decodeHeader } from '../anchor-client/evidence/seal.ts'
import type { Loaded } from '../config/load.ts'
import { type Anchoring, startAnchoring } from './anchoring/start-anchoring.ts'
import type { DataFolder } from './data-folder.ts'
import { runDevice } from './devices.ts'
import { anchoredEvent, type GatewayEvent } from './events.ts'
import { openHealth } from './health.ts'
import { type Held, holding } from './held.ts'
import { openMqttIngest } from './ingest/mqtt-ingest.ts'
import { openKeyRing } from './keys/key-ring.ts'
import { openLedgerKey } from './keys/ledger-key.ts'
import { openSm2 } from './keys/sm2.ts'
import type { Live } from './live.ts'
import { planDevices } from './plans.ts'
import { type Clock, machineBoot, openClock } from './recording/clock.ts'
import { deviceHost } from './recording/device-host.ts'
import { openRecorder } from './recording/recorder.ts'
import { openShipments } from './recording/shipments.ts'
import { bootNumber, lastMonoMs, recordStart } from './recording/start.ts'
import { openStreams } from './recording/streams.ts'
import { openRoom } from './room.ts'
import { openSealing, type Sealing } from './sealing/sealing.ts'
import { unsignedBatches } from './sealing/unsigned.ts'
import { serve } from './serving/serve.ts'
import { openStore, type Store } from './store.ts'
import { program } from './version.ts'
import { watching } from './watch.ts'

export interface Setup {
  readonly data: DataFolder
  readonly loaded: Loaded
  readonly onEvent: (event: GatewayEvent) => void
  /** Given what the gateway is made of, once it runs. */
  readonly onRunning?: (live: Live, mqttUrl: string | null) => void
}

/** Runs until the signal aborts, and then stops cleanly. Throws what makes going on wrong. */
export async function runGateway(setup: Setup, signal: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const running = AbortSignal.any([signal, failed.signal])
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    failed.abort()
  }
  await holding(async (held) => {
    const live = await openLive(setup, held, fail, failed.signal)
    const { config, plans, data, onEvent, clock, streams, recorder } = live

    // who brings samples: publishers and devices
    const mqtt = config.ingest.mqtt
      ? held.use(await openMqttIngest(config.ingest.mqtt, data.mqttPort, ingestHost(live)))
      : null
    const host = deviceHost(live)
    const devices = plans.devices.map((device) => runDevice(device, host, running))
    // what nobody brings: silence, a full disk
    held.use(watching(live))
    // who asks for evidence while we run
    held.use(await serve(data.socket, live))
    onEvent({
      event: 'started',
      gateway: bytesToHex(live.store.identity.gateway),
      data: data.folder,
      mqtt: mqtt?.url ?? null,
      http: null,
      pid: process.pid,
    })
    setup.onRunning?.(live, mqtt?.url ?? null)

    await aborted(running)
    await mqtt?.[Symbol.asyncDispose]()
    await Promise.all(devices)
    if (failure === undefined) {
      recorder.state(streams.control, stopNote(clock))
      await live.store.journal.flush()
      await live.sealing.seal(true)
      await live.anchoring.settled(AbortSignal.timeout(longestStopMs))
    }
    await held[Symbol.asyncDispose]()
  }).catch(fail)
  if (failure !== undefined) throw failure
  setup.onEvent({ event: 'stopped' })
}

type Running = Live & { readonly data: DataFolder }
const longestStopMs = 3000

/** Everything between a sample and a ledger, opened in the order in which a reading meets it. */
async function openLive(
  { data, loaded, onEvent }: Setup,
  held: Held,
  fail: (error: unknown) => void,
  failed: AbortSignal,
): Promise<Running> {
  const { config } = loaded
  const health = openHealth(({ matter, why }, over) =>
    onEvent({ event: 'alarm', matter, why, over }),
  )
  const late: { clock?: Clock; sealing?: Sealing; anchoring?: Anchoring } = {}
  const nowMs = () => late.clock?.unixMs() ?? null
  const onCommitted = () => late.sealing?.committed()
  const store = held.use(await openStore(data, { nowMs, onCommitted, onBroken: fail }))
  const { journal, epochs, marker } = store
  const keys = await openKeyRing(
    data,
    config.keys.secret,
    marker.incarnation,
    await lastNamedKey(store),
  )

  // sample → reading: its time, its stream, and every silence declared
  const machine = machineBoot()
  const boot = bootNumber(journal.opened, machine)
  const clock = openClock(boot, machine, lastMonoMs(journal.opened, boot))
  late.clock = clock
  journal.setBoot(boot, machine.id)
  const streams = openStreams(journal, clock, epochs)
  const recorder = openRecorder(journal, streams, clock, epochs)
  const shipments = openShipments(journal, streams, recorder, clock)

  // journal → batch → checkpoint and signature
  const { maxReadings, maxAge: maxAgeMs, maxBytes } = config.batch
  const sealing = openSealing(journal, keys, {
    maxReadings,
    maxAgeMs,
    maxBytes,
    statement() {
      const { wallMs, boundMs } = clock.now()
      const previous = journal.size === 0 ? marker.previous : null
      return { wallMs, boundMs, beacon: null, previous }
    },
    onRotation: ({ newKey, seq }) =>
      recorder.state(streams.control, { type: 'rotation', time: clock.now(), key: newKey, seq }),
    onSealed({ header: { seq, batchRoot, segments }, count }, signed, lagMs) {
      const root = bytesToHex(batchRoot)
      const isSigned = signed !== null
      onEvent({ event: 'batch', seq, count, root, streams: segments, lagMs, signed: isSigned })
      late.anchoring?.signed()
    },
    onFailed: fail,
  })
  late.sealing = sealing

  // checkpoint → anchor: nothing is signed before the ledgers have said what they hold
  const anchoring = await startAnchoring({
    entries: config.anchor,
    store,
    sealing,
    keys,
    health,
    nowMs,
    keyFor: ({ path }, isFirstUse) =>
      openLedgerKey(data, config.keys.secret, String(path), isFirstUse),
    onEvent(event) {
      const said = anchoredEvent(event)
      if (said) onEvent(said)
    },
    onLeftOut: (ledger) =>
      recorder.state(streams.control, { type: 'silent', time: clock.now(), ledger }),
    onRefused: fail,
    signal: failed,
  })
  late.anchoring = held.use(anchoring)

  const { verify } = openSm2()
  const unsigned = await unsignedBatches(journal, (message, by, signature) => {
    return keys.isOurs(by) && verify(by, message, signature)
  })
  const { opened } = journal
  recordStart(recorder, streams, clock, {
    program,
    machine,
    config: loaded.bytes,
    opened,
    unsigned,
  })
  const room = openRoom(data, journal, config.journal, health)
  const plans = planDevices(config)
  return {
    data,
    config,
    store,
    clock,
    streams,
    recorder,
    shipments,
    sealing,
    anchoring,
    health,
    room,
    plans,
    onEvent,
  }
}

/** The key that the newest header names, if it names one. */
async function lastNamedKey({ reader, journal }: Store): Promise<Uint8Array | null> {
  if (journal.size === 0) return null
  return decodeHeader((await reader.seal(journal.size - 1)).header).rotation?.key ?? null
}

const ingestHost = ({ store, streams, recorder, room, onEvent }: Running) => ({
  store,
  streams,
  recorder,
  checkRoom: () => room.check(),
  warn: (message: string) => onEvent({ event: 'warning', message }),
  onRefused: (source: string, reason: string) => onEvent({ event: 'refused', source, reason }),
})

const stopNote = (clock: Clock) =>
  ({ type: 'note', time: clock.now(), name: 'stopped', bytes: new Uint8Array() }) as const

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
