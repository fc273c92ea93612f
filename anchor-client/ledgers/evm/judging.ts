import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { isExtension } from '../../evidence/consistency.ts'
import { historyHash } from '../../evidence/merkle.ts'
import { checkpointHead, checkpointMessage, rotationMessage } from '../../evidence/seal.ts'
import { isPublicKey, keyId, verifySm2 } from '../../evidence/sm2.ts'
import type {
  AnchorRequest,
  ForkReport,
  LedgerRequest,
  Outcome,
  Refusal,
  RotationRequest,
} from '../ledger.ts'
import { acceptCall, anchorCall, forkCall, intentOf, offerName, rotateCall } from './requests.ts'
import { hexOf } from './rpc/values.ts'
import { type EvmParts, type Standing, settled, standingOf } from './standing.ts'
import type { Incarnation } from './state.ts'

/**
 * Judges a request before it is signed: what the contract would refuse costs nothing then, and what it cannot check,
 * as the SM2 signatures, is checked here.
 */
export type Judged =
  | { readonly state: 'take'; readonly call: Uint8Array; readonly standing: Standing }
  | Outcome

/** Device keys that were seen with requests, by their ids: the contract holds the ids alone. */
export type KnownKeys = Map<string, Uint8Array>

export async function judgeRequest(
  parts: EvmParts,
  request: LedgerRequest,
  keys: KnownKeys,
  own: Uint8Array,
  signal: AbortSignal,
): Promise<Judged> {
  const malformed = malformedIn(request)
  if (malformed !== null) return refused('malformed', malformed)
  const standing = await standingOf(parts, request, signal)
  const { atHead } = standing
  if (!atHead.isAdmitted) {
    return atHead.isRegistered
      ? refused('incarnation-unknown', `incarnation ${request.incarnation} was never granted`)
      : refused('unregistered', 'this gateway is not registered there')
  }
  if (request.type !== 'rotation' && request.hashId !== atHead.hashId) {
    return refused('other-hash', `this history is hashed by hash id ${atHead.hashId}`)
  }
  const call = callOf(request, atHead, own)
  const intent = intentOf(call)
  if (intent === undefined) return refused('malformed', 'no call says this')
  const before = await settled(parts, intent, standing, signal)
  if (before !== null) return before
  const doubt = doubtsAbout(request, standing, keys, own)
  return doubt ?? { state: 'take', call, standing }
}

function malformedIn(request: LedgerRequest): string | null {
  if (request.type === 'rotation') return null
  if (!Number.isSafeInteger(request.size)) return 'no history is of this size'
  if (request.size < 1) return 'an empty history is not anchored'
  const isOne = request.type === 'fork' && equalBytes(request.forks[0].root, request.forks[1].root)
  return isOne ? 'one root is no fork' : null
}

function callOf(request: LedgerRequest, of: Incarnation, own: Uint8Array): Uint8Array {
  switch (request.type) {
    case 'anchor': {
      const { consistency } = request
      // What is no list of hashes is no proof either: it is refused as such below.
      const whole = consistency.subarray(0, consistency.length - (consistency.length % 32))
      return anchorCall({ ...request, consistency: whole })
    }
    case 'rotation': {
      const isOffered = equalBytes(of.offer, offerName(request.seq, keyId(request.newKey), own))
      return isOffered ? acceptCall(request) : rotateCall(request, request.account ?? own)
    }
    case 'fork':
      return forkCall(request)
  }
}

function doubtsAbout(
  request: LedgerRequest,
  standing: Standing,
  keys: KnownKeys,
  own: Uint8Array,
): Outcome | null {
  switch (request.type) {
    case 'anchor':
      return doubtsAboutAnchor(request, standing, keys, own)
    case 'rotation':
      return doubtsAboutRotation(request, standing.atHead, keys, own)
    case 'fork':
      return doubtsAboutFork(request, standing.atHead)
  }
}

