import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesToHex, u32, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { consistencyProof } from '../../anchor-client/evidence/consistency.ts'
import { historyHash, nodeHash } from '../../anchor-client/evidence/merkle.ts'
import type { HashId } from '../../anchor-client/evidence/model.ts'
import { checkpointMessage } from '../../anchor-client/evidence/seal.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import { openEmbedded } from '../../anchor-client/ledgers/embedded.ts'
import type { LedgerSession, Outcome, Prepared } from '../../anchor-client/ledgers/ledger.ts'
import type { Anchor } from '../../gateway/anchoring/anchor-records.ts'
import { type AnchorStore, openAnchorStore } from '../../gateway/anchoring/anchor-store.ts'
import { checkpointOf, type History, type SignedHead } from '../../gateway/anchoring/history.ts'
import { type AnchorEvent, type OutboxOptions, runOutbox } from '../../gateway/anchoring/outbox.ts'
import type { Pace } from '../../gateway/anchoring/pace.ts'
import { secretOf } from './anchoring.ts'
import { host } from './embedded.ts'
import { signerOf } from './signer.ts'

/** A gateway's history over a list of header hashes, as far as it was sealed and signed. */
interface TestHistory extends History {
  /** Seals and signs: from then on it may be anchored. */
  sign(size: number): void
  /** Seals without signing. */
  seal(size: number): void
}

interface ToldHistory {
  readonly secret?: string
  readonly incarnation?: number
  readonly hashId?: HashId
  /** From which header on it is another than the usual one. */
  readonly forkedAt?: number
  readonly size?: number
}

export function historyOf(told: ToldHistory = {}): TestHistory {
  const { secret = 'gateway', incarnation = 0, hashId = 1 } = told
  const { forkedAt = Number.POSITIVE_INFINITY } = told
  const key = signerOf(secretOf(secret))
  const gateway = keyId(key.publicKey)
  const hash = historyHash(hashId)
  const leaves: Uint8Array[] = []
  const signed = new Map<number, SignedHead>()
  let newest = 0
  const subtree = (low: number, high: number): Uint8Array => {
    if (high - low === 1) return leaves[low] as Uint8Array
    let k = 1
    while (2 * k < high - low) k *= 2
    return nodeHash(hash, subtree(low, low + k), subtree(low + k, high))
  }
  const within = (size: number) => {
    if (size < 1 || size > leaves.length) throw new RangeError(`no root at ${size}`)
  }
  const history: TestHistory = {
    gateway,
    incarnation,
    hashId,
    newest: () => signed.get(newest) ?? null,
    size: () => leaves.length,
    async rootAt(size) {
      within(size)
      return subtree(0, size)
    },
    async consistency(oldSize, newSize) {
      within(newSize)
      return consistencyProof(subtree, oldSize, newSize)
    },
    async signedAt(size) {
      within(size)
      const before = signed.get(size)
      if (before) return before
      const root = subtree(0, size)
      const message = checkpointMessage(checkpointOf(history, size, root))
      const head = { size, root, key: key.publicKey, signature: key.sign(message) }
      signed.set(size, head)
      return head
    },
    seal(size) {
      for (let i = leaves.length; i < size; i++) {
        leaves.push(hash(utf8(i < forkedAt ? 'header ' : 'other header '), u32(i)))
      }
    },
    sign(size) {
      history.seal(size)
      void history.signedAt(size)
      newest = size
    },
  }
  if (told.size) history.sign(told.size)
  return history
}

export const quickPace: Pace = {
  firstMs: 1,
  mostMs: 4,
  pollMostMs: 4,
  slowMs: 4,
  random: () => 0.5,
}

export const openStore = (folder: string, history: History, mayCreate = true) =>
  openAnchorStore(join(folder, 'anchors'), history, mayCreate)

export const openLedger = (folder: string) =>
  openEmbedded(join(folder, 'ledger'), host({ isFirstUse: true }))

