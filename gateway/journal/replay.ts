/**
 * What the journal finds out about itself on open: from the last snapshot on, every row is read, every frame
 * checked, every sealed tree computed anew. What is gone is named exactly.
 */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import {
  type Frontier,
  frontierOf,
  hashAt,
  historyHash,
  statementLeaf,
} from '../../anchor-client/evidence/merkle.ts'
import type { LeafRecord } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { decodeHeader } from '../../anchor-client/evidence/seal.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame, decodeFrameHead, type Frame, type StoredLeaf } from './frame.ts'
import { emptyFrontier, grow, parentsOf, placeOfNode, sm3Parents } from './growing-tree.ts'
import type { JournalIdentity } from './journal.ts'
import { leafHashes } from './leaf-hashes.ts'
import { assemble, type Hole, type Piece } from './pieces.ts'
import type { DamagedRow, Row, RowStore } from './row-store.ts'
import { decodeSealRow, type SealedSegment, type SealRow } from './seal-row.ts'
import { decodeSignature, type SignedSize } from './signature-row.ts'
import { newStreamState, type StreamState } from './stream-state.ts'

export interface Opened {
  readonly streams: Map<number, StreamState>
  readonly history: Frontier
  readonly lastHeader: Uint8Array | null
  readonly nextRow: number
  /** Where the rows of the batch begin that is not sealed yet. */
  readonly batchFirstRow: number
  readonly nextStream: number
  readonly boot: number
  readonly machineBoot: Uint8Array
  readonly sealsSinceSnapshot: number
  readonly snapshotRow: number | null
  /** Committed and not sealed, but no longer there: to be recorded as lost, index by index. */
  readonly lost: readonly (Hole & { readonly stream: StreamState })[]
  /** Sealed, but no longer there, and not yet on record: of this segment. */
  readonly damage: readonly Damaged[]
  /** Rows that could not be read, of any kind. */
  readonly damagedRows: readonly number[]
  readonly checkpoint: SignedSize | null
  /** Sizes beyond that checkpoint with an interim signature. */
  readonly interim: ReadonlyMap<number, SignedSize>
}

export interface Damaged extends Hole {
  readonly tag: Uint8Array
  readonly size: number
  readonly root: Uint8Array
}

