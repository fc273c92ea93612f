import type { Frontier } from '../../anchor-client/evidence/merkle.ts'
import type { Descriptor, Time } from '../../anchor-client/evidence/model.ts'
import { decodeRecord, holdsReading } from '../../anchor-client/evidence/records.ts'
import { controlStream, decodeDescriptor, streamTag } from '../../anchor-client/evidence/stream.ts'
import type { StoredLeaf } from './frame.ts'
import { emptyFrontier } from './growing-tree.ts'
import { assemble, type Hole, type Piece } from './pieces.ts'

/** What is known of an open stream without looking at the disk. */
export interface StreamState {
  readonly number: number
  readonly tag: Uint8Array
  readonly descriptor: Descriptor
  readonly descriptorBytes: Uint8Array
  /** Where in the control stream its opening stands. */
  readonly opensAt: number
  /** The index of the next leaf that is added. */
  added: number
  /** Indices given away, to leaves that are committed or being written. */
  assigned: number
  /** Leaves on the disk. */
  size: number
  /** The tree over the leaves that are sealed. */
  sealed: Frontier
  /** The leaf hashes from there to `size`, piece by piece. */
  fresh: Uint8Array[]
  /** Of the last leaf that stands for a sign of life in the stream's promise. */
  lastTime: Time | null
  lastCounter: number | null
  /** A gap was recorded after that leaf. */
  hasGapSince: boolean
  /** Its close record was given an index: nothing follows. */
  isClosed: boolean
}

export function newStreamState(
  number: number,
  descriptorBytes: Uint8Array,
  opensAt = -1,
): StreamState {
  return {
    number,
    tag: streamTag(descriptorBytes),
    descriptor: decodeDescriptor(descriptorBytes),
    descriptorBytes,
    opensAt,
    added: 0,
    assigned: 0,
    size: 0,
    sealed: emptyFrontier(),
    fresh: [],
    lastTime: null,
    lastCounter: null,
    hasGapSince: false,
    isClosed: false,
  }
}

/** Its opening is on the disk: from then on it was, whatever happens. */
export const isOpened = (
  { opensAt }: StreamState,
  streams: ReadonlyMap<number, StreamState>,
): boolean => opensAt < (streams.get(controlStream.number)?.size ?? 0)

/** The last leaves of each stream, back to one that says it all: a reading. */
export function openLatest() {
  const runs = new Map<number, StoredLeaf[]>()
  return {
    add(stream: number, leaves: readonly StoredLeaf[]): void {
      const last = leaves.findLastIndex(({ form, body }) => form === 'plain' && holdsReading(body))
      const before = last >= 0 ? [] : (runs.get(stream) ?? [])
      runs.set(stream, [...before, ...leaves.slice(Math.max(0, last))])
    },
    of: (stream: number): readonly StoredLeaf[] => runs.get(stream) ?? [],
  }
}

/** What is on the disk of it and was not sealed yet; gives what of that is not there any more. */
export function goOn(stream: StreamState, unsealed: readonly Piece[]): readonly Hole[] {
  const { size } = stream.sealed
  const ends = unsealed.map(({ start, hashes }) => start + hashes.length / 32)
  const end = Math.max(size, ...ends)
  const { hashes, holes } = assemble(unsealed, size, end)
  stream.fresh = hashes.length > 0 ? [hashes] : []
  stream.size = end
  stream.assigned = end
  stream.added = end
  return holes
}

/** What the stream's promise is judged by goes on from its last leaves. */
export function sumUp(stream: StreamState, leaves: readonly StoredLeaf[]): void {
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
