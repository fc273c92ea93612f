/** Other people's servers, which end with us, however we end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from '../helpers/gateway.ts'

export interface Server {
  readonly hasEnded: boolean
  readonly pid: number
  /** Resolves with what the pattern catches in what it prints. */
  printed(pattern: RegExp): Promise<string>
  /** Resolves once it has ended. */
  kill(signal: 'SIGINT' | 'SIGKILL' | 'SIGTERM'): Promise<void>
}

const running = new Set<ChildProcess>()
const keptChars = 200_000

const endAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}
process.once('exit', endAll)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll()
    process.kill(process.pid, signal)
  })
}

export function startServer(command: string, args: readonly string[]): Server {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', TZ: 'UTC', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let [text, hasEnded] = ['', false]
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-keptChars)
    })
  }
  const ended = once(child, 'close').then(() => {
    hasEnded = true
    running.delete(child)
  })
  return {
    get hasEnded() {
      return hasEnded
    },
    pid: child.pid ?? -1,
    printed: (pattern) =>
      until(() => {
        const found = pattern.exec(text)?.[1]
        if (found === undefined && hasEnded) throw new Error(`${command} ended: ${text}`)
        return found
      }, `${command}: ${pattern}`),
    async kill(signal) {
      child.kill(signal)
      await ended
    },
  }
}
