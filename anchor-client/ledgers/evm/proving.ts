import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import type { Beacon } from '../../evidence/model.ts'
import { evmProofs } from '../../evidence/proofs/evm.ts'
import { encodeHeadersProof, encodeStateProof, evmLimits } from '../../evidence/proofs/evm-codec.ts'
import { evmLedgerId } from '../../evidence/proofs/evm-ledger-id.ts'
import { headSlot } from '../../evidence/proofs/evm-slots.ts'
import { type Checkpoint, checkpointHead } from '../../evidence/seal.ts'
import type { Proved, Unknown } from '../ledger.ts'
import { type AnchorEvent, earlierAnchor, lastAnchor } from './anchors.ts'
import type { Block } from './blocks.ts'
import type { View } from './chain.ts'
import { confirming } from './finality.ts'
import { lies } from './lies.ts'
import { encodeReceipt } from './receipts.ts'
import { anchorsOf, type EvmParts, type Standing, standingOf } from './standing.ts'
import { proveSlots } from './storage.ts'

/** Proofs for the evidence: of the state where the node still has it, else of the event. */

const absent = { state: 'absent' } as const
const unknown = (why: string): Unknown => ({ state: 'unknown', why })

export async function proveAnchor(
  parts: EvmParts,
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<Proved> {
  const standing = await standingOf(parts, checkpoint, signal)
  const { view, atHead, atFinal } = standing
  if (!atFinal.isAdmitted || atFinal.hashId !== checkpoint.hashId) return absent
  if (atFinal.size < checkpoint.size) {
    return atHead.size < checkpoint.size ? absent : unknown('its block is not final yet')
  }
  const of = anchorsOf(parts, view, view.final)
  const found =
    atFinal.size === checkpoint.size
      ? await lastAnchor(of, checkpoint, atFinal, signal)
      : await earlierAnchor(of, checkpoint, atFinal, checkpoint.size, signal)
  if (!found || !equalBytes(found.anchored.head, checkpointHead(checkpoint))) return absent
  const proof =
    (await byState(parts, checkpoint, standing, found, signal)) ??
    (await byReceipt(parts, standing, found, signal))
  if (!(proof instanceof Uint8Array)) return proof
  const judged = evmProofs.judgeAnchor(proof, checkpoint, [])
  if (!judged.holds) throw lies(view.node.name, `gives a proof that does not hold: ${judged.why}`)
  return { state: 'proved', kind: evmProofs.kind, proof }
}

/** At the anchor's own block, or where that is too old for the node, at the newest one that still holds the head. */
async function byState(
  parts: EvmParts,
  checkpoint: Checkpoint,
  { view, atFinal }: Standing,
  { block: own }: AnchorEvent,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const { contract } = parts
  const { node, final } = view
  const slot = headSlot(checkpoint.gateway, checkpoint.incarnation)
  const isNewest = atFinal.size === checkpoint.size && final.number > own.number
  for (const block of isNewest ? [own, final] : [own]) {
    const headers = await headersFrom(parts, view, block, signal)
    if (!Array.isArray(headers)) continue
    const proof = await proveSlots({ node, contract, block }, [slot], signal)
    const [held] = proof?.slots ?? []
    if (!proof || !held) continue
    const { accountNodes } = proof
    if (!equalBytes(held.word, checkpointHead(checkpoint))) {
      throw lies(node.name, `shows another head in block ${block.number} than its event says`)
    }
    return encodeStateProof({ contract, accountNodes, slotNodes: held.nodes, headers })
  }
  return null
}

async function byReceipt(
  parts: EvmParts,
  { view }: Standing,
  { block, event }: AnchorEvent,
  signal: AbortSignal,
): Promise<Uint8Array | Unknown> {
  const headers = await headersFrom(parts, view, block, signal)
  if (!Array.isArray(headers)) return headers
  return encodeReceipt(view.node, parts.contract, block, event, headers, signal)
}

/** The block and as many over it as a verifier needs. */
async function headersFrom(
  { chain, options }: EvmParts,
  view: View,
  block: Block,
  signal: AbortSignal,
): Promise<Uint8Array[] | Unknown> {
  const { signers } = view.known
  const most = options.finality === 'clique' ? evmLimits.headers : 1
  const blocks: Block[] = []
  for (let number = block.number; blocks.length < most && number <= view.head.number; number++) {
    const next = number === block.number ? block : await chain.blockAt(view, number, signal)
    if (blocks.length > 0 && !equalBytes(next.parentHash, (blocks.at(-1) as Block).hash)) {
      return unknown(`another branch took the place of block ${number - 1}`)
    }
    blocks.push(next)
    const enough = confirming(blocks, options, signers)
    if (enough === null) continue
    const headers = enough.flatMap(({ raw }) => raw ?? [])
    if (headers.length === enough.length) return headers
    return unknown('this chain hashes its headers in a way of its own, and nothing of it is proved')
  }
  return unknown(`block ${block.number} is not sealed over by enough signers`)
}

export const ledgerIdOf = ({ chain, options, contract }: EvmParts): Uint8Array | null => {
  const { genesis } = chain.known() ?? {}
  return genesis ? evmLedgerId({ chainId: options.chainId, genesis, contract }) : null
}

export async function proveBeacon(
  parts: EvmParts,
  { ledger, height, hash }: Beacon,
  signal: AbortSignal,
): Promise<Proved> {
  const view = await parts.chain.view(signal)
  const own = ledgerIdOf(parts)
  if (own === null || bytesToHex(own) !== bytesToHex(ledger)) return absent
  if (height > view.final.number) return absent
  const block = await parts.chain.blockAt(view, height, signal)
  if (!equalBytes(block.hash, hash)) return absent
  const headers = await headersFrom(parts, view, block, signal)
  if (!Array.isArray(headers)) return headers
  return { state: 'proved', kind: evmProofs.kind, proof: encodeHeadersProof(headers) }
}
