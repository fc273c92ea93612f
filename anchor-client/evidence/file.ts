import {
  type Cursor,
  malformed,
  readBytes,
  readCount,
  readFixedBytes,
  readOptional,
  readTuple,
  readUint,
} from './codec.ts'
import { encode } from './encode.ts'
import { KedgeError } from './errors.ts'
import { maxLeaves, readHashes, readLeaves } from './leaves.ts'
import type {
  EvidenceFile,
  FileStream,
  Leaf,
  LedgerProof,
  Range,
  Seal,
  SealSegment,
  SignedCheckpoint,
} from './model.ts'
import { proofKinds } from './proofs/index.ts'
import { decodeHeader, readHashId } from './seal.ts'
import { decodeDescriptor } from './stream.ts'

/** An evidence file, from its bytes (FORMAT.md section 8). */

export const magic = Uint8Array.of(0x4b, 0x45, 0x44, 0x47, 0x45)
export const version = 1
export const limits = {
  bytes: 64 * 1024 * 1024,
  streams: 1024,
  ranges: 4096,
  leaves: maxLeaves,
  seals: 64,
  checkpoints: 8,
  anchors: 8,
  signatures: 1024,
  proof: 1024 * 1024,
  path: 64,
  beside: 128,
} as const

export function decodeEvidence(given: Uint8Array): EvidenceFile {
  // A plain view: what only extends a byte array may slice and print itself in ways of its own.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length)
  checkStart(bytes)
  const cursor: Cursor = { bytes, at: magic.length + 1 }
  const tally: Tally = { leaves: 0, signatures: 0 }
  readTuple(cursor, 3, 'streams, ranges and seals: an array')
  const file = {
    streams: readList(cursor, limits.streams, 'streams', readStream),
    ranges: readList(cursor, limits.ranges, 'ranges', (at) => readRange(at, tally)),
    seals: readList(cursor, limits.seals, 'seals', (at) => readSeal(at, tally)),
  }
  if (cursor.at !== bytes.length) throw malformed(cursor, 'the end of the file')
  const streamOf = [...file.ranges, ...file.seals.flatMap(({ segments }) => segments)]
  if (streamOf.some(({ stream }) => stream >= file.streams.length)) {
    throw new KedgeError(
      'EVIDENCE_MALFORMED',
      'a range or segment names a stream that is not there',
    )
  }
  return file
}

function checkStart(bytes: Uint8Array): void {
  const refuse = (why: string) => new KedgeError('EVIDENCE_MALFORMED', why)
  if (bytes.length > limits.bytes) {
    throw refuse(`${bytes.length} bytes, more than the limit of ${limits.bytes}`)
  }
  if (!magic.every((byte, i) => bytes[i] === byte)) {
    const looksLikeJson = bytes[0] === 0x7b
    throw refuse(
      looksLikeJson
        ? 'this is a JSON text, such as a trust file, not an evidence file'
        : 'not an evidence file: it does not begin with "KEDGE"',
    )
  }
  if (bytes[magic.length] !== version) {
    throw refuse(
      `version ${bytes[magic.length] ?? 'missing'}, and this verifier knows version ${version}`,
    )
  }
}

/** What is counted over the whole file while it is read. */
interface Tally {
  leaves: number
  signatures: number
}

function countSignatures(cursor: Cursor, tally: Tally, more: number): void {
  tally.signatures += more
  if (tally.signatures > limits.signatures) {
    throw malformed(cursor, `at most ${limits.signatures} signatures`)
  }
}

function readList<T>(cursor: Cursor, most: number, what: string, read: (at: Cursor) => T): T[] {
  const list: T[] = []
  for (let left = readCount(cursor, 1, most, what); left > 0; left--) list.push(read(cursor))
  return list
}

function readStream(cursor: Cursor): FileStream {
  readTuple(cursor, 2, 'a stream')
  const tag = readFixedBytes(cursor, 32)
  const descriptorBytes = readBytes(cursor, 'a descriptor')
  return { tag, descriptorBytes, descriptor: decodeDescriptor(descriptorBytes) }
}

function readRange(cursor: Cursor, tally: Tally): Range {
  readTuple(cursor, 5, 'a range')
  const stream = readUint(cursor)
  const from = readUint(cursor)
  const left = readHashes(cursor, limits.beside)
  const { leaves, items, to } = readLeaves(cursor, from, limits.leaves - tally.leaves, (leaf) => {
    if (isErase(leaf)) countSignatures(cursor, tally, 1)
  })
  tally.leaves += items
  return { stream, from, to, left, leaves, right: readHashes(cursor, limits.beside) }
}

const isErase = (leaf: Leaf): boolean => leaf.form === 'opened' && leaf.record.type === 'erase'

function readSeal(cursor: Cursor, tally: Tally): Seal {
  readTuple(cursor, 4, 'a seal')
  const headerBytes = readBytes(cursor, 'a header')
  const header = decodeHeader(headerBytes)
  const segments = readList(cursor, limits.streams, 'segments', readSegment)
  const beaconProof = readOptional(cursor, readProof)
  const checkpoints = readList(cursor, limits.checkpoints, 'checkpoints', (at) => {
    const checkpoint = readCheckpoint(at)
    countSignatures(at, tally, 1 + checkpoint.anchors.length)
    return checkpoint
  })
  countSignatures(cursor, tally, (beaconProof ? 1 : 0) + (header.rotation ? 1 : 0))
  return { headerBytes, header, segments, beaconProof, checkpoints }
}

function readSegment(cursor: Cursor): SealSegment {
  readTuple(cursor, 5, 'a segment')
  return {
    stream: readUint(cursor),
    position: readUint(cursor),
    size: readSize(cursor),
    root: readFixedBytes(cursor, 32),
    path: readHashes(cursor, limits.path),
  }
}

function readSize(cursor: Cursor): number {
  const size = readUint(cursor)
  if (size < 1) throw malformed(cursor, 'a size of at least 1')
  return size
}

function readCheckpoint(cursor: Cursor): SignedCheckpoint {
  readTuple(cursor, 7, 'a checkpoint')
  return {
    size: readSize(cursor),
    hashId: readHashId(cursor),
    root: readFixedBytes(cursor, 32),
    key: readFixedBytes(cursor, 65),
    signature: readFixedBytes(cursor, 64),
    path: readHashes(cursor, limits.path),
    anchors: readAnchors(cursor),
  }
}

function readAnchors(cursor: Cursor): LedgerProof[] {
  const anchors: LedgerProof[] = []
  for (let left = readCount(cursor, 0, limits.anchors, 'anchors'); left > 0; left--) {
    anchors.push(readProof(cursor))
  }
  return anchors
}

function readProof(cursor: Cursor): LedgerProof {
  readTuple(cursor, 2, "a ledger's kind and proof")
  const kind = readUint(cursor)
  if (!proofKinds.some((known) => known.kind === kind)) {
    throw malformed(cursor, `a kind of ledger that this version knows, not ${kind}`)
  }
  const proof = readBytes(cursor, 'a proof')
  if (proof.length > limits.proof)
    throw malformed(cursor, `a proof of at most ${limits.proof} bytes`)
  return { kind, proof }
}

export const encodeAnchor = ({ kind, proof }: LedgerProof): Uint8Array => encode([kind, proof])
