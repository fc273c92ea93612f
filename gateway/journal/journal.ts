/**
 * The journal: leaves are committed in frames, batches of them are sealed, and both are found again. It knows
 * neither devices nor ledgers nor keys.
 */
import { compareBytes, concat } from '../../anchor-client/evidence/bytes.ts'
import type { KedgeError } from '../../anchor-client/evidence/errors.ts'
import {
  type Frontier,
  frontierRoot,
  historyHash,
  statementLeaf,
} from '../../anchor-client/evidence/merkle.ts'
import type { HashId, Header } from '../../anchor-client/evidence/model.ts'
import { encodeHeader, encodeSegment } from '../../anchor-client/evidence/seal.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'
import { grow, parentsOf, sm3Parents } from './growing-tree.ts'
import { openJournalIndex } from './journal-index.ts'
import { type JournalReader, journalReader } from './journal-reader.ts'
import { recordLost } from './record-lost.ts'
import { type Opened, replay } from './replay.ts'
import { type DamagedRow, openRowStore, type Row } from './row-store.ts'
import { encodeSealRow, type SealRow, type Snapshot } from './seal-row.ts'
import { encodeSignature, type SignedSize } from './signature-row.ts'
import { newStreamState, type StreamState } from './stream-state.ts'
import { type Entry, startWriter, type Writer } from './writer.ts'

export interface JournalIdentity {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly hashId: HashId
}

/** What the header says beside what the journal knows. */
export type Statement = Pick<Header, 'wallMs' | 'boundMs' | 'beacon' | 'previous' | 'rotation'>

export interface Sealed {
  readonly header: Header
  /** Of the history, this header included. */
  readonly size: number
  readonly historyRoot: Uint8Array
  /** Leaves in the batch. */
  readonly count: number
}

export interface Journal extends AsyncDisposable {
  readonly identity: JournalIdentity
  /** What was found on open. */
  readonly opened: Opened
  readonly streams: ReadonlyMap<number, StreamState>
  readonly reader: JournalReader
  /** Committed and not sealed. */
  readonly unsealed: { readonly leaves: number; readonly bytes: number }
  /** The history that is sealed. */
  readonly size: number
  readonly historyRoot: Uint8Array
  readonly nextStreamNumber: number
  addStream(descriptorBytes: Uint8Array): StreamState
  add(entry: Entry, holdMs?: number): void
  flush(): Promise<void>
  /** Seals what is committed; header, segments and trees are on the disk when it resolves. */
  seal(state: () => Statement, isFinal?: boolean): Promise<Sealed>
  keepSignature(signed: SignedSize): Promise<void>
  /** Everything as it is on the disk. */
  rows(): AsyncGenerator<Row | DamagedRow, void>
  /** About how much of the disk it takes. */
  bytes(): Promise<number>
  /** Said of this start, kept in snapshots. */
  setBoot(boot: number, machineBoot: Uint8Array): void
}

export interface JournalOptions {
  readonly folder: string
  readonly indexFolder: string
  readonly identity: JournalIdentity
  readonly mayCreate: boolean
  readonly nowMs: () => number | null
  /** Called after each frame. */
  readonly onCommitted: () => void
  /** Nothing more is taken: it must be opened again. */
  readonly onBroken: (error: KedgeError) => void
}

const snapshotEverySeals = 64

