import { equalBytes } from '../../evidence/bytes.ts'
import { checkpointHead } from '../../evidence/seal.ts'
import type { Outcome, Place } from '../ledger.ts'
import { type AnchorsOf, earlierAnchor, lastAnchor, placeOf } from './anchors.ts'
import type { Block } from './blocks.ts'
import type { EvmChain, View } from './chain.ts'
import { eventsBetween, eventTopics, type Topics } from './events.ts'
import type { NonceBook } from './nonce-book.ts'
import type { EvmOptions } from './options.ts'
import { type Intent, isOffered, isRotated } from './requests.ts'
import { type Incarnation, readIncarnation, readReport, type Subject } from './state.ts'
import type { Held } from './storage.ts'

/** All that a session works with. */
export interface EvmParts {
  readonly chain: EvmChain
  readonly options: EvmOptions
  readonly contract: Uint8Array
  /** Null for whoever only looks. */
  readonly account: Account | null
  nowMs(): number | null
}

export interface Account {
  readonly address: Uint8Array
  readonly book: NonceBook
  sign(digest: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** What the contract holds of an incarnation now, and for good. */
export interface Standing {
  readonly view: View
  readonly atHead: Incarnation
  readonly atFinal: Incarnation
}

export async function standingOf(
  { chain, contract }: EvmParts,
  subject: Subject,
  signal: AbortSignal,
): Promise<Standing> {
  const view = await chain.view(signal)
  const { node, head, final } = view
  const atFinal = await readIncarnation({ node, contract, block: final }, subject, signal)
  const isSame = equalBytes(head.hash, final.hash)
  const atHead = isSame
    ? atFinal
    : await readIncarnation({ node, contract, block: head }, subject, signal)
  return { view, atHead, atFinal }
}

export const anchorsOf = (
  { chain, contract, options }: EvmParts,
  { node }: View,
  block: Block,
): AnchorsOf => ({ chain, node, contract, block, fromBlock: options.fromBlock })

/** What has become of a request, by the state alone; null where the state says nothing of it so far. */
export function settled(
  parts: EvmParts,
  intent: Intent,
  standing: Standing,
  signal: AbortSignal,
): Promise<Outcome | null> {
  switch (intent.type) {
    case 'anchor':
      return settledAnchor(parts, intent, standing, signal)
    case 'rotation':
      return settledRotation(parts, intent, standing, signal)
    case 'fork':
      return settledFork(parts, intent, standing, signal)
  }
}

async function settledAnchor(
  parts: EvmParts,
  intent: Extract<Intent, { type: 'anchor' }>,
  { view, atHead, atFinal }: Standing,
  signal: AbortSignal,
): Promise<Outcome | null> {
  const { size } = intent
  const ours = checkpointHead({ ...intent, hashId: atHead.hashId })
  if (atFinal.size >= size) {
    const of = anchorsOf(parts, view, view.final)
    if (atFinal.size > size) {
      const earlier = await earlierAnchor(of, intent, atFinal, size, signal)
      if (earlier === null) {
        return { state: 'covered', by: (await lastAnchor(of, intent, atFinal, signal)).anchored }
      }
      const { head, place } = earlier.anchored
      return equalBytes(head, ours) ? { state: 'final', place } : { state: 'conflict', size, head }
    }
    const { head } = atFinal
    if (!equalBytes(head, ours)) return { state: 'conflict', size, head }
    return { state: 'final', place: (await lastAnchor(of, intent, atFinal, signal)).anchored.place }
  }
  if (atHead.size < size) return null
  const of = anchorsOf(parts, view, view.head)
  const held =
    atHead.size === size
      ? await lastAnchor(of, intent, atHead, signal)
      : await earlierAnchor(of, intent, atHead, size, signal)
  // Whatever else is there may still go away.
  return held !== null && equalBytes(held.anchored.head, ours)
    ? { state: 'known', place: held.anchored.place }
    : { state: 'unknown', why: `another anchor of ${atHead.size} batches is there, not final yet` }
}

async function settledRotation(
  parts: EvmParts,
  intent: Extract<Intent, { type: 'rotation' }>,
  { view, atHead, atFinal }: Standing,
  signal: AbortSignal,
): Promise<Outcome | null> {
  const own = parts.account?.address ?? new Uint8Array(20)
  for (const [of, block, state] of [
    [atFinal, view.final, 'final'],
    [atHead, view.head, 'known'],
  ] as const) {
    const event = isRotated(of, intent, own)
      ? 'Rotated'
      : isOffered(of, intent)
        ? 'RotationOffered'
        : null
    if (event === null) continue
    const place = await placeOfLast(parts, view, block, eventTopics(event, intent), signal)
    if (place) return { state, place }
  }
  return null
}

/** Recorded, or where the registrar is at hand, confirmed: then the incarnation takes nothing more. */
async function settledFork(
  parts: EvmParts,
  intent: Extract<Intent, { type: 'fork' }>,
  { view, atHead, atFinal }: Standing,
  signal: AbortSignal,
): Promise<Outcome | null> {
  const isEnough = !isRegistrar(parts)
  for (const [of, block, state] of [
    [atFinal, view.final, 'final'],
    [atHead, view.head, 'known'],
  ] as const) {
    if (of.isFrozen) {
      const place = await placeOfLast(parts, view, block, eventTopics('Frozen', intent), signal)
      if (place) return { state, place }
    }
    const held: Held = { node: view.node, contract: parts.contract, block }
    const reportedIn = await readReport(held, intent, intent.report, signal)
    if (reportedIn === 0) continue
    const topics = eventTopics('ForkReported', intent, intent.report)
    const place = await placeOfLast(parts, view, block, topics, signal, reportedIn)
    if (place) return { state: isEnough ? state : 'known', place }
  }
  return null
}

export function isRegistrar({ chain, account }: EvmParts): boolean {
  const registrar = chain.known()?.registrar
  return registrar !== undefined && account !== null && equalBytes(registrar, account.address)
}

/** Of the last event of this kind up to this block. */
export async function placeOfLast(
  parts: EvmParts,
  view: View,
  block: Block,
  topics: Topics,
  signal: AbortSignal,
  fromBlock = parts.options.fromBlock,
): Promise<Place | null> {
  const { node } = view
  const { contract, chain } = parts
  const events = eventsBetween(node, contract, fromBlock, block.number, topics, signal)
  let last: Place | null = null
  for await (const event of events) {
    const within = await chain.blockAt(view, event.block, signal)
    if (equalBytes(within.hash, event.blockHash)) last = await placeOf(node, within, event, signal)
  }
  return last
}
