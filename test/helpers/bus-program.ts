import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { type ErrorCode, KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Driver, defineDriver, type Sample } from '../../drivers/driver.ts'
import type { SpiOptions } from '../../drivers/transports/spi.ts'
import { type BusServer, openBusServer } from '../../hardware/sim/bus-server.ts'
import type { DriverOnBus } from './bus-child.ts'
import { scratchFolder } from './scratch.ts'

export type BusQuestion = { readonly id: number } & (
  | { readonly do: 'read'; readonly driver: DriverOnBus; readonly options: object }
  | { readonly do: 'next' | 'stop' | 'return' | 'close-spi' }
  | { readonly do: 'open-spi'; readonly options: SpiOptions }
  | { readonly do: 'transfer'; readonly bytes: Uint8Array }
  | { readonly do: 'smbus'; readonly bus: number; readonly address: number }
)

export type BusAnswer =
  | { readonly done: true }
  | { readonly stopped: true }
  | { readonly sample: Sample }
  | { readonly bytes: Uint8Array }
  | { readonly refused: { readonly reason: string; readonly bytes: Uint8Array } }
  | { readonly heard: string }
  | { readonly warning: string }
  | {
      readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string }
    }

export interface BusProgram extends AsyncDisposable {
  readonly server: BusServer
  /** A driver that runs in the process with the shim. */
  driver<Schema extends z.ZodObject>(name: DriverOnBus, driver: Driver<Schema>): Driver<Schema>
  /** A port of SPI there. */
  spi(options: SpiOptions): Promise<{
    transfer(bytes: Uint8Array): Promise<Uint8Array>
    close(): Promise<void>
  }>
  /** What the calls for registers read. */
  smbus(bus: number, address: number): Promise<Uint8Array>
}

/** Why these tests cannot run here, or null. */
export function busIsMissing(...packages: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'LD_PRELOAD and the buses are of Linux'
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
  } catch {
    return 'there is no C compiler (cc)'
  }
  for (const name of packages) {
    try {
      execFileSync(process.execPath, ['-e', `require('${name}')`], { stdio: 'ignore' })
    } catch {
      return `the optional package ${name} is not installed`
    }
  }
  return null
}

/** Compiles the shim and starts the process; both are gone afterwards. */
export async function busProgram(): Promise<BusProgram> {
  const folder = await scratchFolder()
  const shim = `${folder.path}/bus-shim.so`
  execFileSync('cc', [
    ...['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', shim],
    ...['hardware/sim/bus-shim.c', '-ldl', '-lpthread'],
  ])
  const server = await openBusServer(`${folder.path}/bus`)
  const child = fork(fileURLToPath(new URL('bus-child.ts', import.meta.url)), [], {
    execArgv: ['--import=tsx'],
    serialization: 'advanced',
    env: {
      PATH: process.env.PATH,
      LD_PRELOAD: shim,
      KEDGE_BUS_SOCKET: server.socketPath,
      // The shim sees calls of the C library only.
      UV_USE_IO_URING: '0',
    },
  })
  let ids = 0
  const listeners = new Map<number, (answer: BusAnswer) => void>()
  child.on('message', ({ id, ...answer }: BusAnswer & { id: number }) =>
    listeners.get(id)?.(answer as BusAnswer),
  )
  const send = (question: BusQuestion) => void child.send(question)

  /** One line of questions, each answered before the next. */
  function line(onTold: (answer: BusAnswer) => void = () => {}) {
    const id = ids++
    let settle: (answer: BusAnswer) => void = () => {}
    listeners.set(id, (answer) => {
      if ('done' in answer || 'sample' in answer || 'bytes' in answer || 'error' in answer) {
        settle(answer)
      } else onTold(answer)
    })
    return {
      tell: (what: 'stop') => send({ id, do: what }),
      ask: async (question: DistributiveOmit<BusQuestion, 'id'>) => {
        const answer = await new Promise<BusAnswer>((resolve) => {
          settle = resolve
          send({ id, ...question } as BusQuestion)
        })
        if (!('error' in answer)) return answer
        const { code, message, hint } = answer.error
        throw new KedgeError(code, message, { hint })
      },
    }
  }
  const bytesOf = (answer: BusAnswer) => ('bytes' in answer ? answer.bytes : new Uint8Array())

  return {
    server,
    driver: (name, driver) =>
      defineDriver({
        ...driver,
        async *read(options, { signal, refuse, heard, warn }) {
          const { tell, ask } = line((told) => {
            if ('refused' in told) refuse(told.refused.reason, told.refused.bytes)
            if ('heard' in told) heard(told.heard)
            if ('warning' in told) warn(told.warning)
          })
          await ask({ do: 'read', driver: name, options })
          const stop = () => tell('stop')
          signal.addEventListener('abort', stop)
          if (signal.aborted) stop()
          try {
            for (;;) {
              const answer = await ask({ do: 'next' })
              if (!('sample' in answer)) return
              yield answer.sample
            }
          } finally {
            signal.removeEventListener('abort', stop)
            await ask({ do: 'return' })
          }
        },
      }),
    async spi(options) {
      const { ask } = line()
      await ask({ do: 'open-spi', options })
      return {
        transfer: async (bytes) => bytesOf(await ask({ do: 'transfer', bytes })),
        close: async () => void (await ask({ do: 'close-spi' })),
      }
    },
    smbus: async (bus, address) => bytesOf(await line().ask({ do: 'smbus', bus, address })),
    async [Symbol.asyncDispose]() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await server[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

type DistributiveOmit<Whole, Key extends PropertyKey> = Whole extends unknown
  ? Omit<Whole, Key>
  : never
