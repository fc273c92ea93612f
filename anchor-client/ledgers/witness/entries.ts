import {
  type Cursor,
  decodeWhole,
  malformed,
  readArray,
  readBytes,
  readFixedBytes,
  readOptional,
  readTuple,
  readUint,
} from '../../evidence/codec.ts'
import { encode, type Item } from '../../evidence/encode.ts'
import type { HashId } from '../../evidence/model.ts'
import {
  anchorEntry,
  entryMessage,
  extensionsOnly,
  type WitnessEntry,
} from '../../evidence/proofs/witness.ts'
import { readHashId } from '../../evidence/seal.ts'
import { maxUint32, readWall } from '../../evidence/values.ts'
import type { ForkReport, RotationRequest } from '../ledger.ts'

/** What a witness writes down, entry by entry (FORMAT.md section 7). */
export type EntryBody =
  | (Subject & {
      readonly type: 'anchor'
      readonly size: number
      readonly hashId: HashId
      readonly head: Uint8Array
    })
  | (Subject & {
      readonly type: 'registration'
      readonly hashId: HashId
      readonly key: Uint8Array
    })
  | (Subject & {
      readonly type: 'incarnation'
      readonly hashId: HashId
      readonly key: Uint8Array
      /** The incarnation that this one closes, and its last anchored size (0: none) and head. */
      readonly closed: number
      readonly closedSize: number
      readonly closedHead: Uint8Array
    })
  | RotationRequest
  | ForkReport

interface Subject {
  readonly gateway: Uint8Array
  readonly incarnation: number
}

const types = {
  anchor: anchorEntry,
  registration: 2,
  incarnation: 3,
  rotation: 4,
  fork: 5,
} as const satisfies { [Type in EntryBody['type']]: number }

const typeNames = Object.keys(types) as EntryBody['type'][]

export function encodeEntry(at: WitnessEntry, body: EntryBody): Uint8Array {
  return encode([
    types[body.type],
    at.rules,
    at.number,
    at.previous,
    at.wallMs,
    body.gateway,
    body.incarnation,
    ...rest(body),
  ])
}

function rest(body: EntryBody) {
  switch (body.type) {
    case 'anchor':
      return [body.size, body.hashId, body.head]
    case 'registration':
      return [body.hashId, body.key]
    case 'incarnation':
      return [body.hashId, body.key, body.closed, body.closedSize, body.closedHead]
    case 'rotation':
      return [body.seq, body.newKey, body.oldSignature, body.newSignature]
    case 'fork': {
      const [one, other] = body.forks
      const roots = [one.root, one.signature, other.root, other.signature]
      return [body.size, body.hashId, body.key, ...roots]
    }
  }
}

type Entry = WitnessEntry & { readonly body: EntryBody }

const decodeEntry = (bytes: Uint8Array): Entry => decodeWhole(bytes, readEntry)

/** An entry as it is kept and handed out: its bytes, and the witness's signature over their message. */
export interface SignedEntry {
  readonly entry: Entry
  readonly bytes: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

export const signedItem = ({ bytes, signature }: Omit<SignedEntry, 'entry' | 'message'>): Item => [
  bytes,
  signature,
]

/** The signature is not judged yet. */
export function readSigned(cursor: Cursor): SignedEntry {
  readTuple(cursor, 2, 'a signed entry')
  const bytes = readBytes(cursor, 'an entry')
  const signature = readFixedBytes(cursor, 64)
  return { entry: decodeEntry(bytes), bytes, message: entryMessage(bytes), signature }
}

function readEntry(cursor: Cursor): Entry {
  const elements = readArray(cursor, 'an entry')
  const type = typeNames.find((name) => types[name] === cursor.bytes[cursor.at])
  if (type === undefined) throw malformed(cursor, 'an entry of a known type')
  cursor.at += 1
  const rules = readUint(cursor, extensionsOnly)
  const number = readUint(cursor)
  const previous = readFixedBytes(cursor, 32)
  const wallMs = readOptional(cursor, readWall)
  const gateway = readFixedBytes(cursor, 32)
  const incarnation = readUint(cursor, maxUint32)
  const body = readBody(cursor, type, { gateway, incarnation })
  if (elements !== 7 + rest(body).length) throw malformed(cursor, `the end of a ${type}`)
  return { rules, number, previous, wallMs, body }
}

function readBody(cursor: Cursor, type: EntryBody['type'], subject: Subject): EntryBody {
  const size = () => readUint(cursor)
  const bytes = (length: number) => readFixedBytes(cursor, length)
  switch (type) {
    case 'anchor':
      return { type, ...subject, size: size(), hashId: readHashId(cursor), head: bytes(32) }
    case 'registration':
      return { type, ...subject, hashId: readHashId(cursor), key: bytes(65) }
    case 'incarnation': {
      const [hashId, key] = [readHashId(cursor), bytes(65)]
      const closed = readUint(cursor, maxUint32)
      return { type, ...subject, hashId, key, closed, closedSize: size(), closedHead: bytes(32) }
    }
    case 'rotation': {
      const [seq, newKey] = [size(), bytes(65)]
      return { type, ...subject, seq, newKey, oldSignature: bytes(64), newSignature: bytes(64) }
    }
    case 'fork': {
      const [forkSize, hashId, key] = [size(), readHashId(cursor), bytes(65)]
      const fork = () => ({ root: bytes(32), signature: bytes(64) })
      return { type, ...subject, size: forkSize, hashId, key, forks: [fork(), fork()] }
    }
  }
}
