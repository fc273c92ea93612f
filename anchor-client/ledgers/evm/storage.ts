import { keccak_256 } from '@noble/hashes/sha3.js'
import { z } from 'zod'
import { word } from '../../contracts/abi.ts'
import { bytesToHex, concat, equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { provenValue, provesAbsence } from '../../evidence/proofs/evm-trie.ts'
import { decodeRlp, isRlpBytes } from '../../evidence/rlp.ts'
import type { Block } from './blocks.ts'
import { codeHash } from './contract.ts'
import { lies, mismatch } from './lies.ts'
import { NoAnswer, RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { bytes, hash, hexOf, quantity, quantityOf } from './rpc/values.ts'

/** The contract's storage in one block, proved by the block's header wherever the node has proofs. */

/** A contract that some block of a node holds. */
export interface Held {
  readonly node: RpcNode
  readonly contract: Uint8Array
  readonly block: Block
}

/** What `eth_getProof` gives, each part checked against the state root of its block. */
export interface StorageProof {
  readonly accountNodes: readonly Uint8Array[]
  readonly slots: readonly { readonly word: Uint8Array; readonly nodes: readonly Uint8Array[] }[]
}

/** The words in these slots: proved by the block's header where the node has proofs, else by its word. */
export async function readSlots(
  held: Held,
  slots: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  // Some nodes compute no state of block 0, and nobody is admitted in it.
  if (held.block.number === 0) return slots.map(() => new Uint8Array(32))
  const proof = await proveSlots(held, slots, signal)
  if (proof) return proof.slots.map(({ word }) => word)
  return Promise.all(
    slots.map(async (slot) => {
      const params = [hexOf(held.contract), hexOf(slot), nameOf(held.block)]
      const asked = { method: 'eth_getStorageAt', params, answer: bytes(32) }
      const word = await held.node.ask(asked, signal).catch(noState(held))
      return concat(new Uint8Array(32 - word.length), word)
    }),
  )
}

/** Null where the node has no proofs, or none any more of this block. Throws `LEDGER_LIES` where they do not hold. */
export async function proveSlots(
  held: Held,
  slots: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<StorageProof | null> {
  if (held.block.raw === null) return null
  try {
    return await askProof(held, slots, signal)
  } catch (error) {
    if (!(error instanceof KedgeError) || error.code !== 'LEDGER_LIES') throw error
    // Between two blocks a node may answer for one with the state of the other; whoever lies will do so again.
    return askProof(held, slots, signal)
  }
}

async function askProof(
  { node, contract, block }: Held,
  slots: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<StorageProof | null> {
  const params = [hexOf(contract), slots.map(hexOf), nameOf(block)]
  const given = await node
    .ask({ method: 'eth_getProof', params, answer: proofAnswer }, signal)
    .catch((error: unknown) => {
      if (error instanceof RpcRefusal) return null
      throw error
    })
  if (given === null) return null
  const { accountProof: accountNodes, storageProof } = given
  if (isBefore(given)) {
    requireNoContract(node, block, contract, accountNodes)
    return { accountNodes, slots: slots.map(() => ({ word: new Uint8Array(32), nodes: [] })) }
  }
  const storageRoot = rootOfStorage(node, block, contract, accountNodes)
  return {
    accountNodes,
    slots: slots.map((slot, i) => {
      const { value = 0n, proof: nodes = [] } = storageProof[i] ?? {}
      const held = word(value)
      if (value !== 0n) requireSlot(node, storageRoot, slot, held, nodes)
      else if (!provesAbsence(storageRoot, keccak_256(slot), nodes)) {
        throw lies(node.name, 'says that a slot is empty, and does not prove it')
      }
      return { word: held, nodes }
    }),
  }
}

const noState =
  ({ node, block }: Held) =>
  (error: unknown): never => {
    if (!(error instanceof RpcRefusal)) throw error
    throw new NoAnswer(`${node.name} has no state of block ${block.number}: ${error.message}`)
  }

/** By its hash, so that no other branch can answer; a chain with hashes of its own is asked by the number. */
export const nameOf = ({ number, hash: of, raw }: Block) =>
  raw === null ? quantityOf(number) : { blockHash: hexOf(of), requireCanonical: true }

const nodes = z.array(bytes(64 * 1024)).max(64)

const proofAnswer = z.object({
  accountProof: nodes,
  codeHash: hash.optional(),
  storageHash: hash,
  storageProof: z.array(z.object({ value: quantity, proof: nodes })).max(16),
})

const emptyCode = bytesToHex(keccak_256(new Uint8Array()))

/** A block from before the contract was deployed. */
const isBefore = ({ codeHash: of }: z.output<typeof proofAnswer>): boolean =>
  of !== undefined && (bytesToHex(of) === emptyCode || of.every((byte) => byte === 0))

/** Before it was deployed there is nothing at its address, or an account without code. */
function requireNoContract(
  node: RpcNode,
  block: Block,
  contract: Uint8Array,
  accountNodes: readonly Uint8Array[],
): void {
  const key = keccak_256(contract)
  if (provesAbsence(block.stateRoot, key, accountNodes)) return
  const account = proven(node, () =>
    decodeRlp(provenValue(block.stateRoot, key, accountNodes, "the contract's account")),
  )
  const [, , , code] = isRlpBytes(account) ? [] : account
  if (isHash(code) && bytesToHex(code) === emptyCode) return
  throw lies(node.name, 'says that there is no contract, and does not prove it')
}

function rootOfStorage(
  node: RpcNode,
  block: Block,
  contract: Uint8Array,
  accountNodes: readonly Uint8Array[],
): Uint8Array {
  const value = proven(node, () =>
    provenValue(block.stateRoot, keccak_256(contract), accountNodes, "the contract's account"),
  )
  const account = proven(node, () => decodeRlp(value))
  const [, , storageRoot, code] = isRlpBytes(account) ? [] : account
  if (!isHash(storageRoot) || !isHash(code)) throw lies(node.name, 'proves no account')
  if (!equalBytes(code, codeHash)) {
    throw mismatch(
      `in block ${block.number} of ${node.name} the contract is not the anchor contract`,
      'Check the address of the contract in the configuration.',
    )
  }
  return storageRoot
}

function requireSlot(
  node: RpcNode,
  storageRoot: Uint8Array,
  slot: Uint8Array,
  word: Uint8Array,
  slotNodes: readonly Uint8Array[],
): void {
  const held = proven(node, () =>
    decodeRlp(provenValue(storageRoot, keccak_256(slot), slotNodes, "the gateway's slot")),
  )
  const significant = word.subarray(word.findIndex((byte) => byte !== 0))
  if (!isRlpBytes(held) || !equalBytes(held, significant)) {
    throw lies(node.name, 'shows a value that its own proof does not hold')
  }
}

const isHash = (item: unknown): item is Uint8Array =>
  item instanceof Uint8Array && item.length === 32

function proven<T>(node: RpcNode, prove: () => T): T {
  try {
    return prove()
  } catch (error) {
    if (error instanceof KedgeError) {
      throw lies(node.name, `gives a proof that does not hold: ${error.message}`)
    }
    throw error
  }
}
