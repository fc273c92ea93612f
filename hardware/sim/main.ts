/**
 * The simulated devices as a process of their own. Started by `startSimulators` it ends when its parent
 * does, however that ends; by hand: `node --import tsx hardware/sim/main.ts FOLDER [--broker URL]`.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type PortMeans, portMeans } from './device-port.ts'
import type { Beginning, FromSimulators, ToSimulators } from './messages.ts'
import { openSite, type Site } from './site.ts'

if (process.send) underParent()
else await byHand()

function underParent(): void {
  const tell = (message: FromSimulators) => void process.send?.(message, () => {})
  const say = (line: string) => tell({ say: line })
  let site: Site | null = null
  process.on('message', (message: ToSimulators) => {
    if ('broker' in message) return site?.publishTo(message.broker)
    if ('play' in message) return site?.play()
    openSite(message.begin, say).then(
      (opened) => {
        site = opened
        tell({ ready: opened.ready })
      },
      (error) => tell({ failed: error instanceof Error ? error.message : String(error) }),
    )
  })
  // The one signal that counts: it comes even when the parent is killed.
  process.on('disconnect', () => void leave(site))
  // Ctrl-C goes to the whole group, and the parent still needs its devices while it stops.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}

async function byHand(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { broker: { type: 'string' }, seed: { type: 'string' }, ports: { type: 'string' } },
  })
  const means = values.ports === undefined ? null : portMeans.find((one) => one === values.ports)
  const seed = Number(values.seed ?? 1)
  if (positionals.length !== 1 || means === undefined || !Number.isSafeInteger(seed)) {
    console.error(
      `usage: main.ts FOLDER [--broker URL] [--seed N] [--ports ${portMeans.join('|')}]`,
    )
    process.exitCode = 2
    return
  }
  const begin: Beginning = {
    folder: resolve(process.env.INIT_CWD ?? '.', positionals[0] ?? '.'),
    seed,
    broker: values.broker ?? null,
    scenario: null,
    means: means satisfies PortMeans | null,
  }
  const site = await openSite(begin, (line) => console.log(line))
  const { ports, w1, transport } = site.ready
  console.log(`${transport}\nuhf:  ${ports.uhf}\ngnss: ${ports.gnss}\nw1:   ${w1}`)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void leave(site))
  }
}

async function leave(site: Site | null): Promise<never> {
  // Whatever hangs must not outlive its parent.
  setTimeout(() => process.exit(1), 2000).unref()
  await site?.[Symbol.asyncDispose]()
  process.exit(0)
}
