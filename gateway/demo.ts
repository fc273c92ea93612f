/** The gateway on simulated devices that speak true bytes, from nothing to evidence that was verified. */
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { disclosedBy } from '../anchor-client/evidence/fields.ts'
import { parseTrust } from '../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import { registry } from '../config/registry.ts'
import { startSimulators } from '../hardware/sim/start.ts'
import { type DataFolder, lockData, readMarker } from './data-folder.ts'
import type { GatewayEvent } from './events.ts'
import { runGateway } from './flow.ts'
import { initialise } from './initialise.ts'
import type { Live } from './live.ts'
import { makeEvidence } from './proving/evidence.ts'
import type { Wanted } from './proving/find.ts'
import { openedLeaf } from './proving/opened-leaf.ts'
import { trustFileOf } from './queries/trust.ts'

export type DemoEvent =
  | GatewayEvent
  | { readonly event: 'devices'; readonly message: string }
  | {
      readonly event: 'evidence'
      readonly evidence: string
      readonly trust: string
      readonly bytes: number
      readonly kinds: readonly string[]
    }
  | {
      readonly event: 'verified'
      readonly evidence: string
      readonly trust: string
      readonly verdict: string
      readonly kinds: readonly string[]
      readonly seconds: number
    }

export interface DemoOptions {
  readonly data: DataFolder
  /** Ends after the first verified anchor that covers a tag, a temperature and a vital. */
  readonly isOnce: boolean
  readonly onEvent: (event: DemoEvent) => void
}

/** Gives the exit code. */
export async function runDemo(
  { data, isOnce, onEvent }: DemoOptions,
  stop: AbortSignal,
): Promise<number> {
  const begunMs = performance.now()
  const done = new AbortController()
  const signal = AbortSignal.any([stop, done.signal])
  if ((await readMarker(data)) === undefined) await initialise(data, undefined, demoConfig)
  // Refused here, a second demo does not take the first one's devices away.
  await (await lockData(data))[Symbol.asyncDispose]()
  const simulated = join(data.folder, 'demo')
  await mkdir(simulated, { recursive: true })
  await using simulators = await startSimulators({
    folder: simulated,
    signal,
    onSay: (message) => onEvent({ event: 'devices', message }),
  }).catch((error: unknown) => {
    if (stop.aborted) return null
    throw error
  })
  if (simulators === null) {
    onEvent({ event: 'stopped' })
    return 0
  }
  const loaded = withPorts(await demoLoaded(data), simulated, simulators.ports)
  let exit = 0
  let live: Live | undefined
  let isTrying = false
  let isShown = false

  /** After each anchor, until one covers a reading of every sort. */
  async function tryEvidence(seq: number): Promise<void> {
    if (live === undefined || isTrying || isShown || signal.aborted) return
    isTrying = true
    try {
      const wanted = await everySort(live, seq)
      if (wanted === null) return
      isShown = true
      const { verdict, ...made } = await evidenceOf(live, wanted)
      onEvent({ event: 'evidence', ...made })
      const seconds = Math.round(performance.now() - begunMs) / 1000
      onEvent({ event: 'verified', ...made, verdict, seconds })
      if (!verdict.startsWith('complete')) exit = 1
      if (isOnce) done.abort()
    } finally {
      isTrying = false
    }
  }

  await runGateway(
    {
      data,
      loaded,
      onRunning(running, mqttUrl) {
        live = running
        if (mqttUrl) simulators.publishTo(mqttUrl)
      },
      onEvent(event) {
        onEvent(event)
        if (event.event !== 'anchored') return
        tryEvidence(event.seq).catch((error: unknown) => {
          // Told to stop meanwhile, the gateway has closed its store.
          if (signal.aborted) return
          exit = 1
          const message = error instanceof Error ? error.message : String(error)
          onEvent({ event: 'warning', message: `no evidence: ${message}` })
          if (isOnce) done.abort()
        })
      },
    },
    signal,
  )
  return exit
}

const demoConfig = () =>
  readFileSync(fileURLToPath(new URL('../config/demo.yaml', import.meta.url)), 'utf8')

async function demoLoaded(data: DataFolder): Promise<Loaded> {
  const loaded = loadConfig(
    Uint8Array.from(await readFile(data.config)),
    data.config,
    data.folder,
    registry,
  )
  if (loaded.faults === undefined) return loaded
  const [fault] = loaded.faults
  throw new KedgeError('CONFIG_INVALID', `${fault?.at}: ${fault?.error.message}`)
}

/** Where there are no virtual serial ports the simulated devices are reached over TCP. */
function withPorts(loaded: Loaded, folder: string, ports: { uhf: string; gnss: string }): Loaded {
  const devices = Object.entries(loaded.config.devices).map(([name, device]) => {
    const port = Object.entries(ports).find(([of]) => device.port === join(folder, 'dev', of))?.[1]
    return [name, port ? { ...device, port } : device]
  })
  return { ...loaded, config: { ...loaded.config, devices: Object.fromEntries(devices) } }
}

const mostLeaves = 100
const sorts = [['tag'], ['temperature'], ['heart-rate', 'spo2']]

/** The newest leaves of a stream of each sort, as far as they are anchored; null where one has none. */
async function everySort({ store }: Live, anchoredSeq: number): Promise<Wanted[] | null> {
  const { reader, epochs } = store
  const wanted: Wanted[] = []
  const missing = new Set(sorts)
  for await (const stream of reader.streams()) {
    const sort = sorts.find((kinds) =>
      kinds.some((kind) => stream.descriptor.kinds?.includes(kind)),
    )
    if (sort === undefined) continue
    let to = 0
    for await (const { seal, segment } of reader.sealsFrom(stream.number, 1)) {
      if (seal.seq <= anchoredSeq) to = segment.size
    }
    const from = Math.max(0, to - mostLeaves)
    for await (const { leaf } of reader.leaves(stream.number, from, to)) {
      const kind = leaf && disclosedBy(openedLeaf(leaf, stream.number, epochs)).kind
      if (!kind || !sort.includes(kind)) continue
      wanted.push({ stream, spans: [{ from, to }] })
      missing.delete(sort)
      break
    }
  }
  return missing.size === 0 ? wanted : null
}

async function evidenceOf({ store, sealing }: Live, wanted: readonly Wanted[]) {
  const { data, reader, epochs } = store
  const bytes = await makeEvidence({ ...store, newest: () => sealing.newest() }, wanted, {
    isUnanchored: false,
    seals: 'last',
    fields: null,
  })
  const trustText = await trustFileOf(store)
  await mkdir(data.evidence, { recursive: true })
  const evidence = join(data.evidence, 'demo.kedge')
  const trust = join(data.evidence, 'demo.trust.json')
  await writeFile(evidence, bytes)
  await writeFile(trust, trustText)
  const kinds = new Set<string>()
  for (const { stream, spans } of wanted) {
    for (const { from, to } of spans) {
      for await (const { leaf } of reader.leaves(stream.number, from, to)) {
        const kind = leaf && disclosedBy(openedLeaf(leaf, stream.number, epochs)).kind
        if (kind) kinds.add(kind)
      }
    }
  }
  // From the file, as anybody else would.
  const { verdict } = verifyEvidence(
    Uint8Array.from(await readFile(evidence)),
    parseTrust(trustText),
    { expect: [], maxLagMs: null },
  )
  return { evidence, trust, bytes: bytes.length, verdict, kinds: Array.from(kinds).sort() }
}
