/** Checkpoints on their way to the ledgers: nothing is signed before these have said what they hold. */
import { checkpointMessage } from '../../anchor-client/evidence/seal.ts'
import { ledgerNamed } from '../../anchor-client/ledgers/index.ts'
import type { DataFolder } from '../data-folder.ts'
import { anchoredEvent, type GatewayEvent } from '../events.ts'
import type { Health } from '../health.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { openLedgerKey } from '../keys/ledger-key.ts'
import type { SecretReference } from '../keys/secret.ts'
import type { Recording } from '../recording/open-recording.ts'
import type { Sealing } from '../sealing/sealing.ts'
import type { Store } from '../store.ts'
import { asked } from './asked.ts'
import type { History } from './history.ts'
import { type LedgerEntry, type Ledgers, openLedgers } from './ledger-host.ts'
import { runOutbox } from './outbox.ts'
import { type Bell, newBell, pause } from './pace.ts'
import { rotationTeller } from './rotation-teller.ts'
import { signingPermission } from './signing-permission.ts'
import { openTroubles } from './troubles.ts'

export interface AnchoringOptions {
  readonly entries: readonly LedgerEntry[]
  readonly store: Store
  readonly sealing: Sealing
  readonly keys: KeyRing
  readonly health: Health
  readonly data: DataFolder
  readonly secret: SecretReference | undefined
  readonly recording: Pick<Recording, 'clock' | 'recorder' | 'streams'>
  readonly onEvent: (event: GatewayEvent) => void
  /** Ends the gateway: a ledger knows more than we do, and nothing that we sign may leave the box. */
  readonly onRefused: (error: unknown) => void
  readonly signal: AbortSignal
}

export interface Anchoring extends AsyncDisposable {
  /** Told of each new checkpoint. */
  signed(): void
  /** Tells every ledger of the key that is current now. */
  rotated(): Promise<void>
  /** Asks again at once what waits. */
  readonly bell: Bell
  /** The newest block of each chain that answers soon, by the ledger's name. */
  heights(): Promise<ReadonlyMap<string, number>>
  /** Resolves when every ledger has taken the newest checkpoint, or the signal aborts. */
  settled(signal: AbortSignal): Promise<void>
}

const askAgainMs = 5000
const lookAgainMs = 50

export async function startAnchoring(options: AnchoringOptions): Promise<Anchoring> {
  const { entries, store, sealing, keys, health, signal, onEvent, onRefused } = options
  const { anchors, identity, journal } = store
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  const bell = newBell()
  const waiting = new Set<() => void>()
  const history: History = {
    ...identity,
    newest: () => sealing.newest(),
    size: () => journal.size,
    rootAt: (size) => store.reader.historyRootAt(size),
    consistency: (oldSize, newSize) => store.consistency(oldSize, newSize),
    async signedAt(size) {
      const root = await store.reader.historyRootAt(size)
      const key = keys.forSize(size)
      const signature = key.sign(checkpointMessage({ ...identity, size, root }))
      return { size, root, key: key.publicKey, signature }
    },
  }
  const isFirstUse = (name: string) => anchors.pinned(name) === undefined
  const ledgers: Ledgers = await openLedgers(entries, ledgerNamed, {
    nowMs: () => options.recording.clock.unixMs(),
    keyFor: (place, name) =>
      openLedgerKey(options.data, options.secret, { ...place, isFirstUse: isFirstUse(name) }),
    isFirstUse: (_, name) => isFirstUse(name),
    pinned(name) {
      const pin = anchors.pinned(name)
      return pin === 'damaged' ? undefined : pin?.ledgerId
    },
  })
  for (const { name, error } of ledgers.closed) {
    health.degraded(
      `ledger ${name}`,
      error.hint ? `${error.message}: ${error.hint}` : error.message,
    )
  }

  const rotations = rotationTeller(ledgers.opened, identity, keys)

  const mayBegin = signingPermission({
    ...options,
    ledgers,
    history,
    rotations,
    bell,
    signal: until,
  })

  /** Asks until every ledger knows the current key; what it refuses meanwhile is asked again at once. */
  async function rotated(): Promise<void> {
    for (let left = ledgers.opened.map(({ name }) => name); left.length > 0 && !until.aborted; ) {
      const told = await Promise.all(
        left.map((name) => rotations.tell(name, until).catch(() => false)),
      )
      left = left.filter((_, i) => !told[i])
      bell.ring()
      if (left.length > 0) await pause(askAgainMs)(until)
    }
  }

  /** A copy of this gateway runs somewhere else: whatever both sign would be a fork. */
  function overruled(ledger: string): void {
    sealing.forbid()
    health.degraded(
      'signing',
      `${ledger} has taken another history of this gateway, so that nothing more of this one is signed: ` +
        'stop every copy but one, and start it anew',
    )
  }

  async function beginLater(): Promise<void> {
    do {
      health.degraded(
        'signing',
        'no checkpoint is signed until every ledger has said what it holds',
      )
      await pause(askAgainMs)(until)
    } while (!until.aborted && !(await mayBegin()))
    if (until.aborted) return
    await sealing.allow()
    if (!sealing.isAllowed) return
    health.well('signing')
    signed()
  }

  function signed(): void {
    for (const wake of waiting) wake()
    // What was refused for the key that signed it may go through now.
    bell.ring()
  }

  const troubled = openTroubles(health)

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
        if (event.event === 'anchor-trouble') troubled(event)
        const said = anchoredEvent(event)
        if (said) onEvent(said)
      },
    }).then(
      (end) => {
        if (end !== 'stopped' && end !== 'mismatch') overruled(name)
      },
      (error: unknown) => {
        health.degraded(`anchor ${name}`, error instanceof Error ? error.message : String(error))
      },
    ),
  )

  let isReady = false
  try {
    // A ledger that is silent must not keep the gateway from recording; one that knows more stops it here.
    isReady = await mayBegin()
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
    heights: () => heightsOf(ledgers.opened, until),
    signed,
    rotated,
    async settled(stop) {
      const pins = ledgers.opened.map(({ name }) => anchors.pinned(name))
      const isSettled = async () => {
        const size = sealing.newest()?.size ?? 0
        for (const pin of pins) {
          if (pin === undefined || pin === 'damaged') continue
          if (((await anchors.newest(pin.ledgerId))?.size ?? 0) < size) return false
        }
        return true
      }
      while (!stop.aborted && !(await isSettled())) await pause(lookAgainMs)(stop)
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await Promise.all([...outboxes, beginning])
      await ledgers[Symbol.asyncDispose]()
    },
  }
}

async function heightsOf(
  opened: Ledgers['opened'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const heights = await Promise.all(
    opened
      .filter(({ isChain }) => isChain)
      .map(async ({ name, session }) => {
        const health = await asked(signal, (until) => session.health(until), soonMs)
        return [name, 'height' in health ? health.height : null] as const
      }),
  )
  return new Map(heights.flatMap(([name, height]) => (height === null ? [] : [[name, height]])))
}

const soonMs = 3000
