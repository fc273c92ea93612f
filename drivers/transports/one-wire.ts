/** The kernel's file of a device on a 1-Wire bus: to read it is a question on the bus, and lasts as long. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** A measurement takes 750 ms. Of the four threads that there are for files some are left to the journal. */
const mostAtOnce = 2
/** Longer than any answer takes, also behind others on the same bus. */
const longestMs = 30_000

const inTurn = fewAtOnce(mostAtOnce)

/** Throws where there is no such file, it is none of the kernel's, nothing comes of it in time, or `signal` aborts. */
export async function readOneWire(path: string, signal: AbortSignal): Promise<Buffer> {
  const over = new AbortController()
  const stop = () => over.abort(signal.reason)
  const late = new Error(`nothing came of it within ${longestMs / 1000} s`)
  const timer = setTimeout(() => over.abort(late), longestMs)
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([inTurn(() => readOnce(path), over.signal), ended(over.signal)])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

const ended = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

/**
 * So many at once, the others after them. Who does not come back from the kernel keeps its turn: whoever came after it
 * would not come back either.
 */
export function fewAtOnce(most: number) {
  let busy = 0
  const waiting = new Set<() => void>()
  return async <Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value> => {
    if (busy < most) busy += 1
    else {
      await new Promise<void>((resolve, reject) => {
        const giveUp = () => {
          if (waiting.delete(go)) reject(signal.reason)
        }
        const go = () => {
          signal.removeEventListener('abort', giveUp)
          waiting.delete(go)
          resolve()
        }
        waiting.add(go)
        signal.addEventListener('abort', giveUp)
      })
    }
    try {
      return await work()
    } finally {
      const [next] = waiting
      if (next === undefined) busy -= 1
      else next()
    }
  }
}

/** Whatever else lies there must not hold the read up for ever. */
async function readOnce(path: string): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const stat = await file.stat()
  if (!stat.isFile()) throw new Error('not a file of the kernel')
  return file.readFile()
}
