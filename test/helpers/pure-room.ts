import { bytesToHex, concat, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { hmacSm3, sameTag } from '../../anchor-client/evidence/hmac-sm3.ts'
import {
  isPrivateKey,
  isPublicKey,
  signerDigest,
  standardId,
  verifySm2,
  verifySm2Digest,
} from '../../anchor-client/evidence/sm2.ts'
import {
  sm2CiphertextDer,
  sm2CiphertextFromDer,
  sm2Decrypt,
  sm2Encrypt,
} from '../../anchor-client/evidence/sm2-cipher.ts'
import { signatureFromDer } from '../../anchor-client/evidence/sm2-der.ts'
import { openEnvelope, sealEnvelope } from '../../anchor-client/evidence/sm2-envelope.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { sm3Stream } from '../../anchor-client/evidence/sm3-stream.ts'
import { sm4Block, sm4Ctr, sm4RoundKeys } from '../../anchor-client/evidence/sm4.ts'

/** The pure room asked in text, so that the same questions go to Node and to a browser's bundle. */
export const pureRoom = {
  /** Text that is not hex, or a signature that is no DER, is refused before the room is asked. */
  verify: (key: string, message: string, signature: string, id: string): boolean =>
    id === standardId
      ? verifySm2(hexToBytes(key), hexToBytes(message), hexToBytes(signature))
      : verifySm2Digest(
          hexToBytes(key),
          sm3(signerDigest(hexToBytes(key), id), hexToBytes(message)),
          hexToBytes(signature),
        ),
  verifyDigest: (key: string, e: string, signature: string): boolean =>
    verifySm2Digest(hexToBytes(key), hexToBytes(e), hexToBytes(signature)),
  fromDer: (der: string): string | null => orNull(signatureFromDer(hexToBytes(der))),
  isPublicKey: (key: string): boolean => isPublicKey(hexToBytes(key)),
  isPrivateKey: (d: string): boolean => isPrivateKey(hexToBytes(d)),
  signerDigest: (key: string, id: string): string => bytesToHex(signerDigest(hexToBytes(key), id)),

  hmac: (key: string, ...parts: string[]): string =>
    bytesToHex(hmacSm3(hexToBytes(key), ...parts.map(hexToBytes))),
  sameTag: (a: string, b: string): boolean => sameTag(hexToBytes(a), hexToBytes(b)),
  stream: (...pieces: string[]): string => {
    const stream = sm3Stream()
    for (const piece of pieces) stream.update(hexToBytes(piece))
    return bytesToHex(stream.digest())
  },

  ctr: (key: string, counter: string, bytes: string): string =>
    bytesToHex(sm4Ctr(hexToBytes(key), hexToBytes(counter), hexToBytes(bytes))),
  /** Encrypts one block, its ciphertext again, and so on. */
  blocks: (key: string, block: string, times: number): string => {
    const roundKeys = sm4RoundKeys(hexToBytes(key))
    let bytes = hexToBytes(block)
    for (let i = 0; i < times; i++) bytes = sm4Block(roundKeys, bytes)
    return bytesToHex(bytes)
  },

  encrypt: (key: string, message: string, random: string): string =>
    bytesToHex(sm2Encrypt(hexToBytes(key), hexToBytes(message), takenFrom(random))),
  decrypt: (d: string, ciphertext: string): string | null =>
    orNull(sm2Decrypt(hexToBytes(d), hexToBytes(ciphertext))),
  toCipherDer: (ciphertext: string): string => bytesToHex(sm2CiphertextDer(hexToBytes(ciphertext))),
  fromCipherDer: (der: string): string | null => orNull(sm2CiphertextFromDer(hexToBytes(der))),
  seal: (keys: string[], content: string, random: string): string =>
    bytesToHex(sealEnvelope(keys.map(hexToBytes), hexToBytes(content), takenFrom(random))),
  open: (d: string, key: string, envelope: string): string => {
    const opened = openEnvelope(hexToBytes(d), hexToBytes(key), hexToBytes(envelope))
    return opened.state === 'opened' ? bytesToHex(opened.content) : opened.state
  },
}

export type PureRoom = typeof pureRoom

const orNull = (bytes: Uint8Array | undefined) => (bytes ? bytesToHex(bytes) : null)

/** A generator that gives what it was given, once. */
function takenFrom(random: string) {
  const bytes = concat(hexToBytes(random))
  let at = 0
  return (length: number) => {
    if (at + length > bytes.length) throw new Error('more was asked for than there is')
    at += length
    return bytes.slice(at - length, at)
  }
}
