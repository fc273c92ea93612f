import { bytesToHex } from '../bytes.ts'
import { type EvmHeader, sealerOf } from './evm-headers.ts'
import type { PinnedChain, SignerList } from './evm-pin.ts'

/**
 * Why what is pinned does not vouch for the first of these blocks, or null where it does: the last of them is a
 * pinned block, or enough of its signers sealed them, with as many blocks over it as trust asks for. Either binds every
 * byte of the headers. Honest signers of Clique may seal two branches, one after the other, so that only blocks over
 * it make it unlikely that it went away.
 */
export function doubtOf(chain: PinnedChain, headers: readonly EvmHeader[]): string | null {
  const { blocks, signers, confirmations } = chain
  const other = contradiction(chain, headers)
  if (other !== null) return other
  const last = headers.at(-1) as EvmHeader
  if (blocks.has(last.number)) return null
  if (signers.length === 0) return `${nameOf(last)} is neither sealed checkably nor pinned`
  const lists = headers.map(({ number }) => listAt(signers, number))
  const needed = Math.max(...lists.map((list) => Math.floor((list?.size ?? 0) / 2) + 1))
  const sealerOfLast = sealerIn(lists.at(-1), last)
  if (sealerOfLast === null) {
    return `${nameOf(last)} is neither sealed by a pinned signer nor pinned`
  }
  const [first] = headers as [EvmHeader]
  const over = headers.slice(1, confirmations + 1)
  const isConfirmed =
    over.length === confirmations &&
    over.every((header, i) => header === last || sealerIn(lists[i + 1], header) !== null)
  if (!isConfirmed) {
    return `trust asks for ${confirmations} blocks of its signers over block ${first.number}, and ${nameOf(last)} is the last that is shown`
  }
  const sealers = new Set<string>()
  for (const [i, header] of headers.slice(0, windowOf(needed)).entries()) {
    const sealer = header === last ? sealerOfLast : sealerIn(lists[i], header)
    if (sealer !== null) sealers.add(sealer)
    if (sealers.size === needed) return null
  }
  const stretch = `from block ${first.number} up to ${nameOf(last)}`
  return `${sealers.size} of the pinned signers sealed, and it takes ${needed}, ${stretch}`
}

/** Clique lets nobody seal twice in so many blocks as are needed; twice as many leave room where the list changes. */
const windowOf = (needed: number): number => 2 * needed

/** Where a block that is pinned is another than the one of its height here. */
export function contradiction(
  { blocks }: PinnedChain,
  headers: readonly EvmHeader[],
): string | null {
  const other = headers.find(({ number, hash }) => (blocks.get(number) ?? hex(hash)) !== hex(hash))
  return other ? `block ${other.number} is not the one that trust pins` : null
}

/** So that a person can ask a node of their own for it, and pin it. */
export const nameOf = ({ number, hash }: EvmHeader): string => `block ${number} (${hex(hash)})`

const hex = bytesToHex

const listAt = (signers: readonly SignerList[], number: number) =>
  signers.findLast(({ from }) => from <= number)?.addresses

/** Turn and difficulty are left to the signers, who build on no block that breaks those rules. */
function sealerIn(list: ReadonlySet<string> | undefined, header: EvmHeader): string | null {
  const sealer = list === undefined ? null : sealerOf(header)
  return sealer !== null && list?.has(sealer) ? sealer : null
}
