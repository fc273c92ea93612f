/** Checkpoints on their way to the ledgers: nothing is signed before these have said what they hold. */
import { checkpointMessage } from '../../anchor-client/evidence/seal.ts'
import { ledgers as ledgerKinds } from '../../anchor-client/ledgers/index.ts'
import type { Ledger } from '../../anchor-client/ledgers/ledger.ts'
import type { Health } from '../health.ts'
import type { Sealing, SigningKey } from '../sealing/sealing.ts'
import type { Store } from '../store.ts'
import { admit } from './admit.ts'
import { refusalOf } from './head-refusals.ts'
import { compareHeads, type HeadComparison } from './heads.ts'
import type { History } from './history.ts'
import { type LedgerEntry, type Ledgers, openLedgers } from './ledger-host.ts'
import { type AnchorEvent, runOutbox } from './outbox.ts'
import { type Bell, newBell, pause } from './pace.ts'

export interface AnchoringOptions {
  readonly entries: readonly LedgerEntry[]
  readonly store: Store
  readonly sealing: Sealing
  readonly key: SigningKey
  readonly health: Health
  readonly keyFor: (entry: LedgerEntry, isFirstUse: boolean) => Promise<SigningKey>
  readonly nowMs: () => number | null
  readonly onEvent: (event: AnchorEvent) => void
  /** A ledger that said nothing for a day. */
  readonly onLeftOut: (ledgerId: Uint8Array) => void
  /** Ends the gateway: a ledger knows more than we do, and nothing that we sign may leave the box. */
  readonly onRefused: (error: unknown) => void
  readonly signal: AbortSignal
}

export interface Anchoring extends AsyncDisposable {
  /** Told of each new checkpoint. */
  signed(): void
  /** Asks again at once what waits. */
  readonly bell: Bell
  /** Resolves when every ledger has taken the newest checkpoint, or the signal aborts. */
  settled(signal: AbortSignal): Promise<void>
}

const askAgainMs = 5000
/** A ledger that is silent for longer does not keep the others waiting. */
const leftOutAfterMs = 24 * 60 * 60 * 1000

export async function startAnchoring(options: AnchoringOptions): Promise<Anchoring> {
  const { entries, store, sealing, key, health, signal, onEvent, onRefused } = options
  const { anchors, identity, journal } = store
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  const bell = newBell()
  const waiting = new Set<() => void>()
  const anchoredSize = new Map<string, number>()
  const history: History = {
    ...identity,
    newest: () => sealing.newest(),
    size: () => journal.size,
    rootAt: (size) => store.reader.historyRootAt(size),
    consistency: (oldSize, newSize) => store.consistency(oldSize, newSize),
    async signedAt(size) {
      const root = await store.reader.historyRootAt(size)
      const signature = key.sign(checkpointMessage({ ...identity, size, root }))
      return { size, root, key: key.publicKey, signature }
    },
  }
  const isFirstUse = (name: string) => anchors.pinned(name) === undefined
  const ledgers: Ledgers = await openLedgers(
    entries,
    ledgerKinds as unknown as Record<string, Ledger>,
    {
      nowMs: options.nowMs,
      keyFor: (entry, name) => options.keyFor(entry, isFirstUse(name)),
      isFirstUse: (_, name) => isFirstUse(name),
    },
  )
  for (const { name, error } of ledgers.closed) {
    health.degraded(`ledger ${name}`, error.message)
  }

  const leftOut = new Set<string>()
  const silentSince = new Map<string, number>()
  const compare = () =>
    compareHeads({
      ledgers: ledgers.opened,
      history,
      store: anchors,
      signal: until,
      silentSince,
      monoMs: () => performance.now(),
    })

  /** True once nothing stands against signing. */
  async function mayBegin(comparisons: readonly HeadComparison[]): Promise<boolean> {
    let isWaiting = ledgers.closed.some(({ name }) => !isFirstUse(name))
    for (const comparison of comparisons) {
      const { ledger } = comparison
      if (comparison.state === 'unknown' && comparison.silentMs > leftOutAfterMs) {
        const pinned = anchors.pinned(ledger)
        if (pinned && pinned !== 'damaged' && !leftOut.has(ledger))
          options.onLeftOut(pinned.ledgerId)
        leftOut.add(ledger)
        continue
      }
      const refusal = refusalOf(comparison)
      if (refusal?.code === 'STORE_BEHIND') throw refusal
      if (refusal) {
        isWaiting = true
        health.degraded(`ledger ${ledger}`, refusal.message)
      } else {
        health.well(`ledger ${ledger}`)
      }
      if (comparison.state === 'absent') {
        const session = ledgers.opened.find(({ name }) => name === ledger)?.session
        if (session) await admit(session, identity, key.publicKey, until)
      }
    }
    return !isWaiting
  }

  async function beginLater(): Promise<void> {
    do {
      health.degraded(
        'signing',
        'no checkpoint is signed until every ledger has said what it holds',
      )
      await pause(askAgainMs)(until)
    } while (!until.aborted && !(await mayBegin(await compare())))
    if (until.aborted) return
    health.well('signing')
    await sealing.allow()
    signed()
  }

  function signed(): void {
    for (const wake of waiting) wake()
  }

  const waitForNewer = (size: number, stop: AbortSignal) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!stop.aborted && (sealing.newest()?.size ?? 0) <= size) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      stop.addEventListener('abort', look, { once: true })
      look()
    })

  const outboxes = ledgers.opened.map(({ name, session, renew }) =>
    runOutbox({
      name,
      session,
      history,
      store: anchors,
      signal: until,
      bell,
      waitForNewer,
      renew,
      onEvent(event) {
        if (event.event === 'anchored') {
          anchoredSize.set(name, event.size)
          signed()
        } else if (event.state === 'over') {
          health.well(`anchor ${name}`)
        } else {
          health.degraded(`anchor ${name}`, event.why)
        }
        onEvent(event)
      },
    }).catch((error: unknown) => {
      health.degraded(`anchor ${name}`, error instanceof Error ? error.message : String(error))
    }),
  )

  let isReady = false
  try {
    // A ledger that is silent must not keep the gateway from recording; one that knows more stops it here.
    isReady = await mayBegin(await compare())
    if (isReady) await sealing.allow()
  } catch (error) {
    ended.abort()
    await Promise.all(outboxes)
    await ledgers[Symbol.asyncDispose]()
    throw error
  }
  const beginning = isReady
    ? undefined
    : beginLater().catch((error: unknown) => {
        if (!until.aborted) onRefused(error)
      })

  return {
    bell,
    signed,
    async settled(stop) {
      const isSettled = () =>
        ledgers.opened.every(({ name }) => {
          return (anchoredSize.get(name) ?? 0) >= (sealing.newest()?.size ?? 0)
        })
      await new Promise<void>((resolve) => {
        const look = () => {
          if (!stop.aborted && !isSettled()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        stop.addEventListener('abort', look, { once: true })
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await Promise.all([...outboxes, beginning])
      await ledgers[Symbol.asyncDispose]()
    },
  }
}
