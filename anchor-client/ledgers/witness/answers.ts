import {
  type Cursor,
  decodeWhole,
  malformed,
  maxTextBytes,
  readFixedBytes,
  readOptional,
  readText,
  readTuple,
  readUint,
} from '../../evidence/codec.ts'
import { encode, type Item } from '../../evidence/encode.ts'
import type { Anchored, Outcome, Place, Refusal } from '../ledger.ts'
import { readSigned, type SignedEntry, signedItem } from './entries.ts'

/** What a witness says to a request, with the entries that bear it out: in the process and over the wire. */
export type Answer =
  /** Taken as this entry, now or before. */
  | { readonly state: 'taken'; readonly entry: SignedEntry }
  /** The anchor of a larger size. */
  | { readonly state: 'covered'; readonly entry: SignedEntry }
  /** The anchor of this size with another root; null for the empty history. */
  | {
      readonly state: 'conflict'
      readonly size: number
      readonly head: Uint8Array
      readonly entry: SignedEntry | null
    }
  | { readonly state: 'refused'; readonly reason: Refusal; readonly why: string }
  | { readonly state: 'lapsed'; readonly why: string }
  | { readonly state: 'unknown'; readonly why: string }

export const placeOf = ({ entry, message }: SignedEntry): Place => ({
  height: entry.number,
  hash: message,
  timeMs: entry.wallMs,
  cost: null,
})

/** The anchor that an entry is; of any other kind of entry it is a programmer's mistake to ask. */
export function anchoredIn(signed: SignedEntry): Anchored {
  const { body } = signed.entry
  if (body.type !== 'anchor') throw new TypeError(`a ${body.type} is no anchor`)
  return { size: body.size, head: body.head, place: placeOf(signed) }
}

export function outcomeOf(answer: Answer): Outcome {
  switch (answer.state) {
    case 'taken':
      return { state: 'final', place: placeOf(answer.entry) }
    case 'covered':
      return { state: 'covered', by: anchoredIn(answer.entry) }
    case 'conflict':
      return { state: 'conflict', size: answer.size, head: answer.head }
    default:
      return answer
  }
}

/** `[0, entry] | [1, entry] | [2, size, head, entry or null] | [3, reason, why] | [4, why] | [5, why]` */
export function encodeAnswer(answer: Answer): Uint8Array {
  switch (answer.state) {
    case 'taken':
      return encode([0, signedItem(answer.entry)])
    case 'covered':
      return encode([1, signedItem(answer.entry)])
    case 'conflict': {
      const { size, head, entry } = answer
      return encode([2, size, head, entry && signedItem(entry)])
    }
    case 'refused':
      return encode([3, refusals.indexOf(answer.reason), sayable(answer.why)])
    case 'lapsed':
      return encode([4, sayable(answer.why)])
    case 'unknown':
      return encode([5, sayable(answer.why)])
  }
}

/** Throws `EVIDENCE_MALFORMED`. The entries are not judged yet. */
export const decodeAnswer = (bytes: Uint8Array): Answer => decodeWhole(bytes, readAnswer)

function readAnswer(cursor: Cursor): Answer {
  const start = cursor.at
  const elements = lengths[(cursor.bytes[start + 1] ?? 0xff) as keyof typeof lengths]
  if (elements === undefined) throw malformed(cursor, 'an answer of a known kind')
  readTuple(cursor, elements, 'an answer')
  const why = () => readText(cursor, maxTextBytes)
  switch (readUint(cursor, 5)) {
    case 0:
      return { state: 'taken', entry: readSigned(cursor) }
    case 1:
      return { state: 'covered', entry: readSigned(cursor) }
    case 2: {
      const [size, head] = [readUint(cursor), readFixedBytes(cursor, 32)]
      return { state: 'conflict', size, head, entry: readOptional(cursor, readSigned) }
    }
    case 3: {
      const reason = refusals[readUint(cursor, refusals.length - 1)] as Refusal
      return { state: 'refused', reason, why: why() }
    }
    case 4:
      return { state: 'lapsed', why: why() }
    default:
      return { state: 'unknown', why: why() }
  }
}

/** Elements by the number that says which kind of answer it is. */
const lengths = { 0: 2, 1: 2, 2: 4, 3: 3, 4: 2, 5: 2 } as const

/** By the number that goes over the wire: only ever lengthened. */
const refusals = [
  'unregistered',
  'incarnation-unknown',
  'incarnation-closed',
  'frozen',
  'other-hash',
  'other-key',
  'signature',
  'no-extension',
  'malformed',
  'not-permitted',
] as const satisfies readonly Refusal[]

/** A reason may quote an error of the system, which may be long. */
const sayable = (why: string): Item => why.slice(0, 80).replace(/\p{Cs}/gu, '?') || '-'
