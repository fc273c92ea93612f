import { z } from 'zod'
import { concat, equalBytes } from '../../evidence/bytes.ts'
import { encodeReceiptProof } from '../../evidence/proofs/evm-codec.ts'
import { encodeRlp, rlpUint } from '../../evidence/rlp.ts'
import type { Unknown } from '../ledger.ts'
import type { Block } from './blocks.ts'
import type { ContractEvent } from './events.ts'
import { lies } from './lies.ts'
import { RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { address, bytes, count, hash, hexOf, quantity, quantityOf } from './rpc/values.ts'
import { proofIn, trieOf } from './trie.ts'

/** The proof of an event: all receipts of its block are asked for, and must give the header's receipts root. */
export async function encodeReceipt(
  node: RpcNode,
  contract: Uint8Array,
  block: Block,
  event: ContractEvent,
  headers: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<Uint8Array | Unknown> {
  const receipts = await receiptsOf(node, block, signal)
  if (receipts === null) {
    return { state: 'unknown', why: `${node.name} has neither state nor receipts of this block` }
  }
  const trie = trieOf(
    receipts.map((one, i) => ({ key: encodeRlp(rlpUint(i)), value: encoded(one) })),
  )
  if (!equalBytes(trie.root, block.receiptsRoot)) {
    throw lies(node.name, `shows receipts that are not those of block ${block.number}`)
  }
  const index = receipts.findIndex((one) => equalBytes(one.transactionHash, event.transaction))
  const before = receipts.slice(0, index).reduce((sum, { logs }) => sum + logs.length, 0)
  const logIndex = event.logIndex - before
  if (index < 0 || logIndex < 0 || logIndex >= (receipts[index]?.logs.length ?? 0)) {
    throw lies(node.name, 'shows an event that is in no receipt')
  }
  const receiptNodes = proofIn(trie, encodeRlp(rlpUint(index)))
  return encodeReceiptProof({ contract, index, receiptNodes, logIndex, headers })
}

const receipt = z.object({
  transactionHash: hash,
  blockHash: hash,
  type: count.optional(),
  status: quantity,
  cumulativeGasUsed: quantity,
  logsBloom: bytes(256),
  logs: z.array(z.object({ address, topics: z.array(hash).max(4), data: bytes(1024 * 1024) })),
})

type Receipt = z.output<typeof receipt>

/** In their order; null where the node has no method that gives them. */
async function receiptsOf(
  node: RpcNode,
  block: Block,
  signal: AbortSignal,
): Promise<readonly Receipt[] | null> {
  const params = [quantityOf(block.number)]
  const whole = { method: 'eth_getBlockReceipts', params, answer: z.array(receipt).nullable() }
  const given = await node.ask(whole, signal).catch(unlessRefused)
  return given ?? oneByOne(node, block, signal)
}

async function oneByOne(
  node: RpcNode,
  block: Block,
  signal: AbortSignal,
): Promise<readonly Receipt[] | null> {
  const answer = z.object({ hash, transactions: z.array(hash).max(100_000) }).nullable()
  const asked = {
    method: 'eth_getBlockByNumber',
    params: [quantityOf(block.number), false],
    answer,
  }
  const found = await node.ask(asked, signal)
  if (found === null || !equalBytes(found.hash, block.hash)) return null
  const receipts: Receipt[] = []
  for (const one of found.transactions) {
    const params = [hexOf(one)]
    const single = { method: 'eth_getTransactionReceipt', params, answer: receipt.nullable() }
    const given = await node.ask(single, signal).catch(unlessRefused)
    if (given === null) return null
    receipts.push(given)
  }
  return receipts
}

const unlessRefused = (error: unknown): null => {
  if (error instanceof RpcRefusal) return null
  throw error
}

/** All but those of the first kind of transaction say their kind in a byte before the list. */
function encoded({ type = 0, status, cumulativeGasUsed, logsBloom, logs }: Receipt): Uint8Array {
  const list = encodeRlp([
    rlpUint(status),
    rlpUint(cumulativeGasUsed),
    logsBloom,
    logs.map((log) => [log.address, log.topics, log.data]),
  ])
  return type === 0 ? list : concat(Uint8Array.of(type), list)
}
