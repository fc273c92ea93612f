/** A command of the system that is asked, or listened to; whoever lets go of it ends it, by its number. */
import { spawn } from 'node:child_process'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { within } from './deadline.ts'

interface CommandOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly signal: AbortSignal
  /** What cannot be done without it, and how a person gets it. */
  readonly neededBy: string
  readonly hint: string
}

interface Command extends AsyncDisposable {
  /** What it prints within `ms`; null when it was quiet for `quietMs` after a chunk. Then it is ended. */
  chunks(ms: number, quietMs: number): AsyncGenerator<Buffer | null, void>
  /** Whether its time was over before it ended by itself. */
  wasStopped(): boolean
  /** Its code, and the end of what it wrote to standard error. */
  ended(): Promise<{ readonly code: number; readonly complaint: string }>
}

/** All that a short command prints, or null when it takes too long, or has too much to say. */
export async function outputOf(options: CommandOptions, deadlineMs: number) {
  await using child = startCommand(options)
  const kept: Buffer[] = []
  let bytes = 0
  for await (const chunk of child.chunks(deadlineMs, deadlineMs)) {
    if (chunk === null) continue
    kept.push(chunk)
    bytes += chunk.length
    if (bytes > 16_384) return null
  }
  options.signal.throwIfAborted()
  const ended = await within(deadlineMs, child.ended())
  if (ended === null || child.wasStopped()) return null
  return { ...ended, stdout: Buffer.concat(kept).toString('latin1') }
}

export function startCommand({ command, args, signal, neededBy, hint }: CommandOptions): Command {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The errors of the kernel in English, and nothing of what the gateway knows.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  let failure: Error | null = null
  let complaint = ''
  let wasStopped = false
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      failure = error
      resolve(null)
    })
    child.once('exit', resolve)
  })
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    complaint = (complaint + text).slice(-1024)
  })
  const complained = new Promise<void>((resolve) => child.stderr.once('close', resolve))
  child.stdout.on('error', () => {})
  const end = () => {
    child.kill()
    // What the command has started itself may hold the pipe open.
    child.stdout.destroy()
  }
  signal.addEventListener('abort', end)
  if (signal.aborted) end()

  return {
    wasStopped: () => wasStopped,
    async ended() {
      const code = await exited
      if (failure !== null) {
        const name = command.split('/').at(-1)
        throw new KedgeError('SENSOR_ABSENT', `${neededBy} need the command ${name}`, {
          cause: failure,
          hint,
        })
      }
      // What it said last may come after its end.
      await within(1000, complained)
      return { code: code ?? -1, complaint }
    },
    async *chunks(ms, quietMs) {
      const endMs = performance.now() + ms
      const iterator = child.stdout[Symbol.asyncIterator]()
      // What is let go of in the middle of a wait is no error.
      const pull = () => iterator.next().catch(() => ({ done: true, value: undefined }) as const)
      let next = pull()
      let isQuiet = true
      for (;;) {
        const nowMs = performance.now()
        // Not in the middle of a bounce, if it ends.
        if (!wasStopped && nowMs >= endMs + (isQuiet ? 0 : 10 * quietMs)) {
          wasStopped = true
          child.kill()
        }
        const waitMs = wasStopped ? 1000 : isQuiet ? endMs - nowMs : quietMs
        const chunk = await within(waitMs, next)
        if (chunk === null) {
          if (!isQuiet) yield null
          isQuiet = true
          // What had been said already was read: nothing is lost in the pipe.
          if (wasStopped) return
          continue
        }
        if (chunk.done || signal.aborted) return
        isQuiet = false
        yield chunk.value
        next = pull()
      }
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', end)
      child.stdout.destroy()
      child.stderr.destroy()
      child.kill()
      const insist = setTimeout(() => child.kill('SIGKILL'), 1000)
      await exited
      clearTimeout(insist)
    },
  }
}
