import { bytesToHex } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { evmProofs } from '../../evidence/proofs/evm.ts'
import type { LedgerHealth, LedgerIdentity } from '../ledger.ts'
import { codeHash } from './contract.ts'
import { feeOf, tooCheap } from './fees.ts'
import { finalityWords, pinnedConfirmations } from './finality.ts'
import type { Known } from './introduction.ts'
import { isOutage } from './rpc/failures.ts'
import type { EvmParts } from './standing.ts'

/** What a chain says of itself: who it is, and whether it is well. */

export function describedBy(
  { options, contract }: EvmParts,
  { genesis, hashIds, signers }: Known,
  ledgerId: Uint8Array,
): LedgerIdentity {
  const lists = signers.size === 0 ? [] : [{ from: 0, addresses: [...signers].toSorted() }]
  return {
    state: 'described',
    ledgerId,
    pin: {
      kind: evmProofs.name,
      chainId: options.chainId,
      genesis: bytesToHex(genesis),
      contract: bytesToHex(contract),
      codeHash: bytesToHex(codeHash),
      signers: lists,
      blocks: [],
      ...(signers.size > 0 && { confirmations: pinnedConfirmations(options.confirmations) }),
    },
    hashIds,
    finality: finalityWords(options),
  }
}

export async function healthOf(
  { chain, options, account, nowMs }: EvmParts,
  signal: AbortSignal,
): Promise<LedgerHealth> {
  try {
    const { node, head } = await chain.view(signal)
    const now = nowMs()
    const ageMs = now === null ? 0 : now - head.timeMs
    const isStalled = ageMs > options.stalledAfterMs
    const cheap = account && tooCheap(feeOf(options), head)
    const lost = chain.notes()
    const age = `the newest block ${head.number} of ${node.name} is ${Math.round(ageMs / 1000)} s old`
    const notes = [
      ...(isStalled ? [`the chain stands still: ${age}`] : []),
      ...(cheap ? [cheap] : []),
      ...lost,
    ]
    const isWell = !isStalled && !cheap && lost.length === 0
    return { isWell, notes, height: head.number, timeMs: head.timeMs }
  } catch (error) {
    signal.throwIfAborted()
    const why = error instanceof Error ? error.message : String(error)
    if (!isOutage(error) && !(error instanceof KedgeError)) throw error
    return { isWell: false, notes: [why, ...chain.notes()], height: null, timeMs: null }
  }
}
