import type { Frontier } from '../../anchor-client/evidence/merkle.ts'
import type { Descriptor, Time } from '../../anchor-client/evidence/model.ts'
import { decodeDescriptor, streamTag } from '../../anchor-client/evidence/stream.ts'
import { emptyFrontier } from './growing-tree.ts'

/** What is known of an open stream without looking at the disk. */
export interface StreamState {
  readonly number: number
  readonly tag: Uint8Array
  readonly descriptor: Descriptor
  readonly descriptorBytes: Uint8Array
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

export function newStreamState(number: number, descriptorBytes: Uint8Array): StreamState {
  return {
    number,
    tag: streamTag(descriptorBytes),
    descriptor: decodeDescriptor(descriptorBytes),
    descriptorBytes,
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
