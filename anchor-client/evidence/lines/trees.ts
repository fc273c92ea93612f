import { bytesToHex, compareBytes, equalBytes } from '../bytes.ts'
import {
  append,
  appendNodes,
  type Frontier,
  frontierOf,
  frontierRoot,
  hashAt,
  hashCount,
  historyHash,
  leadsTo,
  rootBeyond,
  statementLeaf,
} from '../merkle.ts'
import type { EvidenceFile, FileStream, Range, Seal, SealSegment } from '../model.ts'
import { encodeSegment } from '../seal.ts'
import { sm3 } from '../sm3.ts'
import { sm3Batch } from '../sm3-batch.ts'
import { streamTag } from '../stream.ts'
import { type SealedStream, sealedStreams } from './claim.ts'
import { countOf, type Finding, failOnFirst } from './finding.ts'
import { blockLeaves, hashedLeaves } from './leaf-hashes.ts'

/** Lines 3 and 5 to 7: every name and every root that the file carries is recomputed and compared. */

export const streamNameLine = ({ streams }: EvidenceFile): Finding =>
  failOnFirst(nameFaults(streams), () => {
    const { gateway, incarnation } = (streams[0] as FileStream).descriptor
    const who = `gateway ${bytesToHex(gateway).slice(0, 16)}…, incarnation ${incarnation}`
    return `${countOf(streams.length, 'stream')} of ${who}`
  })

function* nameFaults(streams: readonly FileStream[]): Iterable<string> {
  const [first] = streams as [FileStream]
  for (const { tag, descriptorBytes, descriptor } of streams) {
    if (!equalBytes(streamTag(descriptorBytes), tag)) {
      yield `${descriptor.source}: the description does not belong to this stream's tag`
    }
    const { gateway, incarnation } = first.descriptor
    if (!equalBytes(descriptor.gateway, gateway) || descriptor.incarnation !== incarnation) {
      yield `${descriptor.source} is of another gateway or incarnation`
    }
  }
}

export const streamLine = (file: EvidenceFile): Finding =>
  failOnFirst(streamFaults(file), () => {
    const leaves = file.ranges.reduce((sum, { from, to }) => sum + to - from, 0)
    return `the sealed roots follow from ${countOf(leaves, 'leaf', 'leaves')}`
  })

function* streamFaults(file: EvidenceFile): Iterable<string> {
  for (const sealed of sealedStreams(file)) {
    const fault = streamFault(sealed)
    if (fault) yield `${sealed.stream.descriptor.source}: ${fault}`
  }
}

function streamFault({ ranges, segments }: SealedStream): string | undefined {
  const [first] = ranges as readonly [Range]
  const frontier = frontierOf(first.from, first.left)
  if (frontier === undefined) return 'the hashes left of the first range are not as many as needed'
  const inner = segments.slice(0, -1).map(({ segment }) => segment)
  for (const range of ranges) {
    const skipped = range.from - frontier.size
    if (range !== first && !appendNodes(sm3, frontier, skipped, range.left)) {
      return `the hashes left of ${range.from} are not as many as needed`
    }
    const fault = rangeFault(frontier, range, inner)
    if (fault) return fault
  }
  const { size, root } = (segments.at(-1) as SealedStream['segments'][number]).segment
  const { right } = ranges.at(-1) as Range
  const covering = rootBeyond(sm3, frontier, size, right)
  if (covering === undefined) return 'the hashes right of the last range are not as many as needed'
  return equalBytes(covering, root) ? undefined : notSealed(size)
}

const notSealed = (size: number) => `the first ${size} leaves are not those that were sealed`

/** Appends the range's leaves, and takes each inner segment off the list once its root is found right. */
function rangeFault(frontier: Frontier, range: Range, inner: SealSegment[]): string | undefined {
  for (const hashed of hashedLeaves(range.from, range.leaves)) {
    const index = frontier.size
    if (hashed.form === 'run') {
      if (!appendNodes(sm3, frontier, hashed.count, hashed.nodes)) {
        return `the nodes of the damaged run at ${index} are not as many as needed`
      }
      if ((inner[0]?.size ?? Number.POSITIVE_INFINITY) < frontier.size) {
        return `a seal lies inside the damaged run at ${index}`
      }
    } else if (isWholeBlock(index, hashed.hashes, inner[0])) {
      append(sm3, frontier, blockLeaves, sm3Batch().root(hashed.hashes))
    } else {
      for (let i = 0; i < hashCount(hashed.hashes); i++) {
        append(sm3, frontier, 1, hashAt(hashed.hashes, i))
        const fault = innerFault(frontier, inner)
        if (fault) return fault
      }
    }
    const fault = innerFault(frontier, inner)
    if (fault) return fault
  }
  return undefined
}

