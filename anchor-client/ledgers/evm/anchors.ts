import { z } from 'zod'
import { word } from '../../contracts/abi.ts'
import { equalBytes } from '../../evidence/bytes.ts'
import { historyHash } from '../../evidence/merkle.ts'
import type { HashId } from '../../evidence/model.ts'
import { checkpointHead } from '../../evidence/seal.ts'
import type { Anchored, Place } from '../ledger.ts'
import type { Block } from './blocks.ts'
import type { EvmChain } from './chain.ts'
import { type ContractEvent, eventsBetween, eventsIn, eventTopics } from './events.ts'
import { lies } from './lies.ts'
import { NoAnswer, RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { count, hash, hexOf, quantity } from './rpc/values.ts'
import type { Incarnation, Subject } from './state.ts'

/** Anchors with their places: the last one by the contract's state, the ones before by its events. */
export interface AnchorsOf {
  readonly chain: EvmChain
  readonly node: RpcNode
  readonly contract: Uint8Array
  /** The block up to which anything counts. */
  readonly block: Block
  readonly fromBlock: number
}

const viewOf = ({ node, block }: AnchorsOf) => ({ node, head: block })

/** An anchor with what is needed to prove it. */
export interface AnchorEvent {
  readonly anchored: Anchored
  readonly oldSize: number
  readonly block: Block
  readonly event: ContractEvent
}

/** The anchor that the state shows as the last one. */
export async function lastAnchor(
  of: AnchorsOf,
  subject: Subject,
  { size, head, hashId, lastBlock }: Incarnation,
  signal: AbortSignal,
): Promise<AnchorEvent> {
  const { node, contract } = of
  const block = await of.chain.blockAt(viewOf(of), lastBlock, signal)
  const topics = eventTopics('Anchored', subject, word(BigInt(size)))
  const [event, ...others] = await eventsIn(node, contract, block, topics, signal)
  if (event === undefined || others.length > 0) {
    throw lies(
      node.name,
      `shows ${size} batches anchored in block ${lastBlock} without the event of it`,
    )
  }
  const found = await anchorOf(of, event, hashId, signal)
  if (!equalBytes(found.anchored.head, head)) {
    throw lies(node.name, `shows one head of ${size} batches in the state and another in the event`)
  }
  return found
}

/** The anchor of just this size, which is smaller than the last one; null where there is none. */
export async function earlierAnchor(
  of: AnchorsOf,
  subject: Subject,
  { hashId }: Incarnation,
  size: number,
  signal: AbortSignal,
): Promise<AnchorEvent | null> {
  const { node, contract, fromBlock, block } = of
  const topics = eventTopics('Anchored', subject, word(BigInt(size)))
  const events = eventsBetween(node, contract, fromBlock, block.number, topics, signal)
  for await (const event of events) return anchorOf(of, event, hashId, signal)
  return null
}

/** All from this size on, ascending, each on top of the one before and the last one as the state has it. */
export async function* allAnchors(
  of: AnchorsOf,
  subject: Subject,
  { size, head, hashId }: Incarnation,
  fromSize: number,
  signal: AbortSignal,
): AsyncGenerator<AnchorEvent, void> {
  if (size < fromSize || size === 0) return
  const { node, contract, fromBlock, block } = of
  let last: Anchored | null = null
  const topics = eventTopics('Anchored', subject)
  for await (const event of eventsBetween(
    node,
    contract,
    fromBlock,
    block.number,
    topics,
    signal,
  )) {
    const found = await anchorOf(of, event, hashId, signal, fromSize)
    if (found.oldSize !== (last?.size ?? 0)) {
      throw lies(
        node.name,
        `hides the anchors between ${last?.size ?? 0} and ${found.anchored.size} batches, or fromBlock comes after them`,
      )
    }
    last = found.anchored
    if (last.size >= fromSize) yield found
  }
  if (last === null || last.size !== size || !equalBytes(last.head, head)) {
    throw lies(node.name, `hides the anchor of ${size} batches, which the state shows`)
  }
}

/** @param fromSize of a smaller one, neither block nor cost is asked for */
async function anchorOf(
  of: AnchorsOf,
  event: ContractEvent,
  hashId: HashId,
  signal: AbortSignal,
  fromSize = 0,
): Promise<AnchorEvent> {
  const { node } = of
  const { size, head, root, oldSize } = event.values as unknown as AnchoredValues
  const [newSize, before] = [Number(size), Number(oldSize)]
  const isHead = () =>
    equalBytes(head, checkpointHead({ gateway: head, incarnation: 0, hashId, size: newSize, root }))
  if (!Number.isSafeInteger(newSize) || before >= newSize || !isHead()) {
    throw lies(node.name, 'shows an anchor whose size and root do not give its head')
  }
  const isWanted = newSize >= fromSize
  const block = isWanted ? await of.chain.blockAt(viewOf(of), event.block, signal) : of.block
  if (isWanted && !equalBytes(block.hash, event.blockHash)) {
    throw new NoAnswer(`${node.name} changed over to another branch at block ${event.block}`)
  }
  const place = isWanted ? await placeOf(node, block, event, signal) : noPlace
  return { anchored: { size: newSize, head, place }, oldSize: before, block, event }
}

interface AnchoredValues {
  readonly size: bigint
  readonly head: Uint8Array
  readonly root: Uint8Array
  readonly oldSize: bigint
}

const noPlace: Place = { height: 0, hash: new Uint8Array(), timeMs: null, cost: null }

export async function placeOf(
  node: RpcNode,
  block: Block,
  { transaction }: Pick<ContractEvent, 'transaction'>,
  signal: AbortSignal,
): Promise<Place> {
  const cost = await costOf(node, transaction, block, signal)
  return { height: block.number, hash: block.hash, timeMs: block.timeMs, cost }
}

const receipt = z
  .object({ blockHash: hash, gasUsed: count, effectiveGasPrice: quantity.optional() })
  .nullable()

/** Told, and believed no further. */
async function costOf(node: RpcNode, of: Uint8Array, block: Block, signal: AbortSignal) {
  const asked = { method: 'eth_getTransactionReceipt', params: [hexOf(of)], answer: receipt }
  const found = await node.ask(asked, signal).catch((error: unknown) => {
    if (error instanceof RpcRefusal) return null
    throw error
  })
  if (found === null || !equalBytes(found.blockHash, block.hash)) return null
  const { gasUsed, effectiveGasPrice: price } = found
  return price === undefined ? `${gasUsed} gas` : `${gasUsed} gas at ${price} wei`
}

/** The head of an incarnation of which nothing is anchored. */
export const emptyHead = (hashId: HashId, gateway: Uint8Array): Uint8Array =>
  checkpointHead({ gateway, incarnation: 0, hashId, size: 0, root: historyHash(hashId)() })
