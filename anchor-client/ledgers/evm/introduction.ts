import { z } from 'zod'
import { bytesToHex } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { type Block, readBlock, readBlockAt } from './blocks.ts'
import { type Signers, signersIn } from './finality.ts'
import type { EvmOptions } from './options.ts'
import { isMissingMethod, NoAnswer } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { address } from './rpc/values.ts'

/** What one node is asked before it is believed to be on the chain that is meant. */

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
export async function readGenesis(node: RpcNode, { finality }: EvmOptions, signal: AbortSignal) {
  try {
    return { block: await readBlockAt(node, 0, false, signal), isOwnHash: false }
  } catch (error) {
    if (finality !== 'instant' || !(error instanceof KedgeError)) throw error
    return { block: await readBlockAt(node, 0, true, signal), isOwnHash: true }
  }
}

export async function readSigners(
  node: RpcNode,
  first: Block,
  signal: AbortSignal,
): Promise<Signers> {
  const params = ['latest']
  const answer = z.array(address).min(1).max(255)
  try {
    const list = await node.ask({ method: 'clique_getSigners', params, answer }, signal)
    return new Set(list.map((one) => bytesToHex(one)))
  } catch (error) {
    if (isMissingMethod(error)) return signersIn(first)
    throw error
  }
}
