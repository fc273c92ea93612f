import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, equalBytes } from '../bytes.ts'
import { KedgeError } from '../errors.ts'
import { decodeRlp, isRlpBytes } from '../rlp.ts'
import type { Checkpoint } from '../seal.ts'
import { checkpointHead } from '../seal.ts'
import {
  decodeAnchorProof,
  decodeHeadersProof,
  type EvmAnchorProof,
  type StateProof,
} from './evm-codec.ts'
import { type EvmHeader, readChain } from './evm-headers.ts'
import { readEvmPin } from './evm-pin.ts'
import { requireEvent } from './evm-receipt.ts'
import { headSlot } from './evm-slots.ts'
import { provenValue } from './evm-trie.ts'
import { contradiction, doubtOf, nameOf } from './evm-vouching.ts'
import type { Pin, ProofKind } from './proof.ts'

/** The anchor contract on an EVM chain (FORMAT.md section 7). */
export const evmProofs: ProofKind = {
  kind: 2,
  name: 'evm',
  heightOf: 'block',

  readPin: readEvmPin,

  judgeAnchor(bytes, checkpoint, pins = []) {
    try {
      const proof = decodeAnchorProof(bytes)
      const headers = readChain(proof.headers)
      const [header] = headers as [EvmHeader]
      const code = codeShown(proof, checkpoint, header)
      const isState = proof.form === 'state'
      const { ledgerId, mayBe, doubt } = pinned(bytesToHex(proof.contract), headers, pins)
      return {
        holds: true,
        ledgerId,
        mayBe,
        code,
        extensionsOnly: code !== null && extendingCodes.includes(code),
        timeMs: header.timeMs,
        height: header.number,
        isStanding: isState,
        note: doubt ?? (isState ? null : 'by its receipt alone, which does not show the code'),
      }
    } catch (error) {
      return refusal(error)
    }
  },

  judgeBeacon(bytes, beacon, pins = []) {
    try {
      const headers = readChain(decodeHeadersProof(bytes))
      const [{ number, hash, timeMs }] = headers as [EvmHeader]
      if (number !== beacon.height || !equalBytes(hash, beacon.hash)) {
        return { holds: false, why: 'the block is not the one that the header names' }
      }
      const ledgerId = bytesToHex(beacon.ledger)
      const chain = pins.find((pin) => pin.ledgerId === ledgerId)?.chain
      // A beacon names its ledger, so what is pinned of it can contradict; of an anchor it may be another chain's.
      const other = chain ? contradiction(chain, headers) : null
      if (other !== null) return { holds: false, why: other }
      return { holds: true, timeMs, doubt: chain ? doubtOf(chain, headers) : null }
    } catch (error) {
      return refusal(error)
    }
  },
}

/** Keccak-256 of the contracts, as compiled, that take only extensions of what they took before. */
export const extendingCodes: readonly string[] = [
  '527e329ba770bbdbe7aab026a6397843197897328450bb20798eecc0fc035c59',
]

function refusal(error: unknown): { readonly holds: false; readonly why: string } {
  if (error instanceof KedgeError) return { holds: false, why: error.message }
  throw error
}

/** The hash of the code that holds the head, or null where only its event is proved. Throws where neither is. */
function codeShown(proof: EvmAnchorProof, checkpoint: Checkpoint, header: EvmHeader) {
  if (proof.form === 'state') return codeHolding(proof, checkpoint, header)
  requireEvent(proof, checkpoint, header)
  return null
}

function codeHolding(proof: StateProof, checkpoint: Checkpoint, { stateRoot }: EvmHeader): string {
  const { contract, accountNodes, slotNodes } = proof
  const account = decodeRlp(
    provenValue(stateRoot, keccak_256(contract), accountNodes, "the contract's account"),
  )
  const [, , storageRoot, codeHash] = account
  const isAccount = !isRlpBytes(account) && account.length === 4
  if (!isAccount || !isHash(storageRoot) || !isHash(codeHash)) throw refused('no account is proved')
  const slot = keccak_256(headSlot(checkpoint.gateway, checkpoint.incarnation))
  const held = decodeRlp(provenValue(storageRoot, slot, slotNodes, "the gateway's slot"))
  const head = checkpointHead(checkpoint)
  const significant = head.subarray(head.findIndex((byte) => byte !== 0))
  if (!isRlpBytes(held) || !equalBytes(held, significant)) {
    throw refused('the contract held another head for this gateway')
  }
  return bytesToHex(codeHash)
}

const refused = (why: string) => new KedgeError('EVIDENCE_MALFORMED', why)

const isHash = (item: unknown): item is Uint8Array =>
  item instanceof Uint8Array && item.length === 32

/** Nothing in a proof binds the chain: it is that of the pin with this contract that vouches for the block. */
function pinned(contract: string, headers: readonly EvmHeader[], pins: readonly Pin[]) {
  const mayBe = pins.filter(({ chain }) => chain?.contract === contract)
  const last = headers.at(-1) as EvmHeader
  let doubt = `contract ${contract}, by ${nameOf(last)}`
  for (const { chain, ledgerId } of mayBe) {
    const its = chain ? doubtOf(chain, headers) : null
    if (its === null) return { ledgerId, mayBe: [], doubt: null }
    doubt = `contract ${contract}: ${its}`
  }
  return { ledgerId: null, mayBe: mayBe.map(({ ledgerId }) => ledgerId), doubt }
}
