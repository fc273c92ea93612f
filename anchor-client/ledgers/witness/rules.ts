import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { isExtension } from '../../evidence/consistency.ts'
import { historyHash } from '../../evidence/merkle.ts'
import type { HashId } from '../../evidence/model.ts'
import { checkpointHead, checkpointMessage, rotationMessage } from '../../evidence/seal.ts'
import { isPublicKey, verifySm2 } from '../../evidence/sm2.ts'
import type {
  Admission,
  AnchorRequest,
  ForkReport,
  LedgerRequest,
  Outcome,
  Refusal,
  RotationRequest,
} from '../ledger.ts'
import type { EntryBody } from './entries.ts'

/**
 * What a witness takes, what it refuses, and why: the same in the process and behind HTTPS. Pure but for
 * `record`, which folds an entry that was written into the register. No rule looks at a time.
 */
export type Judgement =
  /** To be written as the next entry. */
  | { readonly state: 'take'; readonly body: EntryBody }
  /** Taken before, as this entry: the answer is what was written then. */
  | { readonly state: 'taken'; readonly number: number }
  | { readonly state: 'covered'; readonly by: Anchor }
  | Extract<Outcome, { state: 'conflict' | 'refused' | 'lapsed' }>

/** By gateway id in hex; of each, the incarnations in the order in which they were admitted. */
export type Register = Map<string, Incarnation[]>

export interface Incarnation {
  readonly admission: Admission
  readonly admittedAs: number
  /** Ascending by size; the last one is the head. */
  readonly anchors: Anchor[]
  key: Uint8Array
  rotation: { readonly seq: number; readonly number: number } | null
  fork: number | null
}

export interface Anchor {
  readonly size: number
  readonly head: Uint8Array
  readonly number: number
}

export const findIncarnation = (
  register: Register,
  { gateway, incarnation }: Subject,
): Incarnation | undefined =>
  register.get(bytesToHex(gateway))?.find(({ admission }) => admission.incarnation === incarnation)

/** What was anchored last; of nothing anchored, the head of the empty history. */
export const headOf = ({ anchors, admission }: Incarnation) =>
  anchors.at(-1) ?? { size: 0, head: emptyHead(admission) }

export function standing(register: Register, of: Incarnation): 'open' | 'closed' | 'frozen' {
  const newest = register.get(bytesToHex(of.admission.gateway))?.at(-1)
  if (newest !== of) return 'closed'
  return of.fork === null ? 'open' : 'frozen'
}

/** The anchor of this size or the next larger one. */
export function anchorCovering({ anchors }: Incarnation, size: number): Anchor | undefined {
  let [low, high] = [0, anchors.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((anchors[middle] as Anchor).size < size) low = middle + 1
    else high = middle
  }
  return anchors[low]
}

/** Judges what anybody may ask. */
export function judge(register: Register, request: LedgerRequest): Judgement {
  const of = findIncarnation(register, request)
  if (of === undefined) {
    return register.has(bytesToHex(request.gateway))
      ? refused('incarnation-unknown', `incarnation ${request.incarnation} was never granted`)
      : refused('unregistered', 'this gateway is not registered here')
  }
  switch (request.type) {
    case 'anchor':
      return judgeAnchor(request, of, standing(register, of))
    case 'rotation':
      return judgeRotation(request, of, standing(register, of))
    case 'fork':
      return judgeFork(request, of)
  }
}

/** Judges what only the registrar may ask. */
export function judgeAdmission(register: Register, admission: Admission): Judgement {
  const { gateway, incarnation, key, hashId } = admission
  if (!isPublicKey(key)) return refused('other-key', 'this is no public key of SM2')
  const known = findIncarnation(register, admission)
  if (known) {
    const same = known.admission.hashId === hashId && equalBytes(known.admission.key, key)
    if (same) return { state: 'taken', number: known.admittedAs }
    return refused('other-key', `incarnation ${incarnation} is there with another key or hash`)
  }
  const before = register.get(bytesToHex(gateway))?.at(-1)
  if (before === undefined) return take({ type: 'registration', ...admission })
  if (before.admission.incarnation > incarnation) {
    return refused('incarnation-closed', `incarnation ${before.admission.incarnation} is there`)
  }
  const { size, head } = headOf(before)
  const closed = before.admission.incarnation
  const closing = { closed, closedSize: size, closedHead: head }
  return take({ type: 'incarnation', ...admission, ...closing })
}

