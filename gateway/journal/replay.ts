/**
 * What the journal finds out about itself on open: from the last snapshot on, every row is read, every frame
 * checked, every sealed tree computed anew. What is gone is named exactly.
 */
import type { Frontier } from '../../anchor-client/evidence/merkle.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame, type Frame } from './frame.ts'
import type { JournalIdentity } from './journal.ts'
import type { Hole } from './pieces.ts'
import { openControl, undeclared } from './replayed-control.ts'
import { openHistory } from './replayed-history.ts'
import type { DamagedRow } from './row.ts'
import type { RowSource } from './row-source.ts'
import type { RunHead } from './run-heads.ts'
import { decodeSealRow, type SealRow } from './seal-row.ts'
import { type Damaged, openSegments } from './segments.ts'
import { decodeSignature, type SignedSize } from './signature-row.ts'
import { frontierFrom, lastSnapshot, unmendable } from './snapshots.ts'
import { goOn, newStreamState, openLatest, type StreamState, sumUp } from './stream-state.ts'

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

  const { nextRow } = source
  const start = await lastSnapshot(source)
  const streams = new Map<number, StreamState>()
  const segments = openSegments()
  const latest = openLatest()
  const history = openHistory(identity)
  const control = openControl((number, descriptor) => {
    if (!streams.has(number)) addStream(number, descriptor)
  })
  const damagedRows: number[] = []
  /** Damaged rows since the last seal, with what they held; null where nobody knows. */
  const gone = new Map<number, readonly RunHead[] | null>()
  const interim = new Map<number, SignedSize>()
  let checkpoint: SignedSize | null = null
  let batchFirstRow = 0
  let nextStream: number = controlStream.number
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
      if (stream === controlStream.number) control.read(leaves)
      latest.add(stream, leaves)
    }
    for (const { stream } of frame.runs) await know(stream)
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
    if (seal.seq === history.frontier.size + 1 && seal.headerBefore) history.add(seal.headerBefore)
    if (seal.seq !== history.frontier.size) {
      refuse(`seal ${seal.seq} stands where seal ${history.frontier.size} should be`)
      history.skipTo(seal.seq)
    }
    history.add(seal.header)
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

  if (start) {
    const { row, seal } = start
    const { snapshot } = seal
    history.beginAt(seal.seq + 1, snapshot.history, seal.header)
    control.beginAt(snapshot)
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
    const holes = goOn(stream, segments.unsealed(stream.number))
    lost.push(...holes.map((hole) => ({ ...hole, stream })))
    sumUp(stream, latest.of(stream.number))
    if (stream.isClosed && stream.size === stream.sealed.size) streams.delete(stream.number)
    if (stream.lastTime) control.seen(stream.lastTime.boot)
  }
  return {
    streams,
    history: history.frontier,
    lastHeader: history.lastHeader,
    nextRow,
    batchFirstRow,
    nextStream,
    boot: control.boot,
    machineBoot: control.machineBoot,
    sealsSinceSnapshot,
    snapshotRow,
    lost,
    damage: undeclared(segments.damage(), control.declared),
    damagedRows: damagedRows.filter((number) => !source.isExpendable(number)),
    gone: new Map(Array.from(gone).flatMap(([number, runs]) => (runs ? [[number, runs]] : []))),
    checkpoint,
    interim,
    broken,
  }
}
