import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat, u64 } from '../bytes.ts'

/**
 * Where the contract keeps an incarnation (FORMAT.md section 7): the first of its slots, which holds the head.
 */
export const headSlot = (gateway: Uint8Array, incarnation: number): Uint8Array =>
  keccak_256(concat(word(incarnation), keccak_256(concat(gateway, word(0)))))

/** A whole number up to 2^53 − 1 as the EVM keeps it: 32 bytes, big-endian. */
export const word = (value: number): Uint8Array => concat(new Uint8Array(24), u64(value))
