import {
  type Cursor,
  decodeWhole,
  malformed,
  readBytes,
  readCount,
  readFixedBytes,
  readTuple,
  readUint,
} from '../codec.ts'
import { encode } from '../encode.ts'

/** The bytes of proofs of kind 2 (FORMAT.md section 7). What they hold is RLP, and judged in `evm.ts`. */

/** The contract held the head: its account under the state root of the first header, and the slot under the account. */
export interface StateProof {
  readonly contract: Uint8Array
  /** From the root down, as `eth_getProof` gives them. */
  readonly accountNodes: readonly Uint8Array[]
  readonly slotNodes: readonly Uint8Array[]
  /**
   * The block, then each that follows, as raw RLP. The last one must be sealed by a pinned signer or be a pinned
   * block, as nothing else would bind its bytes: carry no more than it takes.
   */
  readonly headers: readonly Uint8Array[]
}

/** The contract said so: its event in a receipt under the receipts root of the first header. */
export interface ReceiptProof {
  readonly contract: Uint8Array
  /** Of the transaction in its block. */
  readonly index: number
  /** From the root down; the last holds the receipt. */
  readonly receiptNodes: readonly Uint8Array[]
  /** Of the event among the receipt's own, counted from 0: a node's `logIndex` counts through the block. */
  readonly logIndex: number
  readonly headers: readonly Uint8Array[]
}

export type EvmAnchorProof =
  | ({ readonly form: 'state' } & StateProof)
  | ({ readonly form: 'receipt' } & ReceiptProof)

export const evmLimits = {
  proofBytes: 1024 * 1024,
  /** Of an account's or a slot's trie. */
  nodeBytes: 1024,
  nodes: 64,
  /** A receipt lies in its node whole. */
  receiptNodeBytes: 64 * 1024,
  receiptNodes: 16,
  headerBytes: 16 * 1024,
  headers: 128,
  /** Of transactions in a block, of events in a receipt. */
  index: 0xffffff,
} as const

export const encodeStateProof = (of: StateProof): Uint8Array =>
  encode([byState, of.contract, of.accountNodes, of.slotNodes, of.headers])

export const encodeReceiptProof = (of: ReceiptProof): Uint8Array =>
  encode([byReceipt, of.contract, of.index, of.receiptNodes, of.logIndex, of.headers])

/** Of a beacon: the first header is the one that it names. */
export const encodeHeadersProof = (headers: readonly Uint8Array[]): Uint8Array => encode([headers])

/** Throws `EVIDENCE_MALFORMED`. */
export const decodeAnchorProof = (proof: Uint8Array): EvmAnchorProof =>
  decodeLimited(proof, readAnchor)

/** Throws `EVIDENCE_MALFORMED`. */
export const decodeHeadersProof = (proof: Uint8Array): Uint8Array[] =>
  decodeLimited(proof, (cursor) => {
    readTuple(cursor, 1, "a beacon's proof")
    return readHeaders(cursor)
  })

const byState = 1
const byReceipt = 2
const addressBytes = 20

function decodeLimited<T>(proof: Uint8Array, read: (cursor: Cursor) => T): T {
  if (proof.length > evmLimits.proofBytes) {
    throw malformed({ bytes: proof, at: 0 }, `a proof of at most ${evmLimits.proofBytes} bytes`)
  }
  return decodeWhole(proof, read)
}

function readAnchor(cursor: Cursor): EvmAnchorProof {
  const elements = readCount(cursor, 5, 6, 'elements of a proof')
  const form = readUint(cursor)
  if (form !== (elements === 5 ? byState : byReceipt)) {
    throw malformed(cursor, 'a proof by state or by receipt')
  }
  const contract = readFixedBytes(cursor, addressBytes)
  const { nodeBytes, nodes, receiptNodeBytes, receiptNodes } = evmLimits
  if (form === byState) {
    return {
      form: 'state',
      contract,
      accountNodes: readEach(cursor, nodes, nodeBytes, 'trie nodes'),
      slotNodes: readEach(cursor, nodes, nodeBytes, 'trie nodes'),
      headers: readHeaders(cursor),
    }
  }
  return {
    form: 'receipt',
    contract,
    index: readUint(cursor, evmLimits.index),
    receiptNodes: readEach(cursor, receiptNodes, receiptNodeBytes, 'trie nodes'),
    logIndex: readUint(cursor, evmLimits.index),
    headers: readHeaders(cursor),
  }
}

const readHeaders = (cursor: Cursor): Uint8Array[] =>
  readEach(cursor, evmLimits.headers, evmLimits.headerBytes, 'headers')

function readEach(cursor: Cursor, most: number, mostBytes: number, what: string): Uint8Array[] {
  const each: Uint8Array[] = []
  for (let left = readCount(cursor, 1, most, what); left > 0; left--) {
    const bytes = readBytes(cursor)
    if (bytes.length > mostBytes) throw malformed(cursor, `${what} of at most ${mostBytes} bytes`)
    each.push(bytes)
  }
  return each
}
