import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { word } from './evm-abi.ts'

/** Where the anchor contract keeps an incarnation, as its README says and not as its source does. */
export function historySlot(
  gateway: Uint8Array,
  incarnation: number,
  slot: number,
  hash: (bytes: Uint8Array) => Uint8Array = keccak_256,
): Uint8Array {
  const ofGateway = hash(concat(gateway, word(0n)))
  const base = hash(concat(word(BigInt(incarnation)), ofGateway))
  return word(toBigInt(base) + BigInt(slot))
}

/** What a fork report is called: the hash of the words that it is made of. */
export const reportOf = (size: number, ...pairs: readonly (readonly Uint8Array[])[]): Uint8Array =>
  keccak_256(concat(word(BigInt(size)), ...pairs.flat()))

export interface Packed {
  readonly size: number
  readonly lastBlock: number
  readonly cadence: number
  readonly hashId: number
  readonly standing: number
}

/** Slot 1, from its lowest bytes up. */
export function readPacked(slot: Uint8Array): Packed {
  const bits = toBigInt(slot)
  const field = (shift: bigint, width: bigint) => Number((bits >> shift) & ((1n << width) - 1n))
  return {
    size: field(0n, 64n),
    lastBlock: field(64n, 64n),
    cadence: field(128n, 32n),
    hashId: field(160n, 8n),
    standing: field(168n, 8n),
  }
}

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
