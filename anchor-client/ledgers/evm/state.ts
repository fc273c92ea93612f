import { keccak_256 } from '@noble/hashes/sha3.js'
import { word } from '../../contracts/abi.ts'
import { concat } from '../../evidence/bytes.ts'
import type { HashId } from '../../evidence/model.ts'
import { headSlot } from '../../evidence/proofs/evm-slots.ts'
import { lies } from './lies.ts'
import { hexOf } from './rpc/values.ts'
import { type Held, readSlots } from './storage.ts'

/** What the contract holds of one incarnation in one block, by its storage and never by a receipt. */
export interface Incarnation {
  /** Whether the gateway has any incarnation. */
  readonly isRegistered: boolean
  readonly isAdmitted: boolean
  /** Zeros while nothing is anchored. */
  readonly head: Uint8Array
  readonly size: number
  /** Of the last anchor; of the admission, while nothing is anchored. */
  readonly lastBlock: number
  readonly hashId: HashId
  readonly stands: 'open' | 'closed' | 'frozen'
  /** By a fork that the registrar has confirmed, whether or not it is closed as well. */
  readonly isFrozen: boolean
  readonly account: Uint8Array
  /** The header that named the key in use, or null while that is the admitted one. */
  readonly rotatedIn: number | null
  readonly keyId: Uint8Array
  readonly admission: Uint8Array
  readonly offer: Uint8Array
}

export interface Subject {
  readonly gateway: Uint8Array
  readonly incarnation: number
}

export async function readIncarnation(
  held: Held,
  { gateway, incarnation }: Subject,
  signal: AbortSignal,
): Promise<Incarnation> {
  const base = BigInt(hexOf(headSlot(gateway, incarnation)))
  const slots = [0n, 1n, 2n, 3n, 4n, 5n].map((i) => word(base + i))
  const newest = keccak_256(concat(gateway, word(1n)))
  const words = await readSlots(held, [...slots, newest], signal)
  const [head, packed, owner, keyId, admission, offer, last] = words as SevenWords
  const field = (word: Uint8Array, from: number, width: number) =>
    BigInt(hexOf(word.subarray(32 - from - width, 32 - from)))
  const standing = Number(field(packed, 21, 1))
  const rotatedBy = field(owner, 20, 8)
  const numbers = [field(packed, 0, 8), field(packed, 8, 8), rotatedBy]
  if (numbers.some((value) => value > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw lies(held.node.name, 'shows numbers that the contract never holds')
  }
  return {
    isRegistered: last.some((byte) => byte !== 0),
    isAdmitted: standing !== 0,
    head,
    size: Number(numbers[0]),
    lastBlock: Number(numbers[1]),
    hashId: field(packed, 20, 1) === 1n ? 1 : 2,
    stands: standsBy(standing),
    isFrozen: (standing & 4) !== 0,
    account: owner.subarray(12),
    rotatedIn: rotatedBy === 0n ? null : Number(rotatedBy) - 1,
    keyId,
    admission,
    offer,
  }
}

/** The block in which a fork was reported, or 0. */
export async function readReport(
  held: Held,
  { gateway, incarnation }: Subject,
  report: Uint8Array,
  signal: AbortSignal,
): Promise<number> {
  const ofGateway = keccak_256(concat(gateway, word(2n)))
  const ofIncarnation = keccak_256(concat(word(BigInt(incarnation)), ofGateway))
  const [seenIn] = await readSlots(held, [keccak_256(concat(report, ofIncarnation))], signal)
  return Number(BigInt(hexOf(seenIn as Uint8Array)) & 0xffff_ffff_ffffn)
}

type SevenWords = [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

/** A revoked one takes nothing more either, and never will. */
const standsBy = (standing: number): Incarnation['stands'] =>
  (standing & (2 | 8)) !== 0 ? 'closed' : (standing & 4) !== 0 ? 'frozen' : 'open'
