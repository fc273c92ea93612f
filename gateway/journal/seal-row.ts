/** What is on the disk before a checkpoint is signed: header, segments, and where their trees stand. */
import {
  type Cursor,
  decodeWhole,
  readArray,
  readBytes,
  readFixedBytes,
  readInt,
  readOptional,
  readTuple,
  readUint,
} from '../../anchor-client/evidence/codec.ts'
import { encode, type Item } from '../../anchor-client/evidence/encode.ts'
import type { Time } from '../../anchor-client/evidence/model.ts'
import { readTime, timeItem } from '../../anchor-client/evidence/values.ts'

export interface SealedSegment {
  readonly stream: number
  readonly from: number
  readonly size: number
  readonly root: Uint8Array
  /** As in growing-tree.ts. */
  readonly nodes: Uint8Array
  readonly tail: Uint8Array
}

export interface SealRow {
  readonly seq: number
  readonly header: Uint8Array
  /** The header before: should that one's row be damaged, its bytes are here. */
  readonly headerBefore: Uint8Array | null
  /** In the order of the batch tree. */
  readonly segments: readonly SealedSegment[]
  readonly historyNodes: Uint8Array
  readonly historyTail: Uint8Array
  readonly historyRoot: Uint8Array
  /** Rows from here to this one hold the batch's leaves. */
  readonly firstRow: number
  /** The newest row before this one that has a snapshot, or null. */
  readonly snapshotRow: number | null
  readonly snapshot: Snapshot | null
}

/** From here the journal is read on open: all that came before is summed up in it. */
interface Snapshot {
  /** -1 before the first. */
  readonly boot: number
  readonly machineBoot: Uint8Array
  readonly nextStream: number
  /** The frontier's hashes after this seal. */
  readonly history: Uint8Array
  readonly streams: readonly StreamSnapshot[]
}

export interface StreamSnapshot {
  readonly number: number
  readonly descriptor: Uint8Array
  readonly size: number
  readonly frontier: Uint8Array
  readonly lastTime: Time | null
  readonly lastCounter: number | null
}

export const encodeSealRow = (row: SealRow): Uint8Array =>
  encode([
    row.seq,
    row.header,
    row.headerBefore,
    row.segments.map(({ stream, from, size, root, nodes, tail }) => [
      stream,
      from,
      size,
      root,
      nodes,
      tail,
    ]),
    row.historyNodes,
    row.historyTail,
    row.historyRoot,
    row.firstRow,
    row.snapshotRow,
    row.snapshot && snapshotItem(row.snapshot),
  ])

const snapshotItem = ({ boot, machineBoot, nextStream, history, streams }: Snapshot): Item => [
  boot,
  machineBoot,
  nextStream,
  history,
  streams.map(({ number, descriptor, size, frontier, lastTime, lastCounter }) => [
    number,
    descriptor,
    size,
    frontier,
    timeItem(lastTime),
    lastCounter,
  ]),
]

export const decodeSealRow = (bytes: Uint8Array): SealRow => decodeWhole(bytes, readSealRow)

// Object literals below read in the order in which they are written: the order of the bytes.
function readSealRow(at: Cursor): SealRow {
  readTuple(at, 10, 'a seal')
  return {
    seq: readUint(at),
    header: readBytes(at),
    headerBefore: readOptional(at, (bytes) => readBytes(bytes)),
    segments: readList(at, readSegment),
    historyNodes: readBytes(at),
    historyTail: readBytes(at),
    historyRoot: readFixedBytes(at, 32),
    firstRow: readUint(at),
    snapshotRow: readOptional(at, (row) => readUint(row)),
    snapshot: readOptional(at, readSnapshot),
  }
}

function readList<T>(at: Cursor, read: (at: Cursor) => T): T[] {
  return Array.from({ length: readArray(at) }, () => read(at))
}

function readSegment(at: Cursor): SealedSegment {
  readTuple(at, 6, 'a segment')
  return {
    stream: readUint(at),
    from: readUint(at),
    size: readUint(at),
    root: readFixedBytes(at, 32),
    nodes: readBytes(at),
    tail: readBytes(at),
  }
}

function readSnapshot(at: Cursor): Snapshot {
  readTuple(at, 5, 'a snapshot')
  return {
    boot: readInt(at),
    machineBoot: readBytes(at),
    nextStream: readUint(at),
    history: readBytes(at),
    streams: readList(at, readStream),
  }
}

function readStream(at: Cursor): StreamSnapshot {
  readTuple(at, 6, 'a stream')
  return {
    number: readUint(at),
    descriptor: readBytes(at),
    size: readUint(at),
    frontier: readBytes(at),
    lastTime: readOptional(at, readTime),
    lastCounter: readOptional(at, (counter) => readUint(counter)),
  }
}
