import { equalBytes, utf8 } from './bytes.ts'
import { decodeWhole, readBytes, readCount, readFixedBytes, readTuple, readUint } from './codec.ts'
import { encode } from './encode.ts'
import { KedgeError } from './errors.ts'
import { hmacSm3, sameTag } from './hmac-sm3.ts'
import { keyId } from './sm2.ts'
import { type Random, sm2Decrypt, sm2Encrypt } from './sm2-cipher.ts'
import { sm4Ctr } from './sm4.ts'

/**
 * Bytes that only the recipients can read. A random key for each envelope, given to each of them by SM2;
 * from it two more, one for SM4-CTR and one for HMAC-SM3 over all that is in the envelope. It does not say
 * who sent it, and every recipient can make another that opens for the others: sign what matters inside.
 * The form is the CBOR profile of FORMAT.md section 1: `[1, [[key id, C1‖C3‖C2], …], ciphertext, tag]`.
 */
export function sealEnvelope(
  recipients: readonly Uint8Array[],
  content: Uint8Array,
  random: Random,
): Uint8Array {
  if (recipients.length < 1 || recipients.length > maxRecipients) {
    throw new TypeError(`1 to ${maxRecipients} recipients`)
  }
  const key = random(32)
  const { encrypting, tagging } = separated(key)
  const ciphertext = sm4Ctr(encrypting, firstCounter, content)
  const shares = recipients.map((publicKey) => [
    keyId(publicKey),
    sm2Encrypt(publicKey, key, random),
  ])
  const tag = hmacSm3(tagging, encode([version, shares, ciphertext]))
  for (const secret of [key, encrypting, tagging]) secret.fill(0)
  return encode([version, shares, ciphertext, tag])
}

export type Opened =
  | { readonly state: 'opened'; readonly content: Uint8Array }
  /** Sealed for other keys. */
  | { readonly state: 'not for this key' }
  /** Not an envelope, or not as it was sealed. */
  | { readonly state: 'damaged' }

/** Hostile bytes are damage, never an exception. */
export function openEnvelope(d: Uint8Array, publicKey: Uint8Array, bytes: Uint8Array): Opened {
  const envelope = decoded(bytes)
  if (envelope === undefined) return { state: 'damaged' }
  const { shares, ciphertext, tag } = envelope
  const id = keyId(publicKey)
  const share = shares.find(([recipient]) => equalBytes(recipient, id))
  if (share === undefined) return { state: 'not for this key' }
  const key = sm2Decrypt(d, share[1])
  if (key === undefined) return { state: 'damaged' }
  const { encrypting, tagging } = separated(key)
  const isAsSealed = sameTag(hmacSm3(tagging, encode([version, shares, ciphertext])), tag)
  const content = isAsSealed ? sm4Ctr(encrypting, firstCounter, ciphertext) : undefined
  for (const secret of [key, encrypting, tagging]) secret.fill(0)
  return content ? { state: 'opened', content } : { state: 'damaged' }
}

/** The key serves one envelope, so every envelope may count from zero. */
const firstCounter = new Uint8Array(16)
const version = 1
const maxRecipients = 64
const shareLength = 65 + 32 + 32

const separated = (key: Uint8Array) => ({
  encrypting: hmacSm3(key, utf8('kedge/envelope/v1\0encrypt')).subarray(0, 16),
  tagging: hmacSm3(key, utf8('kedge/envelope/v1\0tag')),
})

function decoded(bytes: Uint8Array) {
  try {
    return decodeWhole(bytes, (cursor) => {
      readTuple(cursor, 4, 'an envelope')
      if (readUint(cursor) !== version) return undefined
      const count = readCount(cursor, 1, maxRecipients, 'recipients')
      const shares = Array.from({ length: count }, () => {
        readTuple(cursor, 2, 'a share')
        return [readFixedBytes(cursor, 32), readFixedBytes(cursor, shareLength)] as const
      })
      return { shares, ciphertext: readBytes(cursor), tag: readFixedBytes(cursor, 32) }
    })
  } catch (error) {
    if (error instanceof KedgeError) return undefined
    throw error
  }
}
