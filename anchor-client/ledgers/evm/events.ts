import { z } from 'zod'
import { decodeEvent, type Named, topicOf, word } from '../../contracts/abi.ts'
import { readArtefact } from '../../contracts/artefact.ts'
import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import type { Block } from './blocks.ts'
import { lies } from './lies.ts'
import { NoAnswer, RpcRefusal, TooLong } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { address, bytes, count, hash, hexOf, quantityOf } from './rpc/values.ts'
import type { Subject } from './state.ts'

/** An event of the contract: where an older anchor is to be found, of which the state says nothing any more. */
export interface ContractEvent extends Named {
  readonly block: number
  readonly blockHash: Uint8Array
  readonly transaction: Uint8Array
  /** Counted through the whole block. */
  readonly logIndex: number
}

/** What its topics must be; a null is any. */
export type Topics = readonly (Uint8Array | null)[]

const { abi } = readArtefact()

export const eventTopics = (name: string, of: Subject, ...more: readonly Uint8Array[]): Topics => {
  const item = abi.find((one) => one.type === 'event' && one.name === name)
  if (!item) throw new TypeError(`the contract has no event ${name}`)
  return [topicOf(item), of.gateway, word(BigInt(of.incarnation)), ...more]
}

/** Those of one block, by its hash. */
export const eventsIn = (
  node: RpcNode,
  contract: Uint8Array,
  { hash: of, number, raw }: Block,
  topics: Topics,
  signal: AbortSignal,
): Promise<readonly ContractEvent[]> => {
  const range = raw === null ? rangeOf(number, number) : { blockHash: hexOf(of) }
  return ask(node, contract, range, [number, number], topics, signal)
}

/** Most blocks in one question, where nodes have set no limit of their own: more seldom pays. */
const longestRange = 1 << 20

/** Those of the blocks [from, to], ascending, in as few questions as the node allows. */
export async function* eventsBetween(
  node: RpcNode,
  contract: Uint8Array,
  from: number,
  to: number,
  topics: Topics,
  signal: AbortSignal,
): AsyncGenerator<ContractEvent, void> {
  let width = longestRange
  for (let start = from; start <= to; ) {
    const end = Math.min(to, start + width - 1)
    try {
      const found = await ask(node, contract, rangeOf(start, end), [start, end], topics, signal)
      yield* found
      start = end + 1
      width = Math.min(longestRange, width * 2)
    } catch (error) {
      const isTooMuch = error instanceof RpcRefusal || error instanceof TooLong
      if (!isTooMuch) throw error
      if (start === end) throw new NoAnswer(`${node.name} shows no events: ${error.message}`)
      // Each node has its own limit, and its own words for it.
      width = Math.max(1, (end - start + 1) >> 2)
    }
  }
}

const rangeOf = (from: number, to: number) => ({
  fromBlock: quantityOf(from),
  toBlock: quantityOf(to),
})

const log = z.object({
  address,
  topics: z.array(hash).max(4),
  data: bytes(4096),
  blockNumber: count,
  blockHash: hash,
  transactionHash: hash,
  logIndex: count,
  removed: z.boolean().optional(),
})

async function ask(
  node: RpcNode,
  contract: Uint8Array,
  range: object,
  [from, to]: readonly [number, number],
  topics: Topics,
  signal: AbortSignal,
): Promise<readonly ContractEvent[]> {
  const filter = {
    address: hexOf(contract),
    topics: topics.map((topic) => topic && hexOf(topic)),
    ...range,
  }
  const asked = { method: 'eth_getLogs', params: [filter], answer: z.array(log) }
  const found = await node.ask(asked, signal)
  let before = from
  return found
    .filter(({ removed }) => removed !== true)
    .map((one) => {
      const isAsked =
        equalBytes(one.address, contract) &&
        topics.every((topic, i) => topic === null || isTopic(topic, one.topics[i]))
      if (!isAsked) throw lies(node.name, 'shows an event of another contract or gateway')
      if (one.blockNumber < before || one.blockNumber > to) {
        throw lies(node.name, 'shows events of other blocks than it was asked for, or out of order')
      }
      before = one.blockNumber
      return {
        ...decoded(node, one),
        block: one.blockNumber,
        blockHash: one.blockHash,
        transaction: one.transactionHash,
        logIndex: one.logIndex,
      }
    })
}

const isTopic = (topic: Uint8Array, given: Uint8Array | undefined): boolean =>
  given !== undefined && equalBytes(topic, given)

function decoded(node: RpcNode, { topics, data }: z.output<typeof log>): Named {
  try {
    return decodeEvent(abi, topics, data)
  } catch (error) {
    if (error instanceof KedgeError || !(error instanceof TypeError)) throw error
    throw lies(
      node.name,
      `shows an event in a form that the contract never gives: ${bytesToHex(data).slice(0, 32)}…`,
    )
  }
}
