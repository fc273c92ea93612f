import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { bytesToHex, concat, hexToBytes, utf8 } from './bytes.ts'
import { sm3 } from './sm3.ts'

/**
 * Whether `signature` (r‖s) is the key's standard SM2 signature over `message`. Anything that is not in its
 * one canonical form (key on the curve, 1 ≤ r, s < n) is simply not valid: it never throws.
 */
export function verifySm2(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const point = publicPoint(key)
  if (point === undefined || signature.length !== 64) return false
  const r = toNumber(signature.subarray(0, 32))
  const s = toNumber(signature.subarray(32))
  if (r < 1n || r >= n || s < 1n || s >= n) return false
  const t = (r + s) % n
  if (t === 0n) return false
  const sum = Point.BASE.multiplyUnsafe(s).add(point.multiplyUnsafe(t))
  if (sum.is0()) return false
  const e = toNumber(sm3(signerDigest(key), message))
  return (e + sum.toAffine().x) % n === r
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
type CurvePoint = typeof Point.BASE

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes)}`)

/** A file repeats few keys often: their points are kept, up to a bound that hostile input cannot move. */
const points = new Map<string, CurvePoint | undefined>()
const maxPoints = 64

function publicPoint(key: Uint8Array): CurvePoint | undefined {
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
const identity = utf8('1234567812345678')
const curveConstants = hexToBytes(
  [a, b, Gx, Gy].map((constant) => constant.toString(16).padStart(64, '0')).join(''),
)
const signerPrefix = concat(Uint8Array.of(0, 8 * identity.length), identity, curveConstants)

/** Z of the standard: what binds a signature to the signer's key and the standard id. */
const signerDigest = (key: Uint8Array): Uint8Array => sm3(signerPrefix, key.subarray(1))
