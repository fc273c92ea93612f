/** The next batch, worked out: its segments, its header, and where all trees stand after it. */
import { compareBytes, concat } from '../../anchor-client/evidence/bytes.ts'
import { type Frontier, historyHash, statementLeaf } from '../../anchor-client/evidence/merkle.ts'
import type { Header } from '../../anchor-client/evidence/model.ts'
import { encodeHeader, encodeSegment } from '../../anchor-client/evidence/seal.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'
import { grow, parentsOf, sm3Parents } from './growing-tree.ts'
import type { JournalIdentity, Sealed, Statement } from './journal.ts'
import type { SealRow, StreamSnapshot } from './seal-row.ts'
import { isOpened, type StreamState } from './stream-state.ts'

/** Where the journal stands between two batches. */
export interface Standing {
  history: Frontier
  lastHeader: Uint8Array | null
  batchFirstRow: number
  sealsSinceSnapshot: number
  snapshotRow: number | null
  nextStream: number
  boot: number
  machineBoot: Uint8Array
}

export interface MadeSeal {
  readonly row: SealRow
  readonly sealed: Sealed
  /** What is so once it is on the disk, in this row. */
  readonly after: (number: number) => void
}

const snapshotEverySeals = 64

export function makeSeal(
  { gateway, incarnation, hashId }: JournalIdentity,
  standing: Standing,
  streams: Map<number, StreamState>,
  statement: Statement,
  isFinal: boolean,
): MadeSeal {
  const { history, lastHeader, batchFirstRow, sealsSinceSnapshot, snapshotRow } = standing
  const grown = Array.from(streams.values())
    .filter(({ fresh }) => fresh.length > 0)
    .toSorted((a, b) => compareBytes(a.tag, b.tag))
    .map((stream) => ({
      stream,
      growth: grow(historyHash(1), sm3Parents, stream.sealed, concat(...stream.fresh)),
    }))
  const header: Header = {
    gateway,
    incarnation,
    seq: history.size,
    batchRoot: batchRoot(grown.map(({ stream: { tag }, growth }) => ({ tag, ...growth }))),
    segments: grown.length,
    ...statement,
  }
  const headerBytes = encodeHeader(header)
  const hash = historyHash(hashId)
  const longer = grow(hash, parentsOf(hash), history, statementLeaf(hash, headerBytes))
  const isSnapshot = isFinal || sealsSinceSnapshot + 1 >= snapshotEverySeals
  const frontiers = new Map(grown.map(({ stream, growth }) => [stream, growth.frontier]))
  const row: SealRow = {
    seq: header.seq,
    header: headerBytes,
    headerBefore: lastHeader,
    segments: grown.map(({ stream, growth: { from, size, root, nodes, tail } }) => {
      return { stream: stream.number, from, size, root, nodes, tail }
    }),
    historyNodes: longer.nodes,
    historyTail: longer.tail,
    historyRoot: longer.root,
    firstRow: batchFirstRow,
    snapshotRow,
    snapshot: isSnapshot
      ? {
          boot: standing.boot,
          machineBoot: standing.machineBoot,
          nextStream: Math.min(standing.nextStream, ...unopened(streams)),
          history: hashesOf(longer.frontier),
          streams: Array.from(streams.values())
            .filter((stream) => isOpened(stream, streams) && !isOver(stream))
            .map((stream) => snapshotOf(stream, frontiers.get(stream) ?? stream.sealed)),
        }
      : null,
  }
  return {
    row,
    sealed: {
      header,
      size: longer.size,
      historyRoot: longer.root,
      count: grown.reduce((sum, { growth }) => sum + growth.size - growth.from, 0),
    },
    after(number) {
      for (const { stream, growth } of grown) {
        stream.sealed = growth.frontier
        stream.fresh = []
        if (isOver(stream)) streams.delete(stream.number)
      }
      standing.history = longer.frontier
      standing.lastHeader = headerBytes
      standing.sealsSinceSnapshot = isSnapshot ? 0 : sealsSinceSnapshot + 1
      if (isSnapshot) standing.snapshotRow = number
      standing.batchFirstRow = number + 1
    },
  }
}

function batchRoot(
  segments: readonly { tag: Uint8Array; size: number; root: Uint8Array }[],
): Uint8Array {
  const leaves = segments.map(({ tag, size, root }) =>
    statementLeaf(historyHash(1), encodeSegment({ tag, size, root })),
  )
  return sm3Batch().root(concat(...leaves))
}

/** Its close is on the disk, and nothing of it is on its way there. */
const isOver = ({ isClosed, size, added }: StreamState): boolean => isClosed && size === added

const unopened = (streams: ReadonlyMap<number, StreamState>): number[] =>
  Array.from(streams.values())
    .filter((stream) => !isOpened(stream, streams))
    .map(({ number }) => number)

function snapshotOf(stream: StreamState, frontier: Frontier): StreamSnapshot {
  const { number, descriptorBytes, lastTime, lastCounter } = stream
  // A pseudonym's times are kept nowhere but under its key.
  const isPrivate = stream.descriptor.erasable
  return {
    number,
    descriptor: descriptorBytes,
    size: frontier.size,
    frontier: hashesOf(frontier),
    lastTime: isPrivate ? null : lastTime,
    lastCounter: isPrivate ? null : lastCounter,
  }
}

const hashesOf = ({ subtrees }: Frontier): Uint8Array => concat(...subtrees.map(({ hash }) => hash))
