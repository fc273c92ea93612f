import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat } from '../../anchor-client/evidence/bytes.ts'
import type { Curve } from './curve.ts'

/** Accounts of an EVM chain. What is signed is a digest of 32 bytes; a signature is r‖s‖recovery, 65 bytes. */
export const chainCurve: Curve = {
  generate: () => secp256k1.utils.randomSecretKey(),
  publicKeyOf: (d) => secp256k1.getPublicKey(d, false),
  signer(d) {
    const kept = Uint8Array.from(d)
    const sign = (digest: Uint8Array): Uint8Array => {
      if (digest.length !== 32) throw new TypeError('a digest of 32 bytes is signed')
      // RFC 6979 and s in the lower half, as chains demand it.
      const signed = secp256k1.sign(digest, kept, { prehash: false, format: 'recovered' })
      return concat(signed.subarray(1), signed.subarray(0, 1))
    }
    return Object.assign(sign, {
      [Symbol.dispose]: () => {
        kept.fill(0)
      },
    })
  },
}
