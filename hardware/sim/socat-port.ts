import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { DevicePort, PortOptions } from './device-port.ts'
import { putLink, takeLink } from './link.ts'

/** A pseudo-terminal by socat: one process for each time that a program has the port open, and a moment without it in between. */
export async function openSocatPort({ link, onFault }: PortOptions): Promise<DevicePort> {
  let hear: (bytes: Uint8Array) => void = () => {}
  let plugged: { child: ChildProcessWithoutNullStreams; path: string } | null = null
  let isOpen = false

  const plug = async (): Promise<void> => {
    // It waits until a program opens the port, and ends when that one closes it.
    const child = spawn('socat', ['-d', '-d', '-t0.01', 'STDIO', 'PTY,raw,echo=0,wait-slave'])
    const lost = new AbortController()
    const ended = new Promise<never>((_, reject) => {
      child.on('error', reject)
      child.on('exit', () => {
        lost.abort()
        reject(new Error('socat ended before it had a port'))
      })
    })
    child.stdin.on('error', () => {})
    child.stdout.on('data', (bytes: Uint8Array) => hear(bytes))
    const path = await Promise.race([ended, pathSaid(child)])
    const mine = { child, path }
    plugged = mine
    try {
      putLink(link, path)
    } catch (error) {
      await pull()
      throw error
    }
    lost.signal.addEventListener('abort', () => void replace(mine))
    createInterface(child.stderr).on('line', (line) => {
      if (line.includes('starting data transfer')) isOpen = plugged === mine
    })
  }
  const replace = async (gone: typeof plugged) => {
    if (gone === null || plugged !== gone) return
    isOpen = false
    takeLink(link, gone.path)
    // Whatever is wrong with socat must not start it a thousand times.
    await setTimeout(50)
    if (plugged === gone) await plug().catch((error) => onFault(`${link}: ${error.message}`))
  }
  const pull = async () => {
    if (plugged === null) return
    const { child, path } = plugged
    plugged = null
    isOpen = false
    takeLink(link, path)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill()
    await once(child, 'exit')
  }
  await plug()

  return {
    name: link,
    isOpen: () => isOpen,
    listen: (listener) => {
      hear = listener
    },
    say: (bytes) => {
      if (isOpen && plugged && plugged.child.stdin.writableLength < 4096) {
        plugged.child.stdin.write(bytes)
      }
    },
    unplug: pull,
    replug: plug,
    [Symbol.asyncDispose]: pull,
  }
}

/** socat names its port in its log. */
async function pathSaid(child: ChildProcessWithoutNullStreams): Promise<string> {
  let said = ''
  for (;;) {
    said += String((await once(child.stderr, 'data'))[0])
    const path = /PTY is (\/\S+)/.exec(said)?.[1]
    if (path !== undefined) return path
  }
}
