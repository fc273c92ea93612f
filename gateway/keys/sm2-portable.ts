import { getRandomValues } from 'node:crypto'
import { bytesToHex, hexToBytes, u32, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { hmacSm3 } from '../../anchor-client/evidence/hmac-sm3.ts'
import {
  isPublicKey,
  isSignature,
  signerDigest,
  sm2Curve,
  verifySm2,
} from '../../anchor-client/evidence/sm2.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { checkPrivateKey, generatePrivateKey } from './private-key.ts'
import { type SigningPoint, type SmCrypto, smCrypto } from './sm-crypto.ts'
import type { Sm2 } from './sm2.ts'

/**
 * `sm-crypto`, for a Node whose OpenSSL fails its self-test. The package would take its nonces from a
 * generator that it seeds once, so it is handed kG of our own k by way of its pool of points. None of its
 * arithmetic is constant-time.
 */
export function portableSm2(
  library: SmCrypto = smCrypto,
  nonce: typeof hedgedNonce = hedgedNonce,
): Omit<Sm2, 'why'> {
  const { sm2 } = library
  const { constructor: Big } = sm2.getPoint().k

  function publicKeyOf(d: Uint8Array): Uint8Array {
    checkPrivateKey(d)
    return hexToBytes(sm2.getPublicKeyFromPrivateKey(bytesToHex(d)))
  }

  function pointOf(k: Uint8Array): SigningPoint {
    const digits = bytesToHex(k)
    const x = sm2.getPublicKeyFromPrivateKey(digits).slice(2, 66)
    return { k: new Big(digits, 16), x1: new Big(x, 16) }
  }

  return {
    engine: 'sm-crypto',
    generate: generatePrivateKey,
    publicKeyOf,

    signer(key) {
      const publicKey = publicKeyOf(key)
      const z = signerDigest(publicKey)
      const d = Uint8Array.from(key)
      const sign = (message: Uint8Array) => {
        const pointPool = [pointOf(nonce(d, sm3(z, message)))]
        const options = { hash: true, publicKey: bytesToHex(publicKey), pointPool } as const
        const signature = hexToBytes(
          sm2.doSignature(Array.from(message), bytesToHex(d), options).toLowerCase(),
        )
        // By other code than made it: a signature with a fault in it can give the key away.
        if (!verifySm2(publicKey, message, signature)) {
          throw new Error('sm-crypto gave a signature that is not valid')
        }
        return signature
      }
      return Object.assign(sign, { [Symbol.dispose]: () => void d.fill(0) })
    },

    verify(publicKey, message, signature) {
      // The package takes several forms of one key or signature: only the canonical one reaches it.
      if (!isPublicKey(publicKey) || !isSignature(signature)) return false
      return sm2.doVerifySignature(
        Array.from(message),
        bytesToHex(signature),
        bytesToHex(publicKey),
        { hash: true },
      )
    },
  }
}

/**
 * k from 1 to n − 1 of the key, what is signed and fresh randomness: should the generator repeat itself,
 * no nonce serves two messages; should it be known, the key still hides the nonce.
 */
export function hedgedNonce(
  d: Uint8Array,
  e: Uint8Array,
  fresh: Uint8Array = getRandomValues(new Uint8Array(32)),
): Uint8Array {
  const half = (number: number) => hmacSm3(d, label, u32(number), fresh, e)
  // Twice as many bits as n has, so that the remainder favours nothing.
  const wide = BigInt(`0x${bytesToHex(half(1))}${bytesToHex(half(2))}`)
  const k = (wide % (sm2Curve.order - 1n)) + 1n
  return hexToBytes(k.toString(16).padStart(64, '0'))
}

const label = utf8('kedge/nonce/v1\0')
