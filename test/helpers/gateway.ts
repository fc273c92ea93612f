/** Gateways for tests: the real command in a process of its own, or one in this process with its parts at hand. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../config/load.ts'
import { registry } from '../../config/registry.ts'
import { type DataFolder, dataFolder } from '../../gateway/data-folder.ts'
import type { GatewayEvent } from '../../gateway/events.ts'
import { runGateway } from '../../gateway/flow.ts'
import { initialise } from '../../gateway/initialise.ts'
import type { SecretReference } from '../../gateway/keys/secret.ts'
import type { Live } from '../../gateway/live.ts'
import { scratchFolder } from './scratch.ts'
import { run } from './spawn.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a program prints is looked at key by key
export type Line = Readonly<Record<string, any>>

/** On a machine that is busy with other things; nothing is said about how long anything takes. */
const patienceMs = 200_000

/** A configuration that seals soon and asks for little room. */
export const quickConfig = (gateway: string, more = ''): string => `
site: test
gateway: ${gateway}
batch: { maxAge: 1s }
journal: { minFree: 0B, reserve: 1MiB }
${more}`

/** Resolves with the first that is there. */
export async function until<T>(
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  what = 'it',
): Promise<T> {
  const lateMs = performance.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > lateMs) throw new Error(`${what} did not come`)
    await sleep(20)
  }
}

const nodeArguments = ['--import=tsx', 'gateway/cli.ts']

/** One verb with --json, from its start to its end; words are parted by spaces. */
export async function kedge(...words: readonly string[]) {
  const asked = words.flatMap((word) => word.split(' '))
  const { code, stdout, stderr } = await run(process.execPath, [
    ...nodeArguments,
    ...asked,
    '--json',
  ])
  const lines = linesIn(stdout)
  const errors = linesIn(
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  )
  const error = (errors[0]?.error ?? null) as Line | null
  return { code, lines, line: lines[0] ?? {}, error, stdout, stderr }
}

const linesIn = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

export type Started = ReturnType<typeof startKedge>

/** A verb that runs until it is told to stop. Killed, if it still runs, when the test is over. */
export function startKedge(...args: readonly string[]) {
  const child = spawn(process.execPath, [...nodeArguments, ...args, '--json'], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const events: Line[] = []
  let stdout = ''
  let stderr = ''
  let hasEnded = false
  const reading = createInterface(child.stdout).on('line', (line) => {
    stdout += `${line}\n`
    events.push(JSON.parse(line))
  })
  const read = new Promise((resolve) => reading.once('close', resolve))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve)).then(
    async (code) => {
      await read
      hasEnded = true
      return code
    },
  )
  return {
    pid: child.pid as number,
    events,
    ended,
    said: () => stdout + stderr,
    stderr: () => stderr,
    /** The first event of this name for which this holds. */
    event: (name: string, holds: (event: Line) => boolean = () => true): Promise<Line> =>
      until(() => {
        const found = events.find((event) => event.event === name && holds(event))
        if (!found && hasEnded) throw new Error(`it ended without ${name}: ${stdout}${stderr}`)
        return found
      }, `event ${name}`),
    /** The exit code. */
    async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
      child.kill(signal)
      return ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A data folder that is gone when the test is, with a gateway in it that never ran. */
export async function newGateway(
  config: string | ((folder: string) => string),
  secret?: SecretReference,
) {
  const scratch = await scratchFolder()
  const data = dataFolder(join(scratch.path, 'data'))
  const text = typeof config === 'string' ? config : config(scratch.path)
  await initialise(data, secret, () => text)
  return {
    folder: scratch.path,
    data,
    config: text,
    [Symbol.asyncDispose]: scratch[Symbol.asyncDispose],
  }
}

/** A gateway in this process; stopped cleanly when the test is over. */
export async function startGateway(data: DataFolder, config: string) {
  const loaded = loadConfig(new TextEncoder().encode(config), 'kedge.yaml', data.folder, registry)
  if (loaded.faults) throw new Error(loaded.faults.map(({ error }) => error.message).join('; '))
  const events: (GatewayEvent & Line)[] = []
  const stop = new AbortController()
  let running: { live: Live; url: string } | undefined
  let failure: unknown
  const ended = runGateway(
    {
      data,
      loaded,
      onEvent: (event) => events.push(event),
      onRunning: (live, url) => {
        running = { live, url: url ?? '' }
      },
    },
    stop.signal,
  ).catch((error) => {
    failure = error
    if (running) throw error
  })
  ended.catch(() => undefined)
  const { live, url } = await until(() => {
    if (failure) throw failure
    return running
  }, 'the gateway')
  return {
    live,
    url,
    events,
    ended,
    event: (
      name: GatewayEvent['event'],
      holds: (event: Line) => boolean = () => true,
    ): Promise<Line> =>
      until(() => events.find((event) => event.event === name && holds(event)), `event ${name}`),
    async stop() {
      stop.abort()
      await ended
      return events
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended.catch(() => undefined)
    },
  }
}
