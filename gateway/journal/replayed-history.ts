import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { historyHash, statementLeaf } from '../../anchor-client/evidence/merkle.ts'
import { decodeHeader } from '../../anchor-client/evidence/seal.ts'
import { emptyFrontier, grow, parentsOf } from './growing-tree.ts'
import type { JournalIdentity } from './journal.ts'
import { frontierFrom, unmendable } from './snapshots.ts'

/** The tree over the headers, as replay finds it again: every one of them must be of this gateway. */
export function openHistory(identity: JournalIdentity) {
  const hash = historyHash(identity.hashId)
  const parents = parentsOf(hash)
  let frontier = emptyFrontier()
  let lastHeader: Uint8Array | null = null

  function mustBeOurs(header: Uint8Array): void {
    const { gateway, incarnation } = decodeHeader(header)
    if (!equalBytes(gateway, identity.gateway) || incarnation !== identity.incarnation) {
      throw unmendable('the journal is of another gateway')
    }
  }

  return {
    get frontier() {
      return frontier
    },
    get lastHeader() {
      return lastHeader
    },
    /** What was before is summed up in these hashes. */
    beginAt(size: number, hashes: Uint8Array, header: Uint8Array): void {
      mustBeOurs(header)
      frontier = frontierFrom(size, hashes)
      lastHeader = header
    },
    add(header: Uint8Array): void {
      mustBeOurs(header)
      frontier = grow(hash, parents, frontier, statementLeaf(hash, header)).frontier
      lastHeader = header
    },
    /** Headers are missing: from here on it can only be read. */
    skipTo(size: number): void {
      frontier = { subtrees: [], size }
    },
  }
}
