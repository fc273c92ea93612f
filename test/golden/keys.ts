// SM2 keys and signatures that are the same in every run. Never sign anything real with these.
import { createECDH } from 'node:crypto'
import { bigEndian, fromHex, hex, join, utf8 } from './bytes.ts'
import { seeded, sm3 } from './hash.ts'

export type Key = {
  readonly secret: bigint
  /** 04 ‖ x ‖ y */
  readonly publicKey: Uint8Array
  /** SM3 of the public key. */
  readonly id: Uint8Array
}

export const p = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn
export const n = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n
const curve = fromHex(
  'fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc' + // a
    '28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93' + // b
    '32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7' + // x of G
    'bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0', // y of G
)

export const key = (name: string): Key => {
  const secret = (number(seeded('key', name)) % (n - 2n)) + 1n
  const publicKey = times(secret)
  return { secret, publicKey, id: sm3(publicKey) }
}

/** Z of the signer, with the standard id. */
export const signerHash = (publicKey: Uint8Array): Uint8Array => {
  const id = utf8('1234567812345678')
  return sm3(bigEndian(8 * id.length, 2), id, curve, publicKey.subarray(1))
}

export const digest = (publicKey: Uint8Array, message: Uint8Array): Uint8Array =>
  sm3(signerHash(publicKey), message)

/** r ‖ s. The nonce follows from key and message, so that a file can be made again. */
export const sign = (signer: Key, message: Uint8Array): Uint8Array => {
  const name = `${hex(signer.publicKey)}/${hex(message)}`
  const known = signatures.get(name)
  if (known !== undefined) return known
  const k = (number(sm3(bigEndian(signer.secret, 32), message)) % (n - 1n)) + 1n
  const e = number(digest(signer.publicKey, message))
  const r = (e + number(times(k).subarray(1, 33))) % n
  const s = modulo(inverse(1n + signer.secret) * (k - r * signer.secret))
  const signature = join(bigEndian(r, 32), bigEndian(s, 32))
  signatures.set(name, signature)
  return signature
}

const signatures = new Map<string, Uint8Array>()

const times = (k: bigint): Uint8Array => {
  const ecdh = createECDH('SM2')
  ecdh.setPrivateKey(bigEndian(k, 32))
  return new Uint8Array(ecdh.getPublicKey())
}

const number = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes)}`)

const modulo = (x: bigint): bigint => ((x % n) + n) % n

const inverse = (x: bigint): bigint => {
  // Fermat: n is prime
  let result = 1n
  let base = x % n
  for (let e = n - 2n; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * base) % n
    base = (base * base) % n
  }
  return result
}
