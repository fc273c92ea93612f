import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { bytesToHex, concat, hexToBytes, utf8 } from './bytes.ts'
import { sm3 } from './sm3.ts'

/**
 * Whether `signature` (r‖s) is the key's standard SM2 signature over `message`. Anything that is not in its
 * one canonical form (key on the curve, 1 ≤ r, s < n) is simply not valid: it never throws.
 */
export function verifySm2(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verifySm2Digest(key, sm3(signerDigest(key), message), signature)
}

/** The same over e of the standard, which says nothing about a message: whoever chooses e can forge. */
export function verifySm2Digest(key: Uint8Array, e: Uint8Array, signature: Uint8Array): boolean {
  const point = publicPoint(key)
  const numbers = signatureNumbers(signature)
  if (point === undefined || numbers === undefined) return false
  const { r, s, t } = numbers
  const sum = Point.BASE.multiplyUnsafe(s).add(point.multiplyUnsafe(t))
  if (sum.is0()) return false
  return (toNumber(e) + sum.toAffine().x) % n === r
}

/** Whether these bytes are the one canonical form of some signature: 1 ≤ r, s < n, and r + s ≠ n. */
export const isSignature = (signature: Uint8Array): boolean =>
  signatureNumbers(signature) !== undefined

function signatureNumbers(signature: Uint8Array) {
  if (signature.length !== 64) return undefined
  const r = toNumber(signature.subarray(0, 32))
  const s = toNumber(signature.subarray(32))
  if (r < 1n || r >= n || s < 1n || s >= n) return undefined
  const t = (r + s) % n
  return t === 0n ? undefined : { r, s, t }
}

/** Whether these 32 bytes are a private key: 1 ≤ d ≤ n − 2, since for n − 1 no signature can be made. */
export function isPrivateKey(d: Uint8Array): boolean {
  if (d.length !== 32) return false
  const number = toNumber(d)
  return number >= 1n && number <= n - 2n
}

/** Whether these 65 bytes are 04‖x‖y of a point on the curve, coordinates below p. */
export const isPublicKey = (key: Uint8Array): boolean => publicPoint(key) !== undefined

/** SM3 of the public key: what names a gateway, a key, a witness. */
export const keyId = (key: Uint8Array): Uint8Array => sm3(key)

const p = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn
const n = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n
const a = 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn
const b = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n
const Gx = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n
const Gy = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n

const Point = weierstrass({ p, n, h: 1n, a, b, Gx, Gy })
export type CurvePoint = typeof Point.BASE
export const sm2Curve = { base: Point.BASE, order: n } as const

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes)}`)

/** A file repeats few keys often: their points are kept, up to a bound that hostile input cannot move. */
const points = new Map<string, CurvePoint | undefined>()
const maxPoints = 64

/** The point that 65 bytes name; undefined where they are not 04‖x‖y in their one form. */
export function publicPoint(key: Uint8Array): CurvePoint | undefined {
  if (key.length !== 65 || key[0] !== 4) return undefined
  const name = bytesToHex(key)
  if (points.has(name)) return points.get(name)
  const x = toNumber(key.subarray(1, 33))
  const y = toNumber(key.subarray(33))
  const onCurve = x < p && y < p && (y * y - (x * x * x + a * x + b)) % p === 0n
  const point = onCurve ? Point.fromAffine({ x, y }) : undefined
  if (points.size >= maxPoints) points.clear()
  points.set(name, point)
  return point
}

// ENTL ‖ id ‖ a ‖ b ‖ Gx ‖ Gy of GB/T 32918.2 section 5.5; the public key follows.
export const standardId = '1234567812345678'
const curveConstants = hexToBytes(
  [a, b, Gx, Gy].map((constant) => constant.toString(16).padStart(64, '0')).join(''),
)
const prefixFor = (id: string): Uint8Array => {
  const identity = utf8(id)
  const bits = 8 * identity.length
  if (bits > 0xffff) throw new TypeError('an id of more than 8,191 bytes')
  return concat(Uint8Array.of(bits >> 8, bits & 0xff), identity, curveConstants)
}
const standardPrefix = prefixFor(standardId)

/** Z of the standard: what binds a signature to the signer's key and id. Evidence knows the standard id alone. */
export const signerDigest = (key: Uint8Array, id?: string): Uint8Array =>
  sm3(id === undefined ? standardPrefix : prefixFor(id), key.subarray(1))
