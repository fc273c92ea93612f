import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'

export type Line = { readonly event: string } & Readonly<Record<string, unknown>>

/** A verb that runs until it is told to stop, in a process of its own; a line an event. */
interface RunningVerb {
  readonly lines: readonly Line[]
  readonly stderr: () => string
  /** Resolves with the first event of this kind, or null once the process has ended without it. */
  event(kind: string, isIt?: (line: Line) => boolean): Promise<Line | null>
  stop(signal: NodeJS.Signals): Promise<number | null>
}

export function startVerb(
  t: ExecutionContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningVerb {
  const child = spawn(process.execPath, ['--import=tsx', 'gateway/cli.ts', ...args, '--json'], {
    env: { PATH: process.env.PATH, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: Line[] = []
  const listening = new Set<() => void>()
  const tell = () => {
    for (const look of listening) look()
  }
  let [rest, stderr, hasEnded] = ['', '', false]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) lines.push(JSON.parse(line))
    tell()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const closed = once(child, 'close').then(([code]) => {
    hasEnded = true
    tell()
    return code as number | null
  })
  return {
    lines,
    stderr: () => stderr,
    event: (kind, isIt = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines.find((line) => line.event === kind && isIt(line))
          if (found === undefined && !hasEnded) return
          listening.delete(look)
          resolve(found ?? null)
        }
        listening.add(look)
        look()
      }),
    async stop(signal) {
      child.kill(signal)
      return closed
    },
  }
}

export const startWitness = (t: ExecutionContext, folder: string, listen = '127.0.0.1:0') =>
  startVerb(t, ['witness', '--listen', listen, '--data', folder])
