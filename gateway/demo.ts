/** The gateway on simulated devices that speak true bytes, from nothing to evidence that was verified. */
import { readFile } from 'node:fs/promises'
import { disclosedBy } from '../anchor-client/evidence/fields.ts'
import { startSimulators } from '../hardware/sim/start.ts'
import { type DataFolder, lockData, readMarker } from './data-folder.ts'
import { devicesIn, loadedOr, shownEvidence, siteFile, withPorts } from './demonstration.ts'
import type { GatewayEvent } from './events.ts'
import { runGateway } from './flow.ts'
import { initialise } from './initialise.ts'
import type { Live } from './live.ts'
import type { Wanted } from './proving/find.ts'
import { openedLeaf } from './proving/opened-leaf.ts'

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

interface DemoOptions {
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
  const onSay = (message: string) => onEvent({ event: 'devices', message })
  const folder = await devicesIn(data)
  await using simulators = await startSimulators({ folder, signal: stop, onSay }).catch(
    (error: unknown) => {
      if (stop.aborted) return null
      throw error
    },
  )
  if (simulators === null) {
    onEvent({ event: 'stopped' })
    return 0
  }
  const loaded = withPorts(
    loadedOr(await readFile(data.config), data.config, data),
    data,
    simulators.ports,
  )
  let exit = 0
  let live: Live | undefined
  let isTrying = false
  let isShown = false
  let coveredMs: number | undefined

  /** After each anchor, until one covers a reading of every sort; other ledgers have a minute more to hold it, too. */
  async function tryEvidence(seq: number): Promise<void> {
    if (live === undefined || isTrying || isShown || signal.aborted) return
    isTrying = true
    try {
      const wanted = await everySort(live, seq)
      if (wanted === null) return
      const all = await everySort(live, await heldByAll(live))
      coveredMs ??= performance.now()
      if (all === null && performance.now() - coveredMs < othersMs) return
      isShown = true
      const { verdict, ...made } = await shownEvidence(live, all ?? wanted, 'demo')
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

const demoConfig = () => siteFile('demo.yaml')

const mostLeaves = 100
const othersMs = 60_000

/** The last batch that every ledger holds, -1 for none. */
async function heldByAll({ store: { anchors } }: Live): Promise<number> {
  const newest = await Promise.all(anchors.pins().map(({ ledgerId }) => anchors.newest(ledgerId)))
  return Math.min(...newest.map((anchor) => anchor?.size ?? 0)) - 1
}

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
