import { z } from 'zod'
import { bytesToHex, hexToBytes } from '../../../evidence/bytes.ts'

/** Numbers and bytes as JSON-RPC writes them, in and out. */

export const hexOf = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`

export const quantityOf = (value: number | bigint): string => `0x${value.toString(16)}`

/** Some nodes write leading zeros. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((hex) => BigInt(hex))

/** A height, a size, a count: never as large as would lose digits. */
export const count = quantity
  .refine((value) => value <= BigInt(Number.MAX_SAFE_INTEGER))
  .transform(Number)

export const bytes = (most: number) =>
  z
    .string()
    .max(2 + 2 * most)
    .regex(/^0x(?:[0-9a-fA-F]{2})*$/)
    .transform((hex) => hexToBytes(hex.slice(2).toLowerCase()))

const fixedBytes = (length: number) => bytes(length).refine((value) => value.length === length)

export const hash = fixedBytes(32)
export const address = fixedBytes(20)
