import { bytesToHex, concat, equalBytes, hexToBytes, u32 } from './bytes.ts'
import { derInteger, derItem, derOctets, derSequence } from './der.ts'
import { type CurvePoint, isPrivateKey, publicPoint, sm2Curve } from './sm2.ts'
import { sm3 } from './sm3.ts'

/** Fresh bytes of a generator that is fit for keys: there is none in here. */
export type Random = (bytes: number) => Uint8Array

/**
 * SM2 encryption (GB/T 32918.4) of a few bytes, such as a key: C1 ‖ C3 ‖ C2, C1 being 04‖x‖y. The
 * arithmetic is BigInt's and not constant-time.
 */
export function sm2Encrypt(publicKey: Uint8Array, message: Uint8Array, random: Random): Uint8Array {
  const point = publicPoint(publicKey)
  if (point === undefined) throw new TypeError('not an SM2 public key')
  for (;;) {
    const k = random(32)
    // The bounds of a private key leave out one nonce in 2^256, which nobody misses.
    if (!isPrivateKey(k)) continue
    const number = BigInt(`0x${bytesToHex(k)}`)
    const c1 = bytesOf(sm2Curve.base.multiply(number))
    const masked = mask(bytesOf(point.multiply(number)), message)
    if (masked !== undefined) return concat(c1, masked.tag, masked.bytes)
  }
}

/** Undefined where the ciphertext is malformed, changed, or for another key: it does not say which. */
export function sm2Decrypt(d: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  if (!isPrivateKey(d)) throw new TypeError('not an SM2 private key')
  if (ciphertext.length <= overhead) return undefined
  // A point that is not on the curve would give the key away bit by bit.
  const c1 = publicPoint(ciphertext.subarray(0, 65))
  if (c1 === undefined) return undefined
  const shared = bytesOf(c1.multiply(BigInt(`0x${bytesToHex(d)}`)))
  const message = mask(shared, ciphertext.subarray(overhead))?.bytes
  if (message === undefined) return undefined
  return equalBytes(tagOf(shared, message), ciphertext.subarray(65, overhead)) ? message : undefined
}

/** C1 ‖ C3 ‖ C2 as the SEQUENCE of GM/T 0009 that `openssl pkeyutl` writes and reads. */
export const sm2CiphertextDer = (ciphertext: Uint8Array): Uint8Array =>
  derSequence(
    derInteger(ciphertext.subarray(1, 33)),
    derInteger(ciphertext.subarray(33, 65)),
    derOctets(ciphertext.subarray(65, overhead)),
    derOctets(ciphertext.subarray(overhead)),
  )

/** Undefined for everything but the one form that DER allows. */
export function sm2CiphertextFromDer(der: Uint8Array): Uint8Array | undefined {
  const whole = derItem(der, 0, 0x30)?.content
  if (whole === undefined) return undefined
  const items: Uint8Array[] = []
  let at = 0
  for (const tag of [0x02, 0x02, 0x04, 0x04]) {
    const item = derItem(whole, at, tag)
    if (item === undefined) return undefined
    items.push(item.content)
    at = item.next
  }
  const [x, y, c3, c2] = items as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const ciphertext = concat(Uint8Array.of(4), coordinate(x), coordinate(y), c3, c2)
  return equalBytes(sm2CiphertextDer(ciphertext), der) ? ciphertext : undefined
}

/** 32 bytes of a number; what was longer does not come out as it went in. */
function coordinate(digits: Uint8Array): Uint8Array {
  const last = digits.subarray(Math.max(0, digits.length - 32))
  return concat(new Uint8Array(32 - last.length), last)
}

/** C1 and C3. */
const overhead = 65 + 32

const bytesOf = (point: CurvePoint): Uint8Array => hexToBytes(point.toHex(false))

/** Undefined where the mask is nothing but zeros, which the standard wants tried again. */
function mask(shared: Uint8Array, message: Uint8Array) {
  const bytes = Uint8Array.from(message)
  let isZero = true
  for (let at = 0, counter = 1; at < bytes.length; at += 32, counter++) {
    const pad = sm3(shared.subarray(1), u32(counter))
    const end = Math.min(32, bytes.length - at)
    for (let i = 0; i < end; i++) {
      const byte = pad[i] as number
      if (byte !== 0) isZero = false
      bytes[at + i] = (bytes[at + i] as number) ^ byte
    }
  }
  return isZero ? undefined : { bytes, tag: tagOf(shared, message) }
}

const tagOf = (shared: Uint8Array, message: Uint8Array): Uint8Array =>
  sm3(shared.subarray(1, 33), message, shared.subarray(33))
