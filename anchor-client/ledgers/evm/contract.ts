import { keccak_256 } from '@noble/hashes/sha3.js'
import { abiItem, decodeValues, encodeCall } from '../../contracts/abi.ts'
import { readArtefact } from '../../contracts/artefact.ts'
import { bytesToHex, hexToBytes } from '../../evidence/bytes.ts'
import type { HashId } from '../../evidence/model.ts'
import { lies, mismatch } from './lies.ts'
import type { RpcNode } from './rpc/node.ts'
import { bytes, hexOf } from './rpc/values.ts'

/** The anchor contract as a node shows it at its newest block. */
export interface Contract {
  readonly address: Uint8Array
  readonly registrar: Uint8Array
  readonly hashIds: readonly HashId[]
}

const artefact = readArtefact()
export const codeHash = hexToBytes(artefact.codeHash.keccak256)

const mostCode = 64 * 1024

export async function readContract(
  node: RpcNode,
  address: Uint8Array,
  signal: AbortSignal,
): Promise<Contract> {
  const code = await codeAt(node, address, signal)
  const name = hexOf(address)
  if (code.length === 0) {
    throw mismatch(
      `there is no contract at ${name} on the chain of ${node.name}`,
      'Check contract and chainId of this ledger in the configuration.',
    )
  }
  const hash = bytesToHex(keccak_256(code))
  if (hash !== artefact.codeHash.keccak256) {
    throw mismatch(
      `the contract at ${name} has code ${hash.slice(0, 16)}…, not that of the anchor contract`,
      'Check its address; anchor-client/contracts/README.md says how ours is deployed.',
    )
  }
  const [registrar] = await call(node, address, 'registrar', signal)
  const [isSm3] = await call(node, address, 'computesSm3', signal)
  return { address, registrar: registrar as Uint8Array, hashIds: isSm3 === true ? [1, 2] : [2] }
}

export const hasCode = async (node: RpcNode, address: Uint8Array, signal: AbortSignal) =>
  (await codeAt(node, address, signal)).length > 0

const codeAt = (node: RpcNode, address: Uint8Array, signal: AbortSignal) =>
  node.ask(
    { method: 'eth_getCode', params: [hexOf(address), 'latest'], answer: bytes(mostCode) },
    signal,
  )

async function call(node: RpcNode, to: Uint8Array, name: string, signal: AbortSignal) {
  const item = abiItem(artefact.abi, name)
  const params = [{ to: hexOf(to), data: hexOf(encodeCall(item, [])) }, 'latest']
  const returned = await node.ask({ method: 'eth_call', params, answer: bytes(1024) }, signal)
  try {
    return decodeValues(item.outputs ?? [], returned)
  } catch {
    // The code at this address always gives as much as its interface says.
    throw lies(node.name, `answers for ${name} of the contract what its code never gives`)
  }
}
