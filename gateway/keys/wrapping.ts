import { getRandomValues, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { bytesToHex, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { openCiphers } from './ciphers.ts'
import type { Algorithm } from './curve.ts'
import { type KeyFile, taggedPart } from './key-format.ts'

/** Encrypt, then authenticate, each with a key of its own from the secret and the file's salt. */
export async function wrap(
  d: Uint8Array,
  publicKey: Uint8Array,
  secret: Uint8Array,
  algorithm: Algorithm = 'SM2',
): Promise<KeyFile> {
  const { sm4Ctr, hmacSm3 } = openCiphers()
  const random = (bytes: number) => getRandomValues(new Uint8Array(bytes))
  const iv = random(16)
  const cost = { n: 2 ** 15, r: 8, p: 1, salt: bytesToHex(random(32)) } as const
  const keys = await keysFrom(secret, cost)
  try {
    const untagged: KeyFile = {
      format: 'kedge-key',
      version: 1,
      algorithm,
      publicKey: bytesToHex(publicKey),
      scrypt: cost,
      cipher: 'SM4-CTR, HMAC-SM3',
      iv: bytesToHex(iv),
      wrapped: bytesToHex(sm4Ctr(keys.encrypting, iv, d)),
      tag: '',
    }
    return { ...untagged, tag: bytesToHex(hmacSm3(keys.tagging, taggedPart(untagged))) }
  } finally {
    keys.forget()
  }
}

/** Undefined where the secret is another or a bit of the file was changed: the two cannot be told apart. */
export async function unwrap(file: KeyFile, secret: Uint8Array): Promise<Uint8Array | undefined> {
  const { sm4Ctr, hmacSm3, sameTag } = openCiphers()
  const keys = await keysFrom(secret, file.scrypt)
  try {
    const tag = hmacSm3(keys.tagging, taggedPart(file))
    if (!sameTag(tag, hexToBytes(file.tag))) return undefined
    return sm4Ctr(keys.encrypting, hexToBytes(file.iv), hexToBytes(file.wrapped))
  } finally {
    keys.forget()
  }
}

const derive = promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt)

async function keysFrom(secret: Uint8Array, { n, r, p, salt }: KeyFile['scrypt']) {
  // Twice what the algorithm takes: the limit is there to stop files, and they are limited already.
  const options = { N: n, r, p, maxmem: 256 * n * r }
  const both = await derive(secret, hexToBytes(salt), 48, options)
  return {
    encrypting: both.subarray(0, 16),
    tagging: both.subarray(16),
    forget: () => both.fill(0),
  }
}