function judgeAnchor(request: AnchorRequest, of: Incarnation, stands: Standing): Judgement {
  const { size, oldSize, key, hashId } = request
  const { admission } = of
  if (hashId !== admission.hashId) {
    return refused('other-hash', `this history is hashed by hash id ${admission.hashId}`)
  }
  if (size < 1) return refused('malformed', 'an empty history is not anchored')
  const head = checkpointHead(request)
  const covering = anchorCovering(of, size)
  // Before key and signature: what is anchored stays the answer after a rotation, too.
  if (covering?.size === size) {
    return equalBytes(covering.head, head)
      ? { state: 'taken', number: covering.number }
      : { state: 'conflict', size, head: covering.head }
  }
  if (covering) return { state: 'covered', by: covering }
  if (!equalBytes(key, of.key)) return refused('other-key', 'another key is registered')
  if (!verifySm2(key, checkpointMessage(request), request.signature)) {
    return refused('signature', 'the gateway did not sign this checkpoint')
  }
  if (stands !== 'open') return refused(standingReasons[stands], `this incarnation is ${stands}`)
  const last = headOf(of)
  if (oldSize !== last.size) {
    return { state: 'lapsed', why: `${last.size} headers are anchored, not ${oldSize}` }
  }
  // Whoever signs on top of another history of this size has forked.
  if (
    !equalBytes(checkpointHead({ ...request, size: oldSize, root: request.oldRoot }), last.head)
  ) {
    return { state: 'conflict', size: oldSize, head: last.head }
  }
  const { oldRoot, root, consistency } = request
  if (!isExtension(historyHash(hashId), oldSize, oldRoot, size, root, consistency)) {
    return refused('no-extension', `it is not shown to extend the ${oldSize} headers anchored here`)
  }
  const { gateway, incarnation } = request
  return take({ type: 'anchor', gateway, incarnation, size, hashId, head })
}

function judgeRotation(request: RotationRequest, of: Incarnation, stands: Standing): Judgement {
  const { seq, newKey } = request
  if (of.rotation?.seq === seq && equalBytes(newKey, of.key)) {
    return { state: 'taken', number: of.rotation.number }
  }
  if (stands !== 'open') return refused(standingReasons[stands], `this incarnation is ${stands}`)
  // Without this an old rotation could be replayed after the key had come back.
  if (of.rotation && of.rotation.seq >= seq) {
    return { state: 'lapsed', why: `the key was rotated in header ${of.rotation.seq}` }
  }
  const message = rotationMessage(request, seq, newKey)
  if (equalBytes(newKey, of.key)) return refused('other-key', 'this is the key in use')
  if (!verifySm2(of.key, message, request.oldSignature)) {
    return refused('signature', 'the key in use did not sign this rotation')
  }
  if (!verifySm2(newKey, message, request.newSignature)) {
    return refused('signature', 'the new key did not sign for itself')
  }
  return take(request)
}

function judgeFork(report: ForkReport, of: Incarnation): Judgement {
  // One is enough, and whoever holds a stolen key cannot fill the log with more.
  if (of.fork !== null) return { state: 'taken', number: of.fork }
  const { forks, key, hashId } = report
  if (hashId !== of.admission.hashId) {
    return refused('other-hash', `this history is hashed by hash id ${of.admission.hashId}`)
  }
  if (!equalBytes(key, of.key)) return refused('other-key', 'another key is registered')
  if (equalBytes(forks[0].root, forks[1].root)) return refused('malformed', 'one root is no fork')
  const isSigned = forks.every(({ root, signature }) =>
    verifySm2(key, checkpointMessage({ ...report, root }), signature),
  )
  return isSigned ? take(report) : refused('signature', 'the gateway did not sign both checkpoints')
}

/** Folds what was written into the register, on open and after each entry. */
export function record(register: Register, body: EntryBody, number: number): void {
  if (body.type === 'registration' || body.type === 'incarnation') {
    const { gateway, incarnation, hashId, key } = body
    const admission = { gateway, incarnation, hashId, key }
    const admitted = { admission, admittedAs: number, anchors: [], key, rotation: null, fork: null }
    const name = bytesToHex(gateway)
    register.set(name, [...(register.get(name) ?? []), admitted])
    return
  }
  const of = findIncarnation(register, body)
  if (of === undefined) throw new TypeError('an entry of an incarnation that was never admitted')
  if (body.type === 'anchor') of.anchors.push({ size: body.size, head: body.head, number })
  else if (body.type === 'fork') of.fork = number
  else {
    of.key = body.newKey
    of.rotation = { seq: body.seq, number }
  }
}

interface Subject {
  readonly gateway: Uint8Array
  readonly incarnation: number
}

type Standing = ReturnType<typeof standing>

const standingReasons = { closed: 'incarnation-closed', frozen: 'frozen' } as const

/** What is anchored of an incarnation before anything is. */
export const emptyHead = ({ gateway, incarnation, hashId }: Omit<Admission, 'key'>) =>
  checkpointHead({ gateway, incarnation, hashId, size: 0, root: emptyRoot(hashId) })

const emptyRoot = (hashId: HashId) => historyHash(hashId)()

const take = (body: EntryBody): Judgement => ({ state: 'take', body })

const refused = (reason: Refusal, why: string): Judgement => ({ state: 'refused', reason, why })
