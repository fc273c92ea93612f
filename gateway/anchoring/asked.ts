/** One question to a ledger, with an end: what it throws becomes an answer, too. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Unknown } from '../../anchor-client/ledgers/ledger.ts'
import { within } from './pace.ts'

/** The ledger's own fault: waiting alone does not mend it, but somebody may. */
export interface Fault {
  readonly state: 'fault'
  readonly why: string
  readonly error: unknown
}

/** Far longer than any answer takes: only a connection that hangs comes to it. */
const longestMs = 120_000

export async function asked<T>(
  signal: AbortSignal,
  question: (signal: AbortSignal) => Promise<T>,
  mostMs = longestMs,
): Promise<T | Unknown | Fault> {
  signal.throwIfAborted()
  try {
    return await within(signal, async (until, end) => {
      const late = new KedgeError('LEDGER_UNREACHABLE', 'it did not answer in time')
      const timer = setTimeout(() => end(late), mostMs)
      try {
        // A ledger that does not listen to the signal must not hold up the gateway either.
        return await Promise.race([question(until), ended(until)])
      } finally {
        clearTimeout(timer)
      }
    })
  } catch (error) {
    signal.throwIfAborted()
    // Our own disk is not the ledger's fault.
    if (error instanceof KedgeError && error.code.startsWith('STORE_')) throw error
    const why = error instanceof Error ? error.message : String(error)
    const isOutage = error instanceof KedgeError && error.code === 'LEDGER_UNREACHABLE'
    return isOutage ? { state: 'unknown', why } : { state: 'fault', why, error }
  }
}

const ended = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
