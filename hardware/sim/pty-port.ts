import { spawnSync } from 'node:child_process'
import { closeSync, readSync, writeSync } from 'node:fs'
import type { DevicePort, PortOptions } from './device-port.ts'
import { putLink, takeLink } from './link.ts'

interface Pair {
  readonly master: number
  readonly slave: number
  readonly pty: string
}

/**
 * A pseudo-terminal. The kernel itself says whether a program has the far end open: reading gives EIO
 * while nobody has, so nothing is said into an empty room and found there, stale, by the next one.
 */
export async function openPtyPort({ link, onFault }: PortOptions): Promise<DevicePort> {
  const openPair = await importPty()
  const buffer = Buffer.alloc(4096)
  let hear: (bytes: Uint8Array) => void = () => {}
  let pair: Pair | null = null
  let isOpen = false
  let timer: NodeJS.Timeout | undefined

  const plug = () => {
    pair = openPair(80, 24)
    // Without echo from the first byte on; a program sets its own mode only after it has opened.
    spawnSync('stty', ['raw', '-echo'], { stdio: [pair.slave, 'ignore', 'ignore'] })
    closeSync(pair.slave)
    try {
      putLink(link, pair.pty)
    } catch (error) {
      pull()
      throw error
    }
    poll()
  }
  const pull = () => {
    clearTimeout(timer)
    if (pair === null) return
    takeLink(link, pair.pty)
    closeSync(pair.master)
    pair = null
    isOpen = false
  }
  const poll = () => {
    if (pair === null) return
    try {
      const length = readSync(pair.master, buffer, 0, buffer.length, null)
      isOpen = length > 0
      if (length > 0) hear(Uint8Array.from(buffer.subarray(0, length)))
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      isOpen = code === 'EAGAIN'
      if (code !== 'EAGAIN' && code !== 'EIO') {
        pull()
        onFault(`${link}: the pseudo-terminal failed with ${code}`)
        return
      }
    }
    timer = setTimeout(poll, isOpen ? 5 : 25)
  }
  plug()

  return {
    name: link,
    isOpen: () => isOpen,
    listen: (listener) => {
      hear = listener
    },
    say: (bytes) => {
      if (pair === null || !isOpen) return
      try {
        writeSync(pair.master, bytes)
      } catch {
        // Full or just closed: an overrun, or the next poll finds out.
      }
    },
    unplug: async () => pull(),
    replug: async () => plug(),
    [Symbol.asyncDispose]: async () => pull(),
  }
}

/** node-pty's own `open` reads both ends itself and loses the device's bytes: this is the call below it. */
async function importPty(): Promise<(columns: number, rows: number) => Pair> {
  const inside: string = '@lydell/node-pty/requireBinary.js'
  const { requireBinary } = await import(inside)
  return requireBinary('pty.node').open
}