function doubtsAboutAnchor(
  request: AnchorRequest,
  { atHead, atFinal }: Standing,
  keys: KnownKeys,
  own: Uint8Array,
): Outcome | null {
  const { key, hashId, oldSize, oldRoot, size, root, consistency } = request
  if (!equalBytes(keyId(key), atHead.keyId))
    return refused('other-key', 'another key is registered')
  if (!isPublicKey(key) || !verifySm2(key, checkpointMessage(request), request.signature)) {
    return refused('signature', 'the gateway did not sign this checkpoint')
  }
  keys.set(bytesToHex(atHead.keyId), key)
  const closed = closedBy(atHead)
  if (closed) return closed
  if (oldSize !== atHead.size) {
    return { state: 'lapsed', why: `${atHead.size} headers are anchored, not ${oldSize}` }
  }
  const isOurs =
    oldSize === 0 ||
    equalBytes(checkpointHead({ ...request, size: oldSize, root: oldRoot }), atHead.head)
  if (!isOurs) {
    // Whoever signs on top of another history of this size has forked.
    return atFinal.size === oldSize
      ? { state: 'conflict', size: oldSize, head: atFinal.head }
      : { state: 'unknown', why: `another history of ${oldSize} batches is there, not final yet` }
  }
  if (!isExtension(historyHash(hashId), oldSize, oldRoot, size, root, consistency)) {
    return refused('no-extension', `it is not shown to extend the ${oldSize} headers anchored here`)
  }
  return strangerTo(atHead, own)
}

function doubtsAboutRotation(
  { newKey, seq, ...request }: RotationRequest,
  of: Incarnation,
  keys: KnownKeys,
  own: Uint8Array,
): Outcome | null {
  const closed = closedBy(of)
  if (closed) return closed
  if (of.rotatedIn !== null && of.rotatedIn >= seq) {
    return { state: 'lapsed', why: `the key was rotated in header ${of.rotatedIn}` }
  }
  if (equalBytes(keyId(newKey), of.keyId)) return refused('other-key', 'this is the key in use')
  const message = rotationMessage(request, seq, newKey)
  const oldKey = keys.get(bytesToHex(of.keyId))
  // The contract holds the id of a key alone. Where we never saw the key itself, its account stands for it.
  if (oldKey && !verifySm2(oldKey, message, request.oldSignature)) {
    return refused('signature', 'the key in use did not sign this rotation')
  }
  if (!isPublicKey(newKey) || !verifySm2(newKey, message, request.newSignature)) {
    return refused('signature', 'the new key did not sign for itself')
  }
  keys.set(bytesToHex(keyId(newKey)), newKey)
  return equalBytes(of.offer, offerName(seq, keyId(newKey), own)) ? null : strangerTo(of, own)
}

/** Anybody may report one, also of what is closed. */
function doubtsAboutFork(report: ForkReport, of: Incarnation): Outcome | null {
  const { forks, key } = report
  if (!equalBytes(keyId(key), of.keyId)) return refused('other-key', 'another key is registered')
  const isSigned =
    isPublicKey(key) &&
    forks.every(({ root, signature }) =>
      verifySm2(key, checkpointMessage({ ...report, root }), signature),
    )
  return isSigned ? null : refused('signature', 'the gateway did not sign both checkpoints')
}

export function closedBy({ stands }: Incarnation): Outcome | null {
  if (stands === 'open') return null
  const reason = stands === 'closed' ? 'incarnation-closed' : 'frozen'
  return refused(reason, `this incarnation is ${stands}`)
}

/** The account stands for the device key: another one may hold the key and still not write. */
export const strangerTo = ({ account }: Incarnation, own: Uint8Array): Outcome | null =>
  equalBytes(account, own)
    ? null
    : refused(
        'not-permitted',
        `account ${hexOf(account)} is registered for this gateway, and ours is ${hexOf(own)}`,
      )

export const refused = (reason: Refusal, why: string): Outcome => ({
  state: 'refused',
  reason,
  why,
})
