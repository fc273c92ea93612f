import { u32, utf8 } from '../../evidence/bytes.ts'
import {
  type Cursor,
  decodeWhole,
  readBytes,
  readCount,
  readFixedBytes,
  readOptional,
  readTuple,
  readUint,
} from '../../evidence/codec.ts'
import { encode, type Item } from '../../evidence/encode.ts'
import { extensionsOnly } from '../../evidence/proofs/witness.ts'
import { sm3 } from '../../evidence/sm3.ts'
import { readSigned, type SignedEntry, signedItem } from './entries.ts'

/**
 * What a witness says about itself, and about a gateway. It signs each over the asker's nonce: what stops a
 * restored gateway from signing a fork must not be yesterday's word, nor somebody else's `absent`.
 */
interface SelfStatement {
  readonly key: Uint8Array
  readonly rules: number
  readonly count: number
}

/** The entries from which the state of an incarnation follows; null where there is no such entry. */
export interface StateEntries {
  readonly admission: SignedEntry
  readonly rotation: SignedEntry | null
  readonly anchor: SignedEntry | null
  readonly fork: SignedEntry | null
  /** The grant of the next incarnation. */
  readonly closing: SignedEntry | null
}

export const nonceBytes = 16

const prefix = utf8('kedge/witness/v1\0')

export const aboutItself = Uint8Array.of(0)

/** The question that is answered, as part of what is signed. */
export const aboutGateway = (gateway: Uint8Array, incarnation: number): Uint8Array =>
  Uint8Array.of(1, ...gateway, ...u32(incarnation))

export const statementMessage = (
  nonce: Uint8Array,
  question: Uint8Array,
  body: Uint8Array,
): Uint8Array => sm3(prefix, nonce, Uint8Array.of(question.length), question, body)

interface Statement {
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

export const encodeStatement = ({ body, signature }: Statement): Uint8Array =>
  encode([body, signature])

export const decodeStatement = (bytes: Uint8Array): Statement =>
  decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 2, 'a statement')
    return { body: readBytes(cursor), signature: readFixedBytes(cursor, 64) }
  })

export const encodeSelf = ({ key, rules, count }: SelfStatement): Uint8Array =>
  encode([key, rules, count])

export const decodeSelf = (body: Uint8Array): SelfStatement =>
  decodeWhole(body, (cursor) => {
    readTuple(cursor, 3, 'what a witness is')
    const key = Uint8Array.from(readFixedBytes(cursor, 65))
    return { key, rules: readUint(cursor, extensionsOnly), count: readUint(cursor) }
  })

export function encodeState(entries: StateEntries | null): Uint8Array {
  if (entries === null) return encode(null)
  const { admission, rotation, anchor, fork, closing } = entries
  return encode([
    signedItem(admission),
    ...[rotation, anchor, fork, closing].map((entry): Item => entry && signedItem(entry)),
  ])
}

export const decodeState = (body: Uint8Array): StateEntries | null =>
  decodeWhole(body, (cursor) => readOptional(cursor, readState))

function readState(cursor: Cursor): StateEntries {
  readTuple(cursor, 5, "a gateway's state")
  const entry = () => readOptional(cursor, readSigned)
  return {
    admission: readSigned(cursor),
    rotation: entry(),
    anchor: entry(),
    fork: entry(),
    closing: entry(),
  }
}

/** At most so many entries go into one answer. */
export const pageEntries = 64

export const encodePage = (entries: readonly SignedEntry[]): Uint8Array =>
  encode(entries.map(signedItem))

export const decodePage = (bytes: Uint8Array): readonly SignedEntry[] =>
  decodeWhole(bytes, (cursor) => {
    const count = readCount(cursor, 0, pageEntries, 'entries')
    return Array.from({ length: count }, () => readSigned(cursor))
  })