/** Runs the outbox over these checkpoints, one after the other, and ends when the last one has no more to do. */
export async function anchorAll(
  options: Omit<OutboxOptions, 'signal' | 'onEvent' | 'waitForNewer' | 'name'> & {
    readonly history: TestHistory
    readonly stop?: AbortController
    readonly name?: string
  },
  sizes: readonly number[] = [],
) {
  const { stop = new AbortController(), history } = options
  const events: AnchorEvent[] = []
  const end = await runOutbox({
    name: 'embedded',
    pace: quickPace,
    ...options,
    signal: stop.signal,
    onEvent: (event) => events.push(event),
    async waitForNewer(held, signal) {
      const next = sizes.find((size) => size > Math.max(held, history.newest()?.size ?? 0))
      if (next !== undefined) history.sign(next)
      else if ((history.newest()?.size ?? 0) <= held && (await isProved(options.store)))
        stop.abort()
      else if (!signal.aborted)
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
    },
  })
  return { end, events }
}

async function isProved(store: AnchorStore): Promise<boolean> {
  for (const { ledgerId } of store.pins()) {
    if ((await store.unproved(ledgerId, 1)).length > 0) return false
  }
  return true
}

export const anchorsOf = async (store: AnchorStore): Promise<Anchor[]> => {
  const anchors: Anchor[] = []
  for (const { ledgerId } of store.pins()) {
    for await (const anchor of store.list(ledgerId)) anchors.push(anchor)
  }
  return anchors
}

export const troubles = (events: readonly AnchorEvent[]): string[] =>
  events.flatMap((event) => (event.event === 'anchor-trouble' ? [event.state] : []))

export const anchoredSizes = (events: readonly AnchorEvent[]): number[] =>
  events.flatMap((event) => (event.event === 'anchored' ? [event.size] : []))

/**
 * Watches what is sent to a ledger, over all lives of a gateway: bytes that were never sent before may only
 * leave when the ones before them can no longer land. Kept in a file, as lives end without a word.
 */
export function watchSends(session: LedgerSession, folder: string): LedgerSession {
  const file = join(folder, 'sends')
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [])
  /** Asked until it is answered: who was killed between two questions is not at fault. */
  const stateOf = async (sent: Prepared, signal: AbortSignal): Promise<Outcome['state']> => {
    for (;;) {
      const { state } = await session.status(sent, signal)
      if (state !== 'unknown') return state
      await sleep(5, undefined, { signal })
    }
  }
  return {
    ...session,
    registrar: session.registrar,
    async send(prepared, signal) {
      const before = lines()
      const hex = bytesToHex(prepared.bytes)
      const last = before.findLast((line) => !line.startsWith('!'))
      if (!before.includes(hex)) {
        if (last !== undefined) {
          const bytes = Uint8Array.from(Buffer.from(last, 'hex'))
          const state = await stateOf({ ...prepared, bytes }, signal)
          if (!ended.includes(state)) appendFileSync(file, `!${state}\n`)
        }
        appendFileSync(file, `${hex}\n`)
      } else if (last !== hex) appendFileSync(file, '!older bytes again\n')
      return session.send(prepared, signal)
    },
  }
}

const ended: readonly Outcome['state'][] = ['final', 'covered', 'lapsed']

/** What was sent, each once, and what was wrong with it. */
export function sendsOf(folder: string) {
  const file = join(folder, 'sends')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  const wrong = lines.filter((line) => line.startsWith('!'))
  return { count: lines.length - wrong.length, wrong }
}

export const signedFile = (folder: string): string => join(folder, 'signed')

/** The size of the last checkpoint that a child signed, 0 before it did. */
export function signedSoFar(folder: string): number {
  const file = signedFile(folder)
  if (!existsSync(file)) return 0
  return Number(readFileSync(file, 'utf8').split('\n').at(-2) ?? 0)
}
