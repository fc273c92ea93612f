import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat, equalBytes, utf8 } from '../bytes.ts'
import { KedgeError } from '../errors.ts'
import { decodeRlp, encodeRlp, isRlpBytes, type RlpItem, rlpUint } from '../rlp.ts'
import { type Checkpoint, checkpointHead } from '../seal.ts'
import type { ReceiptProof } from './evm-codec.ts'
import type { EvmHeader } from './evm-headers.ts'
import { word } from './evm-slots.ts'
import { provenValue } from './evm-trie.ts'

/**
 * That the contract said, in a transaction that succeeded, that it took this checkpoint. Which code said so is not
 * shown, nor that it still holds the head. Throws `EVIDENCE_MALFORMED` where it is not so.
 */
export function requireEvent(
  { contract, index, receiptNodes, logIndex }: ReceiptProof,
  checkpoint: Checkpoint,
  { receiptsRoot }: EvmHeader,
): void {
  const key = encodeRlp(rlpUint(index))
  const receipt = readReceipt(provenValue(receiptsRoot, key, receiptNodes, 'the receipt'))
  const [status, , , logs] = receipt
  const succeeded = isRlpBytes(status) && status.length === 1 && status[0] === 1
  if (!succeeded) throw refused('the transaction of the receipt failed')
  const log = isRlpBytes(logs) ? undefined : logs?.[logIndex]
  if (log === undefined || isRlpBytes(log) || log.length !== 3) {
    throw refused(`the receipt has no event ${logIndex}`)
  }
  const [address, topics, content] = log
  if (!isRlpBytes(address) || !equalBytes(address, contract)) {
    throw refused('the event is of another contract')
  }
  if (!isRlpBytes(content) || content.length !== contentBytes || !isOf(topics, checkpoint)) {
    throw refused('the event is not of this gateway, incarnation and size')
  }
  const said = concat(checkpointHead(checkpoint), checkpoint.root)
  if (!equalBytes(content.subarray(0, 64), said)) throw refused('the event is of another root')
}

const anchored = keccak_256(
  utf8('Anchored(bytes32,uint32,uint64,bytes32,bytes32,uint64,bytes32[2])'),
)

/** Head, root, the size before, r and s: the last three are the business of who reads all events. */
const contentBytes = 5 * 32

const refused = (why: string) => new KedgeError('EVIDENCE_MALFORMED', why)

/** All but those of the first kind of transaction say their kind in a byte before the list. */
function readReceipt(value: Uint8Array): readonly RlpItem[] {
  const first = value[0] ?? 0
  const isTyped = first > 0 && first < 0x80
  const receipt = decodeRlp(isTyped ? value.subarray(1) : value)
  if (isRlpBytes(receipt) || receipt.length !== 4) throw refused('no receipt is proved')
  return receipt
}

function isOf(topics: RlpItem | undefined, { gateway, incarnation, size }: Checkpoint): boolean {
  const expected = [anchored, gateway, word(incarnation), word(size)]
  return (
    topics !== undefined &&
    !isRlpBytes(topics) &&
    topics.length === expected.length &&
    topics.every((topic, i) => isRlpBytes(topic) && equalBytes(topic, expected[i] as Uint8Array))
  )
}