export async function replay(rows: RowStore, identity: JournalIdentity): Promise<Opened> {
  const hash = historyHash(identity.hashId)
  const nextRow = ((await rows.highest()) ?? -1) + 1
  const start = await lastSnapshot(rows, nextRow)
  const streams = new Map<number, StreamState>()
  const pieces = new Map<number, Piece[]>()
  const lastRun = new Map<number, readonly StoredLeaf[]>()
  const damage: Damaged[] = []
  const declared: LeafRecord[] = []
  const damagedRows: number[] = []
  const interim = new Map<number, SignedSize>()
  let checkpoint: SignedSize | null = null
  let history = emptyFrontier()
  let lastHeader: Uint8Array | null = null
  let batchFirstRow = 0
  let nextStream: number = controlStream.number
  let boot = -1
  let machineBoot: Uint8Array = new Uint8Array()
  let sealsSinceSnapshot = 0
  let snapshotRow: number | null = null

  const addStream = (number: number, descriptor: Uint8Array): StreamState => {
    const stream = newStreamState(number, descriptor)
    streams.set(number, stream)
    nextStream = Math.max(nextStream, number + 1)
    return stream
  }

  function onFrame(frame: Frame): void {
    const runs = frame.runs.map((run, i) => ({ ...run, leaves: frame.leavesOf(i) }))
    for (const { stream, leaves } of runs) if (stream === controlStream.number) onControl(leaves)
    for (const { stream, start, leaves } of runs) {
      if (!streams.has(stream)) continue
      const of = pieces.get(stream) ?? []
      of.push({ start, hashes: leafHashes(leaves) })
      pieces.set(stream, of)
      lastRun.set(stream, leaves)
    }
  }

  function onControl(leaves: readonly StoredLeaf[]): void {
    for (const { body } of leaves) {
      const record = decodeRecord(body)
      if (record.type === 'boot') boot = record.time.boot
      if (record.type === 'note' && record.name === 'machine-boot') machineBoot = record.bytes
      if (record.type === 'damage') declared.push(record)
      if (record.type !== 'stream') continue
      const number = numberIn(record.descriptor)
      if (!streams.has(number)) addStream(number, record.descriptor)
    }
  }

  /** Of a frame that is damaged it may still be known what it held, and so what to look for. */
  function onDamaged({ number, body }: DamagedRow): void {
    damagedRows.push(number)
    for (const { stream, start, count } of decodeFrameHead(body)?.runs ?? []) {
      const of = pieces.get(stream) ?? []
      of.push({ start: start + count, hashes: new Uint8Array() })
      pieces.set(stream, of)
    }
  }

  function onSeal({ number }: Row, seal: SealRow): void {
    if (seal.seq === history.size + 1 && seal.headerBefore) addHeader(seal.headerBefore)
    if (seal.seq !== history.size) {
      throw unmendable(`seal ${seal.seq} stands where seal ${history.size} should be`)
    }
    addHeader(seal.header)
    for (const segment of seal.segments) onSegment(segment)
    if (seal.snapshot) {
      snapshotRow = number
      sealsSinceSnapshot = 0
    } else {
      sealsSinceSnapshot += 1
    }
    batchFirstRow = number + 1
  }

  function addHeader(bytes: Uint8Array): void {
    const { gateway, incarnation } = decodeHeader(bytes)
    if (!equalBytes(gateway, identity.gateway) || incarnation !== identity.incarnation) {
      throw unmendable('the journal is of another gateway')
    }
    history = grow(hash, parentsOf(hash), history, statementLeaf(hash, bytes)).frontier
    lastHeader = bytes
  }

  function onSegment(segment: SealedSegment): void {
    const stream = streams.get(segment.stream)
    if (stream === undefined) return
    const { from, size, root } = segment
    const { hashes, holes, rest } = assemble(pieces.get(segment.stream) ?? [], from, size)
    pieces.set(segment.stream, rest)
    const grown = grow(historyHash(1), sm3Parents, stream.sealed, hashes)
    const isRight = holes.length === 0 && equalBytes(grown.root, root)
    if (!isRight) {
      const gone = holes.length > 0 ? holes : [{ from, to: size }]
      damage.push(...widened(gone, size).map((hole) => ({ ...hole, tag: stream.tag, size, root })))
    }
    stream.sealed = isRight ? grown.frontier : frontierAfter(stream.sealed, segment)
  }

  if (start) {
    const { row, seal } = start
    const { snapshot } = seal
    history = frontierFrom(seal.seq + 1, snapshot.history)
    lastHeader = seal.header
    boot = snapshot.boot
    machineBoot = snapshot.machineBoot
    for (const { number, descriptor, size, frontier, ...last } of snapshot.streams) {
      const stream = addStream(number, descriptor)
      stream.sealed = frontierFrom(size, frontier)
      Object.assign(stream, last)
    }
    nextStream = snapshot.nextStream
    batchFirstRow = row + 1
    snapshotRow = row
  }

  for await (const row of rows.rows(batchFirstRow, nextRow)) {
    if (row.kind === 'damaged') onDamaged(row)
    else if (row.kind === 'seal') onSeal(row, decodeSealRow(row.body))
    else if (row.kind === 'signature') {
      const signed = decodeSignature(row.body)
      if (signed.isInterim) interim.set(signed.size, signed)
      else checkpoint = signed
    } else {
      const frame = decodeFrame(row.body)
      if (frame) onFrame(frame)
      else onDamaged({ ...row, kind: 'damaged' })
    }
  }

  const lost: (Hole & { stream: StreamState })[] = []
  for (const stream of streams.values()) {
    const left = pieces.get(stream.number) ?? []
    const end = Math.max(
      stream.sealed.size,
      ...left.map(({ start, hashes }) => start + hashes.length / 32),
    )
    const { hashes, holes } = assemble(left, stream.sealed.size, end)
    lost.push(...holes.map((hole) => ({ ...hole, stream })))
    stream.fresh = hashes.length > 0 ? [hashes] : []
    stream.size = end
    stream.assigned = end
    stream.added = end
    sumUp(stream, lastRun.get(stream.number) ?? [])
  }
  return {
    streams,
    history,
    lastHeader,
    nextRow,
    batchFirstRow,
    nextStream,
    boot,
    machineBoot,
    sealsSinceSnapshot,
    snapshotRow,
    lost,
    damage: damage.filter((of) => !declared.some((record) => declares(record, of))),
    damagedRows,
    checkpoint,
    interim,
  }
}

