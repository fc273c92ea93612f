import { u32, u64, utf8 } from './bytes.ts'
import {
  type Cursor,
  decodeWhole,
  malformed,
  readFixedBytes,
  readOptional,
  readTuple,
  readUint,
} from './codec.ts'
import { encode } from './encode.ts'
import { historyHash } from './merkle.ts'
import type { HashId, Header, Segment } from './model.ts'
import { sm3 } from './sm3.ts'
import { maxUint32, readBound, readWall } from './values.ts'

/** The statements that a seal is made of, and what is signed (FORMAT.md sections 2 and 6). */

const headerVersion = 1

export const encodeSegment = ({ tag, size, root }: Segment): Uint8Array => encode([tag, size, root])

export const decodeHeader = (bytes: Uint8Array): Header => decodeWhole(bytes, readHeader)

function readHeader(cursor: Cursor): Header {
  readTuple(cursor, 11, 'a header')
  if (readUint(cursor) !== headerVersion) throw malformed(cursor, 'a header of version 1')
  const header: Header = {
    gateway: readFixedBytes(cursor, 32),
    incarnation: readUint(cursor, maxUint32),
    seq: readUint(cursor),
    batchRoot: readFixedBytes(cursor, 32),
    segments: readUint(cursor),
    wallMs: readOptional(cursor, readWall),
    boundMs: readOptional(cursor, readBound),
    beacon: readOptional(cursor, readBeacon),
    previous: readOptional(cursor, readPrevious),
    rotation: readOptional(cursor, readRotation),
  }
  if (header.wallMs === null && header.boundMs !== null) {
    throw malformed(cursor, 'no bound without a time')
  }
  const { seq, incarnation, previous } = header
  if (previous !== null && (seq !== 0 || previous.incarnation >= incarnation)) {
    throw malformed(cursor, 'an earlier incarnation, in header 0 only')
  }
  return header
}

function readBeacon(cursor: Cursor) {
  readTuple(cursor, 3, 'a beacon')
  return {
    ledger: readFixedBytes(cursor, 32),
    height: readUint(cursor),
    hash: readFixedBytes(cursor, 32),
  }
}

function readPrevious(cursor: Cursor) {
  readTuple(cursor, 4, 'a previous checkpoint')
  const previous = {
    incarnation: readUint(cursor, maxUint32),
    size: readUint(cursor),
    hashId: readHashId(cursor),
    root: readFixedBytes(cursor, 32),
  }
  if (previous.size < 1) throw malformed(cursor, 'a previous size of at least 1')
  return previous
}

function readRotation(cursor: Cursor) {
  readTuple(cursor, 2, 'a rotation')
  return { key: readFixedBytes(cursor, 65), signature: readFixedBytes(cursor, 64) }
}

export function readHashId(cursor: Cursor): HashId {
  const id = readUint(cursor)
  if (id !== 1 && id !== 2) throw malformed(cursor, 'hash id 1 or 2')
  return id
}

export function encodeHeader(header: Header): Uint8Array {
  const { beacon, previous, rotation } = header
  return encode([
    headerVersion,
    header.gateway,
    header.incarnation,
    header.seq,
    header.batchRoot,
    header.segments,
    header.wallMs,
    header.boundMs,
    beacon && [beacon.ledger, beacon.height, beacon.hash],
    previous && [previous.incarnation, previous.size, previous.hashId, previous.root],
    rotation && [rotation.key, rotation.signature],
  ])
}

/** What a checkpoint states: who, and how long and which its history is. */
export interface Checkpoint {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly size: number
  readonly hashId: HashId
  readonly root: Uint8Array
}

const headPrefix = Uint8Array.of(3)

export const checkpointHead = ({ hashId, size, root }: Checkpoint): Uint8Array =>
  historyHash(hashId)(headPrefix, u64(size), root)

/** M: the 32 bytes that the gateway signs, and that a chain's `sm2Verify` takes. */
export const checkpointMessage = messageAfter(utf8('kedge/checkpoint/v1\0'))

/** Signed while it is not known what the ledgers hold: never evidence. */
export const interimMessage = messageAfter(utf8('kedge/interim/v1\0'))

function messageAfter(prefix: Uint8Array) {
  return (checkpoint: Checkpoint): Uint8Array =>
    sm3(
      prefix,
      checkpoint.gateway,
      u32(checkpoint.incarnation),
      u64(checkpoint.size),
      Uint8Array.of(checkpoint.hashId),
      checkpointHead(checkpoint),
    )
}

interface Incarnation {
  readonly gateway: Uint8Array
  readonly incarnation: number
}

const rotationPrefix = utf8('kedge/rotation/v1\0')

/** What a new key signs to show that it exists and belongs here. */
export const rotationMessage = (
  { gateway, incarnation }: Incarnation,
  seq: number,
  newKey: Uint8Array,
): Uint8Array => sm3(rotationPrefix, gateway, u32(incarnation), u64(seq), newKey)

const erasePrefix = utf8('kedge/erase/v1\0')

/** What a controller signs to order a stream's erasure. */
export const eraseMessage = (
  { gateway, incarnation }: Incarnation,
  tag: Uint8Array,
  order: Uint8Array,
): Uint8Array => sm3(erasePrefix, gateway, u32(incarnation), tag, order)
