import { z } from 'zod'
import { equalBytes } from '../../evidence/bytes.ts'
import { checkpointHead } from '../../evidence/seal.ts'
import type { Outcome } from '../ledger.ts'
import { feeOf, tooCheap } from './fees.ts'
import { closedBy, strangerTo } from './judging.ts'
import { type Reply, replyOf } from './refusals.ts'
import { type Intent, intentOf } from './requests.ts'
import { NoAnswer, RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { count, hash, hexOf } from './rpc/values.ts'
import { nonceAt } from './signing.ts'
import { type EvmParts, type Standing, settled, standingOf } from './standing.ts'
import { mostPerGas, readTransaction, type SignedTransaction } from './transactions.ts'

/** Signed bytes of ours, read again; undefined where they are none. */
export function readPrepared(
  { options, contract }: EvmParts,
  bytes: Uint8Array,
): { readonly transaction: SignedTransaction; readonly intent: Intent } | undefined {
  if (bytes.length > mostBytes) return undefined
  const transaction = readTransaction(bytes)
  if (!transaction || transaction.chainId !== options.chainId) return undefined
  if (!equalBytes(transaction.to, contract)) return undefined
  const intent = intentOf(transaction.call)
  return intent && { transaction, intent }
}

const mostBytes = 64 * 1024

/** What became of a request: by the state, and where that says nothing, whether these bytes can still land. */
export async function outcomeNow(
  parts: EvmParts,
  transaction: SignedTransaction,
  intent: Intent,
  signal: AbortSignal,
): Promise<Outcome | null> {
  const look = async (): Promise<Outcome | null> => {
    const standing = await standingOf(parts, intent, signal)
    const found = await settled(parts, intent, standing, signal)
    return found ?? lapsed(parts, transaction, intent, standing, signal)
  }
  const outcome = await look()
  // For ever is a long time: a block may have come between two questions of the first look.
  return outcome?.state === 'lapsed' ? look() : outcome
}

async function lapsed(
  { options }: EvmParts,
  { nonce, from, fee }: SignedTransaction,
  intent: Intent,
  { view, atHead, atFinal }: Standing,
  signal: AbortSignal,
): Promise<Outcome | null> {
  const { node, head, final } = view
  if (intent.type === 'anchor' && atFinal.isAdmitted) {
    const { oldSize, oldRoot } = intent
    if (atFinal.size > oldSize) {
      return { state: 'lapsed', why: `${atFinal.size} headers are anchored, not ${oldSize}` }
    }
    const of = { ...intent, hashId: atFinal.hashId, size: oldSize, root: oldRoot }
    if (oldSize > 0 && oldSize === atFinal.size && !equalBytes(checkpointHead(of), atFinal.head)) {
      return { state: 'conflict', size: oldSize, head: atFinal.head }
    }
  }
  if (intent.type === 'rotation' && (atFinal.rotatedIn ?? -1) >= intent.seq) {
    return { state: 'lapsed', why: `the key was rotated in header ${atFinal.rotatedIn}` }
  }
  const isUsed = (await nonceAt(node, from, final, signal)) > nonce
  if (isUsed)
    return { state: 'lapsed', why: 'its number is used by another transaction, or it failed' }
  const next = await nonceAt(node, from, head, signal)
  if (next > nonce) {
    return { state: 'unknown', why: 'its number is used, in a block that is not final' }
  }
  // The chain has lost what came before, and nobody has it any more: this number would never be reached.
  if (next < nonce)
    return { state: 'lapsed', why: `the chain waits for number ${next}, not ${nonce}` }
  if (atFinal.isAdmitted && intent.type !== 'fork') {
    const refusal =
      closedBy(atFinal) ?? (intent.type === 'anchor' ? strangerTo(atHead, from) : null)
    if (refusal) return refusal
  }
  // Signed anew it has the same number, so that only one of the two can land.
  const isDearer = mostPerGas(feeOf(options)) > mostPerGas(fee)
  if (tooCheap(fee, head) !== null && isDearer) {
    return {
      state: 'lapsed',
      why: 'it pays less than the base fee, and the configuration pays more',
    }
  }
  return null
}

/** Hands the bytes to every node, and says what is the best of their answers. */
export async function broadcast(
  nodes: readonly RpcNode[],
  { bytes: signed }: SignedTransaction,
  signal: AbortSignal,
): Promise<Reply> {
  const replies = await Promise.all(
    nodes.map(async (node): Promise<Reply> => {
      const params = [hexOf(signed)]
      try {
        await node.ask({ method: 'eth_sendRawTransaction', params, answer: hash }, signal)
        return { reply: 'taken' }
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof RpcRefusal) return replyOf(node.name, error)
        if (!(error instanceof NoAnswer)) throw error
        return { reply: 'unknown', why: error.message }
      }
    }),
  )
  const order = ['taken', 'superseded', 'refused', 'unknown']
  const [best] = replies.toSorted((a, b) => order.indexOf(a.reply) - order.indexOf(b.reply))
  return best as Reply
}

/** Where bytes that are in no block so far wait. */
export interface Waiting {
  readonly isAnywhere: boolean
  /** Nodes that answer and have not got them: they were away, or have dropped them. */
  readonly lacking: readonly string[]
}

export async function whereItWaits(
  { chain }: EvmParts,
  transaction: SignedTransaction,
  signal: AbortSignal,
): Promise<Waiting> {
  const said = await Promise.all(
    chain.nodes.map(async (node) => ({
      name: node.name,
      has: await has(node, transaction.hash, signal),
    })),
  )
  return {
    isAnywhere: said.some(({ has }) => has === true),
    lacking: said.flatMap(({ name, has }) => (has === false ? [name] : [])),
  }
}

/** Null where it does not say, or has it in a block already. */
async function has(node: RpcNode, of: Uint8Array, signal: AbortSignal): Promise<boolean | null> {
  const asked = { method: 'eth_getTransactionByHash', params: [hexOf(of)], answer: found }
  try {
    const one = await node.ask(asked, signal)
    if (one === null || !equalBytes(one.hash, of)) return false
    return (one.blockNumber ?? null) === null ? true : null
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof RpcRefusal || error instanceof NoAnswer) return null
    throw error
  }
}

const found = z.object({ hash, blockNumber: count.nullish() }).nullable()
