/** A scenario on simulated devices, from its first moment to evidence of all of it. */
import { disclosedBy } from '../anchor-client/evidence/fields.ts'
import type { ScenarioFile } from '../config/scenario.ts'
import { startSimulators } from '../hardware/sim/start.ts'
import { type DataFolder, lockData, readMarker } from './data-folder.ts'
import { devicesIn, loadedOr, shownEvidence, siteFile, withPorts } from './demonstration.ts'
import type { GatewayEvent } from './events.ts'
import { runGateway } from './flow.ts'
import { initialise } from './initialise.ts'
import type { Live } from './live.ts'
import type { Wanted } from './proving/find.ts'
import { openedLeaf } from './proving/opened-leaf.ts'
import { pause } from './retry.ts'

export type SimulateEvent =
  | GatewayEvent
  | { readonly event: 'devices'; readonly message: string }
  | {
      readonly event: 'verified'
      readonly evidence: string
      readonly trust: string
      readonly bytes: number
      readonly kinds: readonly string[]
      readonly verdict: string
      /** What the scenario says that it must be, or null. */
      readonly expected: string | null
    }

export interface SimulateOptions {
  readonly data: DataFolder
  /** What the evidence is called. */
  readonly name: string
  readonly scenario: ScenarioFile
  readonly onEvent: (event: SimulateEvent) => void
}

const config = 'simulate.yaml'

/** Gives the exit code: 1 where the evidence does not say what the scenario says. */
export async function runScenario(
  { data, name, scenario, onEvent }: SimulateOptions,
  stop: AbortSignal,
): Promise<number> {
  const done = new AbortController()
  const signal = AbortSignal.any([stop, done.signal])
  if ((await readMarker(data)) === undefined)
    await initialise(data, undefined, () => siteFile(config))
  await (await lockData(data))[Symbol.asyncDispose]()
  const { lasts, verdict: expected = null, cold, steps } = scenario
  let exit = 0

  async function judge(live: Live): Promise<void> {
    const begun = await sizesOf(live)
    simulators?.play()
    await pause(lasts, signal)
    const wanted = await recorded(live, begun)
    await live.sealing.seal()
    await live.anchoring.settled(signal)
    if (signal.aborted) return
    const shown = await shownEvidence(live, wanted, name)
    if (expected === null ? !shown.verdict.startsWith('complete') : shown.verdict !== expected)
      exit = 1
    onEvent({ event: 'verified', ...shown, expected })
    done.abort()
  }

  const folder = await devicesIn(data)
  await using simulators = await startSimulators({
    folder,
    signal: stop,
    scenario: { ...cold, steps },
    onSay: (message) => onEvent({ event: 'devices', message }),
  }).catch((error: unknown) => {
    if (stop.aborted) return null
    throw error
  })
  if (simulators === null) {
    onEvent({ event: 'stopped' })
    return 0
  }
  const site = loadedOr(new TextEncoder().encode(siteFile(config)), config, data)
  await runGateway(
    {
      data,
      loaded: withPorts(site, data, simulators.ports),
      onEvent,
      onRunning(live) {
        judge(live).catch((error: unknown) => {
          if (signal.aborted) return
          exit = 1
          const message = error instanceof Error ? error.message : String(error)
          onEvent({ event: 'warning', message: `no evidence: ${message}` })
          done.abort()
        })
      },
    },
    signal,
  )
  return exit
}

/** How many leaves the stream of each device has, by its number. */
async function sizesOf({ store: { reader } }: Live): Promise<ReadonlyMap<number, number>> {
  const sizes = new Map<number, number>()
  for await (const { number, size } of reader.streams()) sizes.set(number, size)
  return sizes
}

/** Of every device's stream what was recorded since, from its first reading on. */
async function recorded(live: Live, begun: ReadonlyMap<number, number>): Promise<Wanted[]> {
  const { store, plans } = live
  await store.journal.flush()
  const wanted: Wanted[] = []
  for await (const stream of store.reader.streams()) {
    const { number, size: to, descriptor } = stream
    if (!plans.streams.has(descriptor.source)) continue
    let from = begun.get(number) ?? 0
    for await (const { leaf } of store.reader.leaves(number, from, to)) {
      if (leaf && disclosedBy(openedLeaf(leaf, number, store.epochs)).kind) break
      from += 1
    }
    if (from < to) wanted.push({ stream, spans: [{ from, to }] })
  }
  return wanted
}
