/** Runs one ledger's outbox for as long as the gateway runs. Whatever is asked again is asked again here. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import type { Anchor } from './anchor-records.ts'
import type { AnchorStore } from './anchor-store.ts'
import { asked } from './asked.ts'
import type { History } from './history.ts'
import type { OutboxEnd, Rest } from './outbox-rest.ts'
import { openOutbox } from './outbox-steps.ts'
import { type Bell, backoffMs, firstOf, newBell, type Pace, pause, usualPace } from './pace.ts'

export type AnchorEvent =
  | {
      readonly event: 'anchored'
      readonly ledger: string
      readonly size: number
      readonly height: number
      readonly hash: string
      readonly timeMs: number | null
    }
  /** Told when it begins and when it becomes another, not at every retry; `over` when it has ended. */
  | {
      readonly event: 'anchor-trouble'
      readonly ledger: string
      readonly matter: Matter
      readonly state: string
      readonly why: string
    }

/** What goes on at the ledger, what the store lacks, what was noticed in passing. */
export type Matter = 'ledger' | 'store' | 'notice'

export interface OutboxOptions {
  /** As the configuration has it: `embedded`, `embedded-2`. */
  readonly name: string
  readonly session: LedgerSession
  readonly history: History
  readonly store: AnchorStore
  readonly signal: AbortSignal
  readonly onEvent: (event: AnchorEvent) => void
  /** Resolves once a checkpoint of more than `size` may be anchored. */
  waitForNewer(size: number, signal: AbortSignal): Promise<void>
  /** Rung by whoever has changed something, or wants another try now. */
  readonly bell?: Bell
  readonly pace?: Pace
  /** Opens the ledger anew behind the same session, where it says that it is not well. */
  renew?(signal: AbortSignal): Promise<void>
}

/** Ends with `signal`, or where asking again would be wrong: that was told as trouble. */
export async function runOutbox(options: OutboxOptions): Promise<'stopped' | OutboxEnd> {
  const { name, session, history, store, signal, onEvent } = options
  const { bell = newBell(), pace = usualPace } = options
  const told = teller(name, onEvent)
  const onAnchored = (anchor: Anchor) => {
    // What was there before may come again and again.
    if (anchor.size > largest) attempt = 0
    largest = Math.max(largest, anchor.size)
    told.end('ledger')
    onEvent(anchoredEvent(name, anchor))
  }
  const onNotice = (state: string, why: string) => told.begin('notice', state, why)
  let attempt = 0
  let largest = 0
  const open = () => openOutbox({ name, session, history, store, signal, onAnchored, onNotice })
  let outbox = open()
  let tendAttempt = 0
  let tendDueMs = 0

  /** In how long there is something to be tended again, or null. */
  async function tend(): Promise<number | null> {
    const nowMs = performance.now()
    if (nowMs < tendDueMs) return tendDueMs - nowMs
    const untended = await outbox.tend().catch(unlessUnwritten)
    if (untended === null) {
      tendAttempt = 0
      told.end('store')
      return null
    }
    const { state, why, isAmiss } = untended
    if (isAmiss || tendAttempt >= 3) told.begin('store', state, why)
    const inMs = backoffMs(pace, tendAttempt++, pace.mostMs)
    tendDueMs = performance.now() + inMs
    return inMs
  }

  async function wait(rest: Rest, heard: number): Promise<void> {
    const tendInMs = await tend()
    if (rest.rest === 'idle' && tendInMs === null) told.end('notice')
    const waits = [(until: AbortSignal) => bell.wait(heard, until)]
    if (tendInMs !== null) waits.push(pause(tendInMs))
    if (rest.rest === 'idle') {
      waits.push((until) => options.waitForNewer(rest.size, until))
    } else if (rest.rest === 'slow') {
      waits.push(pause(backoffMs({ ...pace, firstMs: pace.slowMs }, 0, pace.slowMs)))
    } else {
      const mostMs = rest.rest === 'poll' ? pace.pollMostMs : pace.mostMs
      waits.push(pause(backoffMs(pace, attempt, mostMs)))
    }
    await firstOf(signal, waits)
  }

  try {
    while (!signal.aborted) {
      const heard = bell.rings
      const rest = await outbox.step().catch((error: unknown): Rest => {
        const { state, why } = unlessUnwritten(error)
        // What it remembers may not be what is on the disk.
        outbox = open()
        return { rest: 'again', state, why }
      })
      switch (rest.rest) {
        case 'none':
          continue
        case 'end':
          told.begin('ledger', rest.state, rest.why)
          return rest.state
        case 'idle':
          attempt = 0
          told.end('ledger')
          break
        case 'poll':
          told.end('ledger')
          break
        case 'slow':
          told.begin('ledger', rest.state, rest.why)
          break
        case 'again':
          // Once is ordinary.
          if (attempt > 0) told.begin('ledger', rest.state, rest.why)
          break
      }
      const isStuck = rest.rest === 'again' ? attempt % 4 === 3 : rest.rest === 'slow'
      if (isStuck && options.renew && !(await isWell(session, signal))) {
        const renewed = await asked(signal, async (until) => options.renew?.(until))
        if (renewed?.state === 'fault') told.begin('ledger', 'fault', renewed.why)
        // Whoever answers now may be somebody else.
        outbox = open()
      }
      await wait(rest, heard)
      if (rest.rest !== 'idle') attempt += 1
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return 'stopped'
}

/** A disk that takes nothing may have room again later. */
function unlessUnwritten(error: unknown) {
  if (!(error instanceof KedgeError && error.code === 'STORE_FAILED')) throw error
  return { state: 'unwritten', why: error.message, isAmiss: true } as const
}

async function isWell(session: LedgerSession, signal: AbortSignal): Promise<boolean> {
  const health = await asked(signal, (until) => session.health(until))
  return 'isWell' in health ? health.isWell : health.state === 'unknown'
}

const anchoredEvent = (ledger: string, { size, place }: Anchor): AnchorEvent => ({
  event: 'anchored',
  ledger,
  size,
  height: place.height,
  hash: bytesToHex(place.hash),
  timeMs: place.timeMs,
})

/** Of each matter, its beginning, its changes and its end. */
function teller(ledger: string, onEvent: (event: AnchorEvent) => void) {
  const standing = new Map<Matter, { readonly state: string; readonly why: string }>()
  return {
    begin(matter: Matter, state: string, why: string): void {
      const before = standing.get(matter)
      // In which words it cannot be reached changes from one try to the next.
      if (before?.state === state && (state === 'unknown' || before.why === why)) return
      standing.set(matter, { state, why })
      onEvent({ event: 'anchor-trouble', ledger, matter, state, why })
    },
    end(matter: Matter): void {
      const before = standing.get(matter)
      if (before === undefined) return
      standing.delete(matter)
      const why = `${before.state} no longer`
      onEvent({ event: 'anchor-trouble', ledger, matter, state: 'over', why })
    },
  }
}
