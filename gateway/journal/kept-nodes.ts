/** Complete nodes of trees, as they were kept with the seals; where one is gone, from what is below it. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import {
  type Hash,
  hashAt,
  historyHash,
  nodeHash,
  statementLeaf,
} from '../../anchor-client/evidence/merkle.ts'
import type { StoredLeaf } from './frame.ts'
import { emptyFrontier, grow, keptLevel, placeOfNode, sm3Parents } from './growing-tree.ts'
import type { JournalReader } from './journal-reader.ts'
import { leafHashes } from './leaf-hashes.ts'
import type { SealedSegment, SealRow } from './seal-row.ts'
import type { NodeAt } from './tree-proofs.ts'

export interface Seals extends Pick<JournalReader, 'sealsFrom' | 'leaves'> {
  /** Undefined where it is gone with its copy. */
  sealIfThere(seq: number): Promise<SealRow | undefined>
}

export function streamNodesOf({ sealsFrom, leaves }: Seals, stream: number): NodeAt {
  const node: NodeAt = async (low, high) => {
    for await (const { segment } of sealsFrom(stream, high)) {
      const { from, size, nodes } = segment
      const place = placeOfNode(from, size, low, high)
      if (place >= 0) return hashAt(nodes, place)
      const inTail = tailNode(segment, low, high)
      if (inTail) return inTail
      break
    }
    if (high - low > 2 ** keptLevel) return halves(historyHash(1), node, low, high)
    const found: StoredLeaf[] = []
    for await (const { index: at, leaf } of leaves(stream, low, high)) {
      if (leaf === null) throw damaged(`leaf ${at} of stream ${stream} is gone`)
      found.push(leaf)
    }
    return grow(historyHash(1), sm3Parents, emptyFrontier(), leafHashes(found)).root
  }
  return node
}

export function historyNodesOf({ sealIfThere }: Seals, hash: Hash): NodeAt {
  const historyNodes: NodeAt = async (low, high) => {
    const last = await sealIfThere(high - 1)
    if (last) {
      const place = placeOfNode(last.seq, last.seq + 1, low, high)
      if (place >= 0) return hashAt(last.historyNodes, place)
    }
    if (high - low > 1) return halves(hash, historyNodes, low, high)
    const header = last?.header ?? (await sealIfThere(high))?.headerBefore
    if (!header) throw damaged(`seal ${low} is gone`)
    return statementLeaf(hash, header)
  }
  return historyNodes
}

async function halves(hash: Hash, node: NodeAt, low: number, high: number): Promise<Uint8Array> {
  const middle = (low + high) / 2
  return nodeHash(hash, await node(low, middle), await node(middle, high))
}

/** A subtree at the end of a sealed stream that is smaller than what is kept for good. */
function tailNode({ size, tail }: SealedSegment, low: number, high: number) {
  let at = size - (size % 16)
  for (let width = 8, i = 0; width >= 1; width /= 2) {
    if ((size & width) === 0) continue
    if (at === low && at + width === high) return hashAt(tail, i)
    at += width
    i++
  }
  return undefined
}

export const damaged = (what: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', what, { hint: 'kedge store check says what is damaged.' })
