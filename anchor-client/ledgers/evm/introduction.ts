import { z } from 'zod'
import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { type Block, readBlock, readBlockAt } from './blocks.ts'
import { type Contract, hasCode, readContract } from './contract.ts'
import { type Signers, signersIn } from './finality.ts'
import { mismatch, otherFirstBlock } from './lies.ts'
import type { EvmOptions } from './options.ts'
import { isMissingMethod, NoAnswer } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { address, count, hexOf, quantityOf } from './rpc/values.ts'

/** What one node is asked before it is believed to be on the chain that is meant. */

/** What a node says of its chain: another node's word never takes its place. */
export interface Known extends Contract {
  readonly genesis: Uint8Array
  /** Of a chain that hashes its headers in a way of its own, nothing can be proved. */
  readonly isOwnHash: boolean
  readonly signers: Signers
  /** Whether these seal now, and not only at the beginning: votes change them. */
  readonly areSignersOfNow: boolean
}

interface Expected {
  readonly options: EvmOptions
  readonly contract: Uint8Array
  /** Null until a node has told. */
  readonly genesis: Uint8Array | null
  /** How far the chain was before, in blocks. */
  readonly finalNumber: number
}

export async function introduced(
  node: RpcNode,
  { options, contract, genesis, finalNumber }: Expected,
  signal: AbortSignal,
): Promise<Known> {
  const chainId = await node.ask({ method: 'eth_chainId', params: [], answer: count }, signal)
  if (chainId !== options.chainId) {
    throw mismatch(
      `the node ${node.name} is on chain ${chainId}, not on ${options.chainId}`,
      'Check urls and chainId of this ledger in the configuration.',
    )
  }
  const { block: first, isOwnHash } = await readGenesis(node, options, signal)
  if (genesis && !equalBytes(genesis, first.hash)) {
    throw otherFirstBlock(node.name, hexOf(first.hash), hexOf(genesis))
  }
  const head = await newest(node, isOwnHash, signal)
  // Where it is still catching up it may not have our contract so far.
  if (head.number < finalNumber && !(await hasCode(node, contract, signal))) {
    throw new NoAnswer(`${node.name} is only at block ${head.number}`)
  }
  const found = await readContract(node, contract, signal)
  const ofNow = options.finality === 'clique' ? await readSigners(node, 'latest', signal) : null
  return {
    ...found,
    genesis: first.hash,
    isOwnHash,
    signers: ofNow ?? (options.finality === 'clique' ? signersIn(first) : new Set<string>()),
    areSignersOfNow: ofNow !== null,
  }
}

export async function newest(
  node: RpcNode,
  isOwnHash: boolean,
  signal: AbortSignal,
): Promise<Block> {
  const head = await readBlock(node, 'latest', isOwnHash, signal)
  if (head === null) throw new NoAnswer(`${node.name} has no block so far`)
  return head
}

/** Only where finality is instant may a chain hash its headers in a way that we do not know. */
async function readGenesis(node: RpcNode, { finality }: EvmOptions, signal: AbortSignal) {
  try {
    return { block: await readBlockAt(node, 0, false, signal), isOwnHash: false }
  } catch (error) {
    if (finality !== 'instant' || !(error instanceof KedgeError)) throw error
    return { block: await readBlockAt(node, 0, true, signal), isOwnHash: true }
  }
}

/** Who seals after this block; null where the node does not say. */
export async function readSigners(
  node: RpcNode,
  block: number | 'latest',
  signal: AbortSignal,
): Promise<Signers | null> {
  const params = [block === 'latest' ? block : quantityOf(block)]
  const answer = z.array(address).min(1).max(255)
  try {
    const list = await node.ask({ method: 'clique_getSigners', params, answer }, signal)
    return new Set(list.map((one) => bytesToHex(one)))
  } catch (error) {
    if (isMissingMethod(error)) return null
    throw error
  }
}
