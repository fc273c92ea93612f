import { historyHash } from '../../anchor-client/evidence/merkle.ts'
import type { Descriptor } from '../../anchor-client/evidence/model.ts'
import { decodeDescriptor, streamTag } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame, type StoredLeaf } from './frame.ts'
import type { JournalIdentity } from './journal.ts'
import type { JournalIndex } from './journal-index.ts'
import { damaged, historyNodesOf, streamNodesOf } from './kept-nodes.ts'
import { type Copied, rowOf } from './row-source.ts'
import { decodeSealRow, type SealedSegment, type SealRow } from './seal-row.ts'
import { isOpened, type StreamState } from './stream-state.ts'
import { type NodeAt, subtreeRoot } from './tree-proofs.ts'

export interface KnownStream {
  readonly number: number
  readonly tag: Uint8Array
  readonly descriptor: Descriptor
  readonly descriptorBytes: Uint8Array
  /** Leaves on the disk. */
  readonly size: number
}

export interface FoundLeaf {
  readonly index: number
  /** Null where it is damaged. */
  readonly leaf: StoredLeaf | null
  readonly committedAtMs: number | null
  /** The batch it was sealed in, or null so far. */
  readonly seq: number | null
}

export interface JournalReader {
  streams(): AsyncGenerator<KnownStream, void>
  stream(number: number): Promise<KnownStream | undefined>
  leaves(stream: number, from: number, to: number): AsyncGenerator<FoundLeaf, void>
  seal(seq: number): Promise<SealRow>
  /** Seals in which the stream reached at least this size, in order. */
  sealsFrom(
    stream: number,
    size: number,
  ): AsyncGenerator<{ seal: SealRow; segment: SealedSegment }, void>
  /** Complete nodes of a stream's tree. */
  nodesOf(stream: number): NodeAt
  readonly historyNodes: NodeAt
  /** The history's root at a size that was reached. */
  historyRootAt(size: number): Promise<Uint8Array>
}

interface Parts {
  readonly rows: Copied
  readonly index: JournalIndex
  readonly identity: JournalIdentity
  readonly streams: ReadonlyMap<number, StreamState>
  nextRow(): number
  /** Leaves that the index does not lead to lie in rows from here on. */
  unindexedFrom(): number
}

export function journalReader({ rows, index, identity, streams, ...now }: Parts): JournalReader {
  const hash = historyHash(identity.hashId)

  /** Undefined where it is gone with its copy. */
  async function sealAt(row: number | undefined): Promise<SealRow | undefined> {
    const found = row === undefined ? undefined : await rowOf(rows, row)
    return found?.kind === 'seal' ? decodeSealRow(found.body) : undefined
  }

  const sealIfThere = async (seq: number): Promise<SealRow | undefined> =>
    sealAt(await index.sealRow(seq))

  async function seal(seq: number): Promise<SealRow> {
    const found = await sealIfThere(seq)
    if (found === undefined) throw damaged(`seal ${seq} is gone`)
    return found
  }

  async function* sealsFrom(stream: number, size: number) {
    for await (const row of index.sealsFrom(stream, size)) {
      const found = await sealAt(row)
      const segment = found?.segments.find((of) => of.stream === stream)
      if (found && segment) yield { seal: found, segment, row }
    }
  }

  /** Where the rows begin that lie after the last seal before this one that is there. */
  async function rowAfterSealBefore(seq: number): Promise<number> {
    let before = seq - 1
    while (before >= 0 && (await sealIfThere(before)) === undefined) before -= 1
    return before < 0 ? 0 : ((await index.sealRow(before)) as number) + 1
  }

  /** The leaves [from, to) that rows [firstRow, endRow) hold, missing ones as null. */
  async function* leavesIn(
    stream: number,
    [from, to]: readonly [number, number],
    [firstRow, endRow]: readonly [number, number],
    seq: number | null,
  ): AsyncGenerator<FoundLeaf, void> {
    const found: FoundLeaf[] = Array.from({ length: to - from }, (_, i) => ({
      index: from + i,
      leaf: null,
      committedAtMs: null,
      seq,
    }))
    for await (const row of rows.rows.rows(firstRow, endRow)) {
      const frame = row.kind === 'frame' ? decodeFrame(row.body) : undefined
      for (const [i, run] of frame?.runs.entries() ?? []) {
        if (frame === undefined || run.stream !== stream) continue
        if (run.start >= to || run.start + run.count <= from) continue
        for (const [k, leaf] of frame.leavesOf(i).entries()) {
          const at = run.start + k - from
          if (at < 0 || at >= found.length) continue
          found[at] = { index: from + at, leaf, committedAtMs: frame.committedAtMs, seq }
        }
      }
    }
    yield* found
  }

  async function* leaves(stream: number, from: number, to: number) {
    let at = from
    // Before the index is asked: a seal may be added to it while we read.
    const tailRow = now.unindexedFrom()
    for await (const { seal, segment, row } of sealsFrom(stream, from + 1)) {
      if (at >= to) return
      const end = Math.min(to, segment.size)
      // Where a seal is lost, what it sealed lies before the next one's own rows.
      const isNext = segment.from <= at
      const firstRow = isNext ? seal.firstRow : await rowAfterSealBefore(seal.seq)
      yield* leavesIn(stream, [at, end], [firstRow, row], seal.seq)
      at = end
    }
    if (at < to) yield* leavesIn(stream, [at, to], [tailRow, now.nextRow()], null)
  }

  const seals = { sealsFrom, sealIfThere, leaves }
  const historyNodes = historyNodesOf(seals, hash)

  async function known(number: number, descriptorBytes: Uint8Array): Promise<KnownStream> {
    const descriptor = decodeDescriptor(descriptorBytes)
    const tag = streamTag(descriptorBytes)
    const open = streams.get(number)
    return {
      number,
      tag,
      descriptor,
      descriptorBytes,
      size: open?.size ?? (await index.sealedSize(number)),
    }
  }

  return {
    async *streams() {
      const seen = new Set<number>()
      for await (const [number, descriptor] of index.descriptors()) {
        seen.add(number)
        const open = streams.get(number)
        if (open === undefined || isOpened(open, streams)) yield await known(number, descriptor)
      }
      for (const stream of streams.values()) {
        const { number, descriptorBytes } = stream
        if (!seen.has(number) && isOpened(stream, streams))
          yield await known(number, descriptorBytes)
      }
    },
    async stream(number) {
      const bytes = streams.get(number)?.descriptorBytes ?? (await index.descriptor(number))
      return bytes && known(number, bytes)
    },
    leaves,
    seal,
    sealsFrom,
    nodesOf: (stream) => streamNodesOf(seals, stream),
    historyNodes,
    async historyRootAt(size) {
      if (size === 0) return hash()
      const root = (await sealIfThere(size - 1))?.historyRoot
      return root ?? subtreeRoot(hash, historyNodes, 0, size)
    },
  }
}
