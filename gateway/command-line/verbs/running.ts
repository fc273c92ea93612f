/** What the verbs that run a gateway share: its configuration, its signals, a line an event. */
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import type { Loaded } from '../../../config/load.ts'
import type { GatewayEvent } from '../../events.ts'
import type { Arguments } from '../arguments.ts'
import { configFileOf } from '../data-of.ts'
import { readConfig } from '../read-config.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'

/** Aborted by what asks a process to stop. */
export function stopSignal(): AbortSignal {
  const asked = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => asked.abort())
  }
  return asked.signal
}

/** What was sent may still land: asked again, the same words change nothing. */
export function stoppedOr(error: unknown, signal: AbortSignal): never {
  if (!signal.aborted) throw error
  throw new KedgeError('LEDGER_UNREACHABLE', 'stopped before the ledger had taken it for good', {
    hint: 'Say it again: what has landed meanwhile is found.',
  })
}

/** The exit code where the configuration is broken: each fault was told. */
export async function configOr(
  args: Arguments,
  terminal: Terminal,
  dataFolder: string,
): Promise<Loaded | number> {
  const loaded = await readConfig(configFileOf(args), dataFolder)
  if (loaded.faults === undefined) return loaded
  return Math.max(...loaded.faults.map(({ at, error }) => terminal.explain(error, at)))
}

/** Prints each event as it comes. */
export function printer(terminal: Terminal): (event: { readonly event: string }) => void {
  return (event) => {
    void terminal.print(terminal.json ? jsonLine(event) : inWords(event as GatewayEvent, terminal))
  }
}

export function inWords(event: GatewayEvent, { good, bad, doubtful }: Terminal): string {
  switch (event.event) {
    case 'started': {
      const { gateway, data, mqtt, pid } = event
      const listens = mqtt ? `, MQTT at ${mqtt}` : ''
      return printable(`gateway ${gateway.slice(0, 16)}… on ${data}${listens}, process ${pid}`)
    }
    case 'batch': {
      const { seq, count, root, streams, lagMs, signed } = event
      const state = signed ? 'signed' : 'not signed yet'
      return (
        `batch ${String(seq).padStart(5)}  ${String(count).padStart(4)} records of ${streams} stream${streams === 1 ? ' ' : 's'}  ` +
        `${(lagMs / 1000).toFixed(1)} s  root ${root.slice(0, 16)}…  ${state}`
      )
    }
    case 'anchored': {
      const { ledger, seq, block } = event
      return good(`anchored batches 0 to ${seq} on ${ledger}, entry ${block}`)
    }
    case 'gap':
      return doubtful(printable(`gap in ${event.stream}: ${event.cause}`))
    case 'alarm':
      return event.over
        ? good(printable(`over: ${event.matter}`))
        : bad(printable(`${event.matter}: ${event.why}`))
    case 'refused':
      return doubtful(printable(`refused from ${event.source}: ${event.reason}`))
    case 'warning':
      return doubtful(printable(event.message))
    case 'stopped':
      return 'stopped cleanly'
  }
}
