import { keccak_256 } from '@noble/hashes/sha3.js'
import { type AbiInput, abiItem, decodeCall, encodeCall, word } from '../../contracts/abi.ts'
import { readArtefact } from '../../contracts/artefact.ts'
import { compareBytes, concat } from '../../evidence/bytes.ts'
import { keyId } from '../../evidence/sm2.ts'
import type { Admission, AnchorRequest, ForkReport, RotationRequest } from '../ledger.ts'
import type { Incarnation, Subject } from './state.ts'

/** Requests as calls of the contract, and what a call asks for: a signed transaction needs no record beside it. */
export type Intent =
  | (Subject & {
      readonly type: 'anchor'
      readonly oldSize: number
      readonly oldRoot: Uint8Array
      readonly size: number
      readonly root: Uint8Array
    })
  | (Subject & {
      readonly type: 'rotation'
      readonly seq: number
      readonly keyId: Uint8Array
      /** Whose it will be; null where it is the sender's. */
      readonly account: Uint8Array | null
    })
  | (Subject & { readonly type: 'fork'; readonly report: Uint8Array })

const { abi } = readArtefact()

const call = (name: string, of: Subject, ...inputs: readonly AbiInput[]): Uint8Array =>
  encodeCall(abiItem(abi, name), [of.gateway, of.incarnation, ...inputs])

/** r and s, or two roots: what the contract takes as two words. */
const halves = (bytes: Uint8Array): Uint8Array[] => [bytes.subarray(0, 32), bytes.subarray(32, 64)]

export function anchorCall(of: AnchorRequest): Uint8Array {
  const { oldSize, oldRoot, size, root, consistency, signature } = of
  const hashes = Array.from({ length: consistency.length / 32 }, (_, i) =>
    consistency.subarray(32 * i, 32 * i + 32),
  )
  return call('anchor', of, oldSize, oldRoot, size, root, hashes, halves(signature))
}

/** With an account of its own it is an offer to that account. */
export function rotateCall(
  { seq, newKey, oldSignature, newSignature, ...of }: RotationRequest,
  account: Uint8Array,
): Uint8Array {
  const signatures = [halves(oldSignature), halves(newSignature)] as const
  return call('rotate', of, seq, keyId(newKey), account, ...signatures)
}

export const acceptCall = ({ seq, newKey, ...of }: RotationRequest): Uint8Array =>
  call('acceptRotation', of, seq, keyId(newKey))

/** Ascending by root, so that one fork has one name whoever reports it. */
export function forkCall({ size, forks, ...of }: ForkReport): Uint8Array {
  const [a, b] = forks.toSorted((one, other) => compareBytes(one.root, other.root))
  if (!a || !b) throw new TypeError('a fork has two sides')
  return call('reportFork', of, size, [a.root, b.root], halves(a.signature), halves(b.signature))
}

export const confirmCall = (of: Subject, report: Uint8Array): Uint8Array =>
  call('confirmFork', of, report)

export function admitCall({ hashId, key, ...of }: Admission, account: Uint8Array): Uint8Array {
  const noPromise = 0
  return call('admit', of, hashId, account, keyId(key), noPromise)
}

/** What the contract keeps of an admission, to know it again. */
export const admissionName = ({ hashId, key }: Admission, account: Uint8Array): Uint8Array =>
  keccak_256(concat(word(BigInt(hashId)), new Uint8Array(12), account, keyId(key)))

/** What the contract keeps of an offered rotation. */
export const offerName = (seq: number, key: Uint8Array, account: Uint8Array): Uint8Array =>
  keccak_256(concat(word(BigInt(seq)), key, new Uint8Array(12), account))

export const isRotated = (
  { rotatedIn, keyId: inUse, account }: Incarnation,
  { seq, keyId: asked, account: to }: Extract<Intent, { type: 'rotation' }>,
  own: Uint8Array,
): boolean =>
  rotatedIn === seq && compareBytes(inUse, asked) === 0 && compareBytes(account, to ?? own) === 0

/** Whether it is offered to another account, which has not taken it so far. */
export const isOffered = (
  { offer }: Incarnation,
  { seq, keyId: asked, account }: Extract<Intent, { type: 'rotation' }>,
): boolean => account !== null && compareBytes(offer, offerName(seq, asked, account)) === 0

/** Undefined where the call is none of ours. */
export function intentOf(bytes: Uint8Array): Intent | undefined {
  for (const [name, read] of Object.entries(readers)) {
    const [gateway, incarnation, ...values] = decodeCall(abiItem(abi, name), bytes) ?? []
    if (gateway === undefined) continue
    const of = { gateway: gateway as Uint8Array, incarnation: Number(incarnation) }
    return read(of, values as unknown as Values)
  }
  return undefined
}

/** As their types in the contract are, which were checked when they were decoded. */
type Values = readonly [Value, Value, Value, Value, ...Value[]]
// biome-ignore lint/suspicious/noExplicitAny: the types stand in the artefact, by position
type Value = any

const readers: Readonly<Record<string, (of: Subject, values: Values) => Intent>> = {
  anchor: (of, [oldSize, oldRoot, size, root]) => ({
    type: 'anchor',
    ...of,
    oldSize: Number(oldSize),
    oldRoot,
    size: Number(size),
    root,
  }),
  rotate: (of, [seq, key, account]) => ({
    type: 'rotation',
    ...of,
    seq: Number(seq),
    keyId: key,
    account,
  }),
  acceptRotation: (of, [seq, key]) => ({
    type: 'rotation',
    ...of,
    seq: Number(seq),
    keyId: key,
    account: null,
  }),
  reportFork: (of, [size, roots, a, b]) => ({
    type: 'fork',
    ...of,
    report: keccak_256(concat(word(size), ...roots, ...a, ...b)),
  }),
}
