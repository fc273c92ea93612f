import { keccak_256 } from '@noble/hashes/sha3.js'
import { z } from 'zod'
import { equalBytes } from '../../evidence/bytes.ts'
import { encodeRlp, rlpUint } from '../../evidence/rlp.ts'
import { lies } from './lies.ts'
import { NoAnswer, RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { address, bytes, count, hash, hexOf, quantity, quantityOf } from './rpc/values.ts'

/** A block as its header tells of it: every field is bound by the hash. */
export interface Block {
  readonly number: number
  readonly hash: Uint8Array
  readonly parentHash: Uint8Array
  readonly stateRoot: Uint8Array
  readonly receiptsRoot: Uint8Array
  readonly timeMs: number
  /** In wei; null on a chain that has none. */
  readonly baseFee: bigint | null
  readonly extraData: Uint8Array
  /** The header in RLP; null where the chain hashes its headers in a way of its own. */
  readonly raw: Uint8Array | null
}

/** A number, or a name that nodes know. */
type BlockName = number | 'latest'

/** Null where there is no such block. `isOwnHash` takes a chain that hashes its headers in another way by its word. */
export async function readBlock(
  node: RpcNode,
  name: BlockName,
  isOwnHash: boolean,
  signal: AbortSignal,
): Promise<Block | null> {
  const at = typeof name === 'number' ? quantityOf(name) : name
  const asked = { method: 'eth_getBlockByNumber', params: [at, false], answer: header.nullable() }
  const found = await node.ask(asked, signal).catch((error: unknown) => {
    if (error instanceof RpcRefusal && /not found|unknown block/i.test(error.message)) return null
    throw error
  })
  if (found === null) return null
  if (typeof name === 'number' && found.number !== name) {
    throw lies(node.name, `shows block ${found.number} for block ${name}`)
  }
  const raw = isOwnHash ? null : await rawHeader(node, found, signal)
  return {
    number: found.number,
    hash: found.hash,
    parentHash: found.parentHash,
    stateRoot: found.stateRoot,
    receiptsRoot: found.receiptsRoot,
    timeMs: found.timestamp * 1000,
    baseFee: found.baseFeePerGas ?? null,
    extraData: found.extraData,
    raw,
  }
}

/** The block of this number, which is there. */
export async function readBlockAt(
  node: RpcNode,
  number: number,
  isOwnHash: boolean,
  signal: AbortSignal,
): Promise<Block> {
  const block = await readBlock(node, number, isOwnHash, signal)
  if (block === null) throw new NoAnswer(`${node.name} does not know block ${number}`)
  return block
}

async function rawHeader(node: RpcNode, found: Header, signal: AbortSignal): Promise<Uint8Array> {
  const raw = encodeHeader(found)
  if (equalBytes(keccak_256(raw), found.hash)) return raw
  // A fork newer than this code may have appended a field.
  const asked = {
    method: 'debug_getRawHeader',
    params: [quantityOf(found.number)],
    answer: bytes(16 * 1024),
  }
  const given = await node.ask(asked, signal).catch((error: unknown) => {
    if (error instanceof RpcRefusal) return null
    throw error
  })
  if (given !== null && equalBytes(keccak_256(given), found.hash)) return given
  throw lies(
    node.name,
    `shows block ${found.number}, which does not hash to ${hexOf(found.hash).slice(0, 18)}…`,
  )
}

const header = z.object({
  hash,
  parentHash: hash,
  sha3Uncles: hash,
  miner: address,
  stateRoot: hash,
  transactionsRoot: hash,
  receiptsRoot: hash,
  logsBloom: bytes(256),
  difficulty: quantity,
  number: count,
  gasLimit: quantity,
  gasUsed: quantity,
  timestamp: count.refine((seconds) => seconds < 2 ** 43),
  extraData: bytes(16 * 1024),
  mixHash: hash.optional(),
  nonce: bytes(8).optional(),
  baseFeePerGas: quantity.nullish(),
  withdrawalsRoot: hash.nullish(),
  blobGasUsed: quantity.nullish(),
  excessBlobGas: quantity.nullish(),
  parentBeaconBlockRoot: hash.nullish(),
  requestsHash: hash.nullish(),
})

type Header = z.output<typeof header>

/** In the order in which the forks of the chain have appended them. */
function encodeHeader(of: Header): Uint8Array {
  const appended = [
    of.baseFeePerGas,
    of.withdrawalsRoot,
    of.blobGasUsed,
    of.excessBlobGas,
    of.parentBeaconBlockRoot,
    of.requestsHash,
  ]
  const isThere = (value: unknown) => value !== undefined && value !== null
  const item = (value: bigint | Uint8Array) => (typeof value === 'bigint' ? rlpUint(value) : value)
  return encodeRlp([
    of.parentHash,
    of.sha3Uncles,
    of.miner,
    of.stateRoot,
    of.transactionsRoot,
    of.receiptsRoot,
    of.logsBloom,
    rlpUint(of.difficulty),
    rlpUint(of.number),
    rlpUint(of.gasLimit),
    rlpUint(of.gasUsed),
    rlpUint(of.timestamp),
    of.extraData,
    of.mixHash ?? new Uint8Array(32),
    of.nonce ?? new Uint8Array(8),
    ...appended.filter((value) => isThere(value)).map((value) => item(value as bigint)),
  ])
}
