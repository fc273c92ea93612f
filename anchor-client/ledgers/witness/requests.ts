import { bytesToHex } from '../../evidence/bytes.ts'
import {
  type Cursor,
  decodeWhole,
  malformed,
  readBytes,
  readFixedBytes,
  readTuple,
  readUint,
} from '../../evidence/codec.ts'
import { encode } from '../../evidence/encode.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { readHashId } from '../../evidence/seal.ts'
import { maxUint32 } from '../../evidence/values.ts'
import type {
  AnchorRequest,
  ForkReport,
  LedgerRequest,
  Prepared,
  RotationRequest,
} from '../ledger.ts'

/** The bytes in which a witness is asked: what the outbox keeps, and what goes over the wire as it is. */
function encodeRequest(request: LedgerRequest): Uint8Array {
  const { gateway, incarnation } = request
  switch (request.type) {
    case 'anchor': {
      const { oldSize, oldRoot, size, hashId, root, key, signature, consistency } = request
      const step = [oldSize, oldRoot, size, hashId, root]
      return encode([1, [gateway, incarnation, ...step, key, signature, consistency]])
    }
    case 'rotation': {
      const { seq, newKey, oldSignature, newSignature } = request
      return encode([4, [gateway, incarnation, seq, newKey, oldSignature, newSignature]])
    }
    case 'fork': {
      const { size, hashId, key, forks } = request
      const [one, other] = forks
      const roots = [one.root, one.signature, other.root, other.signature]
      return encode([5, [gateway, incarnation, size, hashId, key, ...roots]])
    }
  }
}

export function prepareRequest(request: LedgerRequest): Prepared {
  const at = request.type === 'rotation' ? request.seq : request.size
  const gateway = bytesToHex(request.gateway).slice(0, 16)
  const id = `${request.type} ${at} of ${gateway}…/${request.incarnation}`
  return { state: 'prepared', id, bytes: encodeRequest(request) }
}

/** The request, or undefined where the bytes are none. Its hashes and signatures are not judged yet. */
export function decodeRequest(bytes: Uint8Array): LedgerRequest | undefined {
  if (bytes.length > maxRequestBytes) return undefined
  try {
    return decodeWhole(bytes, readRequest)
  } catch (error) {
    if (error instanceof KedgeError) return undefined
    throw error
  }
}

/** Far more than the 53 or so hashes of the longest consistency proof. */
export const maxRequestBytes = 8192

function readRequest(cursor: Cursor): LedgerRequest {
  readTuple(cursor, 2, 'a request')
  const type = readUint(cursor, 5)
  switch (type) {
    case 1:
      return readAnchor(cursor)
    case 4:
      return readRotation(cursor)
    case 5:
      return readFork(cursor)
    default:
      throw malformed(cursor, 'a request of a known type')
  }
}

function readSubject(cursor: Cursor, elements: number) {
  readTuple(cursor, elements, "a request's parts")
  return { gateway: readFixedBytes(cursor, 32), incarnation: readUint(cursor, maxUint32) }
}

const readAnchor = (cursor: Cursor): AnchorRequest => ({
  type: 'anchor',
  ...readSubject(cursor, 10),
  oldSize: readUint(cursor),
  oldRoot: readFixedBytes(cursor, 32),
  size: readUint(cursor),
  hashId: readHashId(cursor),
  root: readFixedBytes(cursor, 32),
  key: readFixedBytes(cursor, 65),
  signature: readFixedBytes(cursor, 64),
  consistency: readBytes(cursor),
})

const readRotation = (cursor: Cursor): RotationRequest => ({
  type: 'rotation',
  ...readSubject(cursor, 6),
  seq: readUint(cursor),
  newKey: readFixedBytes(cursor, 65),
  oldSignature: readFixedBytes(cursor, 64),
  newSignature: readFixedBytes(cursor, 64),
})

function readFork(cursor: Cursor): ForkReport {
  const subject = readSubject(cursor, 9)
  const size = readUint(cursor)
  const hashId = readHashId(cursor)
  const key = readFixedBytes(cursor, 65)
  const fork = () => ({ root: readFixedBytes(cursor, 32), signature: readFixedBytes(cursor, 64) })
  return { type: 'fork', ...subject, size, hashId, key, forks: [fork(), fork()] }
}