export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { folder, indexFolder, identity, mayCreate, nowMs, onCommitted, onBroken } = options
  const rows = await openRowStore(folder, mayCreate)
  const opened = await replay(rows, identity).catch(async (error) => {
    await rows[Symbol.asyncDispose]()
    throw error
  })
  const { streams } = opened
  const hash = historyHash(identity.hashId)
  const parents = parentsOf(hash)
  let { history, lastHeader, batchFirstRow, nextStream, boot, machineBoot } = opened
  let { sealsSinceSnapshot, snapshotRow } = opened
  let addedBytes = 0
  const firstRow = opened.nextRow + (await recordLost(rows, opened, nowMs()))
  const writer: Writer = startWriter(rows, firstRow, nowMs, onCommitted, onBroken)
  /** The seals before this row are in the index. */
  let unindexedFrom = batchFirstRow
  const index = await openJournalIndex(indexFolder, rows, () => writer.nextRow)

  /** The row, and what is so once it is on the disk. */
  const makeSeal = (statement: Statement, isFinal: boolean) => {
    const grown = Array.from(streams.values())
      .filter(({ fresh }) => fresh.length > 0)
      .toSorted((a, b) => compareBytes(a.tag, b.tag))
      .map((stream) => ({
        stream,
        growth: grow(historyHash(1), sm3Parents, stream.sealed, concat(...stream.fresh)),
      }))
    const segmentBytes = grown.map(({ stream: { tag }, growth: { size, root } }) =>
      encodeSegment({ tag, size, root }),
    )
    const leaves = segmentBytes.map((bytes) => statementLeaf(historyHash(1), bytes))
    const header: Header = {
      gateway: identity.gateway,
      incarnation: identity.incarnation,
      seq: history.size,
      batchRoot: sm3Batch().root(concat(...leaves)),
      segments: grown.length,
      ...statement,
    }
    const headerBytes = encodeHeader(header)
    const longer = grow(hash, parents, history, statementLeaf(hash, headerBytes))
    const isLast = (stream: StreamState) => stream.isClosed && stream.size === stream.assigned
    const isSnapshot = isFinal || sealsSinceSnapshot + 1 >= snapshotEverySeals
    const segments = grown.map(({ stream, growth: { from, size, root, nodes, tail } }) => ({
      stream: stream.number,
      from,
      size,
      root,
      nodes,
      tail,
    }))
    const after = (number: number) => {
      for (const { stream, growth } of grown) {
        stream.sealed = growth.frontier
        stream.fresh = []
        if (isLast(stream)) streams.delete(stream.number)
      }
      history = longer.frontier
      lastHeader = headerBytes
      sealsSinceSnapshot = isSnapshot ? 0 : sealsSinceSnapshot + 1
      if (isSnapshot) snapshotRow = number
      batchFirstRow = number + 1
      addedBytes = 0
    }
    const growthOf = new Map(grown.map(({ stream, growth }) => [stream, growth.frontier]))
    const row: SealRow = {
      seq: header.seq,
      header: headerBytes,
      headerBefore: lastHeader,
      segments,
      historyNodes: longer.nodes,
      historyTail: longer.tail,
      historyRoot: longer.root,
      firstRow: batchFirstRow,
      snapshotRow,
      snapshot: isSnapshot
        ? snapshotOf(longer.frontier, (stream) =>
            isLast(stream) ? undefined : (growthOf.get(stream) ?? stream.sealed),
          )
        : null,
    }
    const sealed: Sealed = {
      header,
      size: longer.size,
      historyRoot: longer.root,
      count: grown.reduce((sum, { growth }) => sum + growth.size - growth.from, 0),
    }
    return { row, sealed, after }
  }

  const snapshotOf = (
    longer: Frontier,
    frontierOf: (stream: StreamState) => Frontier | undefined,
  ): Snapshot => ({
    boot,
    machineBoot,
    nextStream,
    history: concat(...longer.subtrees.map((subtree) => subtree.hash)),
    streams: Array.from(streams.values()).flatMap((stream) => {
      const frontier = frontierOf(stream)
      if (frontier === undefined) return []
      const { number, descriptorBytes: descriptor, lastTime, lastCounter } = stream
      // A pseudonym's times are kept nowhere but under its key.
      const isPrivate = stream.descriptor.erasable
      return [
        {
          number,
          descriptor,
          size: frontier.size,
          frontier: concat(...frontier.subtrees.map((subtree) => subtree.hash)),
          lastTime: isPrivate ? null : lastTime,
          lastCounter: isPrivate ? null : lastCounter,
        },
      ]
    }),
  })

  return {
    identity,
    opened,
    streams,
    reader: journalReader({
      rows,
      index,
      identity,
      nextRow: () => writer.nextRow,
      unindexedFrom: () => unindexedFrom,
      streams,
    }),
    get unsealed() {
      let leaves = 0
      for (const { size, sealed } of streams.values()) leaves += size - sealed.size
      return { leaves, bytes: addedBytes }
    },
    get size() {
      return history.size
    },
    get historyRoot() {
      return frontierRoot(hash, history)
    },
    get nextStreamNumber() {
      return nextStream
    },
    addStream(descriptorBytes) {
      const stream = newStreamState(nextStream++, descriptorBytes)
      streams.set(stream.number, stream)
      // Found again from the journal where this fails.
      index.addStream(stream.number, descriptorBytes).catch(() => undefined)
      return stream
    },
    add(entry, holdMs = 0) {
      entry.stream.added += 1
      addedBytes += entry.leaf.head.length + entry.leaf.body.length
      writer.add(entry, holdMs)
    },
    flush: () => writer.flush(),
    async seal(state, isFinal = false) {
      let made: ReturnType<typeof makeSeal> | undefined
      const number = await writer.row(() => {
        made = makeSeal(state(), isFinal)
        return { kind: 'seal', body: encodeSealRow(made.row), sync: true, after: made.after }
      })
      const { row, sealed } = made as ReturnType<typeof makeSeal>
      await index.addSeal(number, row)
      unindexedFrom = number + 1
      return sealed
    },
    async keepSignature(signed) {
      await writer.row(() => ({ kind: 'signature', body: encodeSignature(signed), sync: false }))
    },
    rows: () => rows.rows(0, writer.nextRow),
    bytes: () => rows.bytes(),
    setBoot(number, machine) {
      boot = number
      machineBoot = machine
    },
    async [Symbol.asyncDispose]() {
      await writer.flush().catch(() => undefined)
      await index[Symbol.asyncDispose]()
      await rows[Symbol.asyncDispose]()
    },
  }
}