/** Whether these hashes are a complete subtree, and no seal's size lies inside it. */
const isWholeBlock = (index: number, hashes: Uint8Array, next: SealSegment | undefined): boolean =>
  index % blockLeaves === 0 &&
  hashCount(hashes) === blockLeaves &&
  (next?.size ?? Number.POSITIVE_INFINITY) >= index + blockLeaves

function innerFault(frontier: Frontier, inner: SealSegment[]): string | undefined {
  const [next] = inner
  if (next?.size !== frontier.size) return undefined
  if (!equalBytes(frontierRoot(sm3, frontier), next.root)) return notSealed(next.size)
  inner.shift()
  return undefined
}

export const batchLine = (file: EvidenceFile): Finding =>
  failOnFirst(batchFaults(file), () => {
    const segments = file.seals.reduce((sum, seal) => sum + seal.segments.length, 0)
    return `${countOf(segments, 'segment')} found in ${countOf(file.seals.length, 'batch', 'batches')}`
  })

function* batchFaults({ streams, seals }: EvidenceFile): Iterable<string> {
  for (const { header, segments } of seals) {
    const tagOf = ({ stream }: SealSegment) => (streams[stream] as FileStream).tag
    for (const segment of segments) {
      const { position, size, root, path } = segment
      const leaf = statementLeaf(sm3, encodeSegment({ tag: tagOf(segment), size, root }))
      if (!leadsTo(sm3, leaf, position, header.segments, path, header.batchRoot)) {
        const { source } = (streams[segment.stream] as FileStream).descriptor
        yield `${source}: its segment is not in the batch of header ${header.seq}`
      }
    }
    const byTag = [...segments].sort((a, b) => compareBytes(tagOf(a), tagOf(b)))
    for (const [i, { position }] of byTag.entries()) {
      const before = byTag[i - 1]
      if (before !== undefined && before.position >= position) {
        yield `header ${header.seq}: segments are not in the order of their tags`
      }
    }
  }
}

export const historyLine = (file: EvidenceFile): Finding =>
  failOnFirst(historyFaults(file), () => {
    const sizes = file.seals.flatMap(({ checkpoints }) => checkpoints.map(({ size }) => size))
    return `${countOf(file.seals.length, 'header')} found in the history of up to ${countOf(Math.max(...sizes), 'header')}`
  })

function* historyFaults({ streams, seals }: EvidenceFile): Iterable<string> {
  const { gateway, incarnation } = (streams[0] as FileStream).descriptor
  const checkpoints = seals.flatMap((seal) => seal.checkpoints)
  for (const { header } of seals) {
    if (!equalBytes(header.gateway, gateway) || header.incarnation !== incarnation) {
      yield `header ${header.seq} is of another gateway or incarnation`
    }
  }
  if (new Set(checkpoints.map(({ hashId }) => hashId)).size > 1) {
    yield 'one history is hashed in two ways'
  }
  for (const seal of seals) yield* pathFaults(seal)
  const rootOfSize = new Map<number, string>()
  const sizeOfRoot = new Map<string, number>()
  for (const { size, root } of checkpoints) {
    const name = bytesToHex(root)
    if ((rootOfSize.get(size) ?? name) !== name) yield `two histories of one size ${size}`
    if ((sizeOfRoot.get(name) ?? size) !== size)
      yield `one root under two sizes, one of them ${size}`
    rootOfSize.set(size, name)
    sizeOfRoot.set(name, size)
  }
}

function* pathFaults({ header, headerBytes, checkpoints }: Seal): Iterable<string> {
  for (const { size, hashId, root, path } of checkpoints) {
    const hash = historyHash(hashId)
    if (!leadsTo(hash, statementLeaf(hash, headerBytes), header.seq, size, path, root)) {
      yield `header ${header.seq} is not in the history of ${size} headers`
    }
  }
}
