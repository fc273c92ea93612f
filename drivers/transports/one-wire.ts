/** The kernel's file of a device on a 1-Wire bus: to read it is a question on the bus, and lasts as long. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { inTime, type Patience } from './deadline.ts'

/** A measurement takes 750 ms. Of the four threads that there are for files some are left to the journal. */
const mostAtOnce = 2
/** With those that do not come back from the kernel: one thread always remains for the journal. */
const mostThreads = 3

interface Limits {
  /** Longer than any answer takes, also behind others on the same bus. */
  readonly longestMs: number
  /** Longer than all the others take, one after the other. */
  readonly longestWaitMs: number
}

type Read = (path: string, signal: AbortSignal) => Promise<Buffer>

/** Throws where there is no such file, it is none of the kernel's, nothing comes of it in time, or `signal` aborts. */
export const readOneWire: Read = fewAtOnce(readOnce, { longestMs: 30_000, longestWaitMs: 120_000 })

/** A few at once and each path once at most, the others after them: to ask a probe that is stuck again would cost another thread. */
export function fewAtOnce(
  read: (path: string) => Promise<Buffer>,
  { longestMs, longestWaitMs }: Limits,
): Read {
  const underWay = new Map<string, { isLost: boolean }>()
  const waiting = new Set<() => void>()

  const mayBegin = (path: string) => {
    const lost = [...underWay.values()].filter(({ isLost }) => isLost).length
    const isRoom = underWay.size - lost < mostAtOnce && underWay.size < mostThreads
    return isRoom && !underWay.has(path)
  }
  // All look again, in the order in which they came.
  const wake = () => {
    for (const look of waiting) look()
  }

  async function begin(path: string): Promise<Buffer> {
    const state = { isLost: false }
    underWay.set(path, state)
    const timer = setTimeout(() => {
      state.isLost = true
      wake()
    }, longestMs)
    try {
      return await read(path)
    } finally {
      clearTimeout(timer)
      underWay.delete(path)
      wake()
    }
  }

  const change = (patience: Patience) => {
    let look = () => {}
    const changed = new Promise<void>((resolve) => {
      look = resolve
      waiting.add(look)
    })
    return inTime(changed, patience).finally(() => waiting.delete(look))
  }

  return async (path, signal) => {
    const isAsked = underWay.has(path)
    const endMs = performance.now() + (isAsked ? longestMs : longestWaitMs)
    const late = isAsked ? 'it has not come back from the last question' : 'others do not come back'
    // Nothing may come between the look and the beginning: others look, too.
    while (!mayBegin(path)) await change({ ms: endMs - performance.now(), late, signal })
    const silent = `nothing came of it within ${longestMs / 1000} s`
    return inTime(begin(path), { ms: longestMs, late: silent, signal })
  }
}

/** Whatever else lies there must not hold the read up for ever. */
async function readOnce(path: string): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const stat = await file.stat()
  if (!stat.isFile()) throw new Error('not a file of the kernel')
  return file.readFile()
}
