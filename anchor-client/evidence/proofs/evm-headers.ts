import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, equalBytes } from '../bytes.ts'
import { KedgeError } from '../errors.ts'
import { decodeRlp, encodeRlp, isRlpBytes, type RlpItem, readRlpUint } from '../rlp.ts'

/** What is read of a block's header; the hash binds the rest. */
export interface EvmHeader {
  readonly hash: Uint8Array
  readonly parentHash: Uint8Array
  readonly stateRoot: Uint8Array
  readonly receiptsRoot: Uint8Array
  readonly number: number
  readonly timeMs: number
  readonly items: readonly Uint8Array[]
}

/** The block and those that confirm it, each the parent of the next. Throws `EVIDENCE_MALFORMED`. */
export function readChain(raw: readonly Uint8Array[]): EvmHeader[] {
  const headers = raw.map(readHeader)
  for (const [i, header] of headers.entries()) {
    const parent = headers[i - 1]
    if (parent === undefined) continue
    const isNext = header.number === parent.number + 1
    if (!isNext || !equalBytes(header.parentHash, parent.hash)) {
      throw refused(`header ${i} does not follow on block ${parent.number}`)
    }
  }
  return headers
}

/** The address that sealed a header by the rules of Clique, in hex; null where it bears no such seal. */
export function sealerOf({ items }: EvmHeader): string | null {
  const extra = items[extraDataAt] as Uint8Array
  if (extra.length < vanityBytes + sealBytes) return null
  const seal = extra.subarray(extra.length - sealBytes)
  const unsealed = items.with(extraDataAt, extra.subarray(0, extra.length - sealBytes))
  return addressOf(seal, keccak_256(encodeRlp(unsealed)))
}

/** From London on there are 16 items, later forks append; before it there is no base fee. */
const leastItems = 15
const mostItems = 32
const numberAt = 8
const timestampAt = 11
const extraDataAt = 12
/** The end of the year 9999, as of every wall time. */
const latestSeconds = 253402300799
const vanityBytes = 32
/** r, s and which of the two points it was. */
const sealBytes = 65

const refused = (why: string) => new KedgeError('EVIDENCE_MALFORMED', why)

function readHeader(bytes: Uint8Array, position: number): EvmHeader {
  const items = decodeRlp(bytes)
  const isHeader =
    !isRlpBytes(items) && items.length >= leastItems && items.length <= mostItems && isFlat(items)
  if (!isHeader) throw refused(`header ${position} is not a list of ${leastItems} or more values`)
  const [parentHash, , , stateRoot, , receiptsRoot] = items
  const number = readRlpUint(items[numberAt])
  const seconds = readRlpUint(items[timestampAt])
  if (![parentHash, stateRoot, receiptsRoot].every((hash) => hash?.length === 32)) {
    throw refused(`header ${position} lacks a hash`)
  }
  if (number === undefined || seconds === undefined || seconds > latestSeconds) {
    throw refused(`header ${position} has no number or no time that can be`)
  }
  return {
    hash: keccak_256(bytes),
    parentHash: parentHash as Uint8Array,
    stateRoot: stateRoot as Uint8Array,
    receiptsRoot: receiptsRoot as Uint8Array,
    number,
    timeMs: seconds * 1000,
    items,
  }
}

const isFlat = (items: readonly RlpItem[]): items is readonly Uint8Array[] =>
  items.every(isRlpBytes)

function addressOf(seal: Uint8Array, digest: Uint8Array): string | null {
  const point = seal[64] as number
  if (point > 1) return null
  try {
    const signature = secp256k1.Signature.fromBytes(seal.subarray(0, 64)).addRecoveryBit(point)
    // Of the two that are good, only the one that signers make: else a seal could be written in two ways.
    if (signature.hasHighS()) return null
    const key = signature.recoverPublicKey(digest).toBytes(false)
    return bytesToHex(keccak_256(key.subarray(1)).subarray(12))
  } catch {
    // No point of the curve, or not in range.
    return null
  }
}