/** The newest seal with a snapshot: named by the newest seal that can be read. */
async function lastSnapshot(rows: RowStore, nextRow: number) {
  for (let number = nextRow - 1; number >= 0; number--) {
    const row = await rows.get(number)
    if (row.kind !== 'seal') continue
    const seal = decodeSealRow(row.body)
    if (seal.snapshot) return { row: number, seal: { ...seal, snapshot: seal.snapshot } }
    if (seal.snapshotRow === null) return undefined
    // Rows in between cannot hold a newer one; a damaged one sends us further back.
    number = seal.snapshotRow + 1
  }
  return undefined
}

function numberIn(descriptor: Uint8Array): number {
  return newStreamState(0, descriptor).descriptor.number
}

function frontierFrom(size: number, hashes: Uint8Array): Frontier {
  const frontier = frontierOf(size, hashes)
  if (frontier === undefined) throw unmendable('a snapshot does not fit its size')
  return frontier
}

/** The frontier after a segment whose leaves are not all there, from the nodes that were kept with it. */
function frontierAfter(before: Frontier, { from, size, nodes, tail }: SealedSegment): Frontier {
  const after: { leaves: number; hash: Uint8Array }[] = []
  let [at, used] = [0, 0]
  for (let leaves = 2 ** 53; leaves >= 1; leaves /= 2) {
    if (at + leaves > size) continue
    const place = placeOfNode(from, size, at, at + leaves)
    const old = before.subtrees.find((subtree) => subtree.leaves === leaves)
    const hash =
      leaves < 16
        ? hashAt(tail, used++)
        : place >= 0
          ? hashAt(nodes, place)
          : (old?.hash as Uint8Array)
    after.push({ leaves, hash })
    at += leaves
  }
  return { subtrees: after, size }
}

/** What can be shown without these leaves: nodes of 16, and at the end of a seal the smaller ones kept with it. */
function widened(holes: readonly Hole[], size: number): Hole[] {
  const wide: { from: number; to: number }[] = []
  for (const { from, to } of holes) {
    const low = from - (from % 16)
    const high = Math.min(size, Math.ceil(to / 16) * 16)
    const last = wide.at(-1)
    if (last && low <= last.to) last.to = Math.max(last.to, high)
    else wide.push({ from: low, to: high })
  }
  return wide
}

const declares = (record: LeafRecord, { tag, from, to, size }: Damaged): boolean =>
  record.type === 'damage' &&
  equalBytes(record.tag, tag) &&
  record.from <= from &&
  record.to >= to &&
  record.size === size

/** What the stream's promise is judged by goes on from its last leaves. */
function sumUp(stream: StreamState, leaves: readonly StoredLeaf[]): void {
  for (const { form, body } of leaves) {
    if (form === 'private') continue
    const record = decodeRecord(body)
    if (record.type === 'close') stream.isClosed = true
    if (record.type === 'gap' || record.type === 'lost') stream.hasGapSince = true
    if (record.type === 'reading') {
      stream.lastTime = record.time
      stream.lastCounter = record.counter
      stream.hasGapSince = false
    }
    if (record.type === 'alive' && record.time) stream.lastTime = record.time
  }
}

const unmendable = (what: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${what}: the journal cannot be gone on with`, {
    hint: 'Bring back a backup with kedge store restore, or begin a new life with kedge init --new-incarnation.',
  })
