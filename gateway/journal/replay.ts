/**
 * What the journal finds out about itself on open: from the last snapshot on, every row is read, every frame
 * checked, every sealed tree computed anew. What is gone is named exactly.
 */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { type Frontier, historyHash, statementLeaf } from '../../anchor-client/evidence/merkle.ts'
import type { LeafRecord } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { decodeHeader } from '../../anchor-client/evidence/seal.ts'
import { controlStream, decodeDescriptor } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame, type Frame, type RunHead, type StoredLeaf } from './frame.ts'
import { emptyFrontier, grow, parentsOf } from './growing-tree.ts'
import type { JournalIdentity } from './journal.ts'
import { assemble, type Hole } from './pieces.ts'
import type { DamagedRow } from './row.ts'
import type { RowSource } from './row-source.ts'
import { decodeSealRow, type SealRow } from './seal-row.ts'
import { type Damaged, openSegments } from './segments.ts'
import { decodeSignature, type SignedSize } from './signature-row.ts'
import { frontierFrom, lastSnapshot, unmendable } from './snapshots.ts'
import { newStreamState, openLatest, type StreamState, sumUp } from './stream-state.ts'

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
  /** Sealed, but no longer there, and not yet on record. */
  readonly damage: readonly Damaged[]
  /** Rows that could not be read, of any kind, and were not known as such. */
  readonly damagedRows: readonly number[]
  /** Of these, what frames that are not sealed held. */
  readonly gone: ReadonlyMap<number, readonly RunHead[]>
  readonly checkpoint: SignedSize | null
  /** Sizes beyond that checkpoint with an interim signature. */
  readonly interim: ReadonlyMap<number, SignedSize>
  /** Why it can only be read; empty where all is well. */
  readonly broken: readonly string[]
}

/** @param evenIfBroken what cannot be gone on with may still be read */
export async function replay(
  source: RowSource,
  identity: JournalIdentity,
  evenIfBroken = false,
): Promise<Opened> {
  const broken: string[] = []
  const refuse = (what: string): void => {
    if (!evenIfBroken) throw unmendable(what)
    broken.push(what)
  }

  const hash = historyHash(identity.hashId)
  const { nextRow } = source
  const start = await lastSnapshot(source)
  const streams = new Map<number, StreamState>()
  const segments = openSegments()
  const latest = openLatest()
  const declared: LeafRecord[] = []
  const damagedRows: number[] = []
  /** Damaged rows since the last seal, with what they held; null where nobody knows. */
  const gone = new Map<number, readonly RunHead[] | null>()
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

  /** Where its opening is gone, the index has a copy of what that said. */
  async function know(stream: number): Promise<void> {
    if (streams.has(stream)) return
    const descriptor = await source.descriptor(stream)
    if (descriptor) addStream(stream, descriptor)
    else refuse(`what stream ${stream} is has been lost with its opening`)
  }

  async function onFrame(frame: Frame): Promise<void> {
    for (const [stream, leaves] of segments.add(frame)) {
      if (stream === controlStream.number) onControl(leaves)
      latest.add(stream, leaves)
    }
    for (const { stream } of frame.runs) await know(stream)
  }

  function onControl(leaves: readonly StoredLeaf[]): void {
    for (const { body } of leaves) {
      const record = decodeRecord(body)
      if ('time' in record && record.time && record.time.boot > boot) {
        boot = record.time.boot
        machineBoot = new Uint8Array()
      }
      if (record.type === 'note' && record.name === 'machine-boot') machineBoot = record.bytes
      if (record.type === 'damage') declared.push(record)
      if (record.type !== 'stream') continue
      const { number } = decodeDescriptor(record.descriptor)
      if (!streams.has(number)) addStream(number, record.descriptor)
    }
  }

  /** Of a frame that is damaged it may still be known what it held, and so what to look for. */
  async function onDamaged({ number, body }: DamagedRow): Promise<void> {
    damagedRows.push(number)
    const runs = source.headOf(number, body)
    gone.set(number, runs)
    await onGone(runs ?? [])
  }

  async function onGone(runs: readonly RunHead[]): Promise<void> {
    segments.gone(runs)
    for (const { stream } of runs) await know(stream)
  }

  async function onSeal(number: number, seal: SealRow): Promise<void> {
    if (seal.seq === history.size + 1 && seal.headerBefore) addHeader(seal.headerBefore)
    if (seal.seq !== history.size) {
      refuse(`seal ${seal.seq} stands where seal ${history.size} should be`)
      history = { subtrees: [], size: seal.seq }
    }
    addHeader(seal.header)
    for (const segment of seal.segments) {
      await know(segment.stream)
      const stream = streams.get(segment.stream)
      if (stream === undefined || segments.seal(stream, segment)) continue
      refuse(`how stream ${segment.stream} stood at ${segment.from} leaves is gone`)
      stream.sealed = { subtrees: [], size: segment.size }
    }
    gone.clear()
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

  if (start) {
    const { row, seal } = start
    const { snapshot } = seal
    const { gateway, incarnation } = decodeHeader(seal.header)
    if (!equalBytes(gateway, identity.gateway) || incarnation !== identity.incarnation) {
      throw unmendable('the journal is of another gateway')
    }
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

  for await (const row of source.rows(batchFirstRow, nextRow)) {
    if (row.kind === 'damaged') await onDamaged(row)
    else if (row.kind === 'seal') await onSeal(row.number, decodeSealRow(row.body))
    else if (row.kind === 'gone') await onGone(source.headOf(row.number, row.body) ?? [])
    else if (row.kind === 'signature') {
      const signed = decodeSignature(row.body)
      if (signed.isInterim) interim.set(signed.size, signed)
      else checkpoint = signed
    } else {
      const frame = decodeFrame(row.body)
      if (frame) await onFrame(frame)
      else await onDamaged({ ...row, kind: 'damaged' })
    }
  }

  for (const [number, runs] of gone) {
    if (runs === null) refuse(`nobody knows what row ${number} held, which is gone`)
  }
  const lost: (Hole & { stream: StreamState })[] = []
  for (const stream of streams.values()) {
    const left = segments.unsealed(stream.number)
    const end = Math.max(
      stream.sealed.size,
      ...left.map(({ start: first, hashes }) => first + hashes.length / 32),
    )
    const { hashes, holes } = assemble(left, stream.sealed.size, end)
    lost.push(...holes.map((hole) => ({ ...hole, stream })))
    stream.fresh = hashes.length > 0 ? [hashes] : []
    stream.size = end
    stream.assigned = end
    stream.added = end
    sumUp(stream, latest.of(stream.number))
    if (stream.isClosed && stream.size === stream.sealed.size) streams.delete(stream.number)
    // Where a boot's own record is gone, what was recorded in it tells of it.
    if (stream.lastTime && stream.lastTime.boot > boot) {
      boot = stream.lastTime.boot
      machineBoot = new Uint8Array()
    }
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
    damage: segments.damage().filter((of) => !declared.some((record) => declares(record, of))),
    damagedRows: damagedRows.filter((number) => !source.isExpendable(number)),
    gone: new Map(Array.from(gone).flatMap(([number, runs]) => (runs ? [[number, runs]] : []))),
    checkpoint,
    interim,
    broken,
  }
}

export const declares = (record: LeafRecord, { tag, from, to }: Damaged): boolean =>
  record.type === 'damage' && equalBytes(record.tag, tag) && record.from <= from && record.to >= to
