import { bytesToHex, equalBytes, utf8 } from '../bytes.ts'
import {
  type Cursor,
  cursorOf,
  malformed,
  readArray,
  readBytes,
  readFixedBytes,
  readOptional,
  readTuple,
  readUint,
  skipItem,
} from '../codec.ts'
import { encode } from '../encode.ts'
import { KedgeError } from '../errors.ts'
import { type Checkpoint, checkpointHead } from '../seal.ts'
import { keyId, verifySm2 } from '../sm2.ts'
import { sm3 } from '../sm3.ts'
import { readWall } from '../values.ts'
import type { ProofKind } from './proof.ts'

/** A witness: whoever keeps a gateway's last head, and signs entries that chain by hash (FORMAT.md section 7). */
export const witnessProofs: ProofKind = {
  kind: 1,
  name: 'witness',
  heightOf: 'entry',

  readPin(fields) {
    const key = fields.publicKey('publicKey')
    return {
      ledgerId: bytesToHex(keyId(key)),
      code: fields.oneOf('rules', ruleNames, 'extensions'),
    }
  },

  judgeAnchor(proof, checkpoint) {
    const entry = decodeProof(proof, maxAnchorBytes, readAnchor)
    if (entry instanceof KedgeError) return { holds: false, why: entry.message }
    const { key, rules, wallMs, signature } = entry
    const message = entryMessage(encodeAnchorEntry(entry, checkpoint))
    if (!verifySm2(key, message, signature)) {
      return { holds: false, why: 'the witness did not sign this gateway, size and root' }
    }
    return {
      holds: true,
      ledgerId: bytesToHex(keyId(key)),
      mayBe: [],
      code: ruleNames[rules] as string,
      extensionsOnly: rules === extensionsOnly,
      timeMs: wallMs,
      height: entry.number,
      isStanding: false,
      note: null,
    }
  },

  judgeBeacon(proof, beacon) {
    const signed = decodeProof(proof, maxBeaconBytes, readBeaconProof)
    if (signed instanceof KedgeError) return { holds: false, why: signed.message }
    const { key, entry, number, wallMs, signature } = signed
    const message = entryMessage(entry)
    const isNamed = number === beacon.height && equalBytes(message, beacon.hash)
    if (!isNamed || !equalBytes(keyId(key), beacon.ledger)) {
      return { holds: false, why: 'the entry is not the one that the header names' }
    }
    if (!verifySm2(key, message, signature)) {
      return { holds: false, why: "the entry is not signed by the witness's key" }
    }
    return { holds: true, timeMs: wallMs, doubt: null }
  },
}

const maxAnchorBytes = 1024
const maxBeaconBytes = 4096
/** By the number that an entry states. */
const ruleNames = ['any', 'extensions'] as const
/** The rules of a witness that takes only extensions of what it took before. */
export const extensionsOnly = 1
export const anchorEntry = 1

const entryPrefix = utf8('kedge/entry/v1\0')

/** What a witness signs, and what the next entry names as the one before. */
export const entryMessage = (entry: Uint8Array): Uint8Array => sm3(entryPrefix, entry)

/** The part of an entry that its proof carries; the rest is what it anchored. */
export interface WitnessEntry {
  readonly rules: number
  readonly number: number
  readonly previous: Uint8Array
  readonly wallMs: number | null
}

export const encodeAnchorEntry = (entry: WitnessEntry, checkpoint: Checkpoint): Uint8Array =>
  encode([
    anchorEntry,
    entry.rules,
    entry.number,
    entry.previous,
    entry.wallMs,
    checkpoint.gateway,
    checkpoint.incarnation,
    checkpoint.size,
    checkpoint.hashId,
    checkpointHead(checkpoint),
  ])

interface SignedEntry extends WitnessEntry {
  readonly key: Uint8Array
  readonly signature: Uint8Array
}

export const encodeAnchorProof = (entry: SignedEntry): Uint8Array =>
  encode([entry.key, entry.rules, entry.number, entry.previous, entry.wallMs, entry.signature])

export const encodeBeaconProof = (
  key: Uint8Array,
  entry: Uint8Array,
  signature: Uint8Array,
): Uint8Array => encode([key, entry, signature])

/** The value that `read` takes from the whole proof, or the reason why there is none. */
function decodeProof<T>(proof: Uint8Array, most: number, read: (cursor: Cursor) => T) {
  if (proof.length > most) {
    return new KedgeError('EVIDENCE_MALFORMED', `a witness's proof has at most ${most} bytes`)
  }
  const cursor = cursorOf(proof)
  try {
    const value = read(cursor)
    return cursor.at === proof.length ? value : malformed(cursor, "the proof's end")
  } catch (error) {
    if (error instanceof KedgeError) return error
    throw error
  }
}

function readEntry(cursor: Cursor): WitnessEntry {
  return {
    rules: readUint(cursor, ruleNames.length - 1),
    number: readUint(cursor),
    previous: readFixedBytes(cursor, 32),
    wallMs: readOptional(cursor, readWall),
  }
}

function readAnchor(cursor: Cursor): SignedEntry {
  readTuple(cursor, 6, "a witness's proof")
  const key = readFixedBytes(cursor, 65)
  const entry = readEntry(cursor)
  return { key, ...entry, signature: readFixedBytes(cursor, 64) }
}

function readBeaconProof(cursor: Cursor) {
  readTuple(cursor, 3, "a beacon's proof")
  const key = readFixedBytes(cursor, 65)
  const entry = readBytes(cursor, 'an entry')
  const signature = readFixedBytes(cursor, 64)
  const inner = cursorOf(entry)
  const elements = readArray(inner, 'an entry')
  if (elements < 5) throw malformed(inner, 'an entry of at least 5 elements')
  readUint(inner)
  const { number, wallMs } = readEntry(inner)
  for (let left = elements - 5; left > 0; left--) skipItem(inner, 2)
  if (inner.at !== entry.length) throw malformed(inner, "the entry's end")
  return { key, entry, signature, number, wallMs }
}
