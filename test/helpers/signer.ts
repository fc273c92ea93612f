import smCrypto from 'sm-crypto'
import { bytesToHex, hexToBytes } from '../../anchor-client/evidence/bytes.ts'

/** A key that signs with somebody else's SM2, so that what verifies does not check itself. */
export interface Signer {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

export function signerOf(privateKey: string): Signer {
  const publicKey = smCrypto.sm2.getPublicKeyFromPrivateKey(privateKey)
  return {
    publicKey: hexToBytes(publicKey),
    sign: (message) =>
      hexToBytes(
        smCrypto.sm2.doSignature(Array.from(message), privateKey, { hash: true, publicKey }),
      ),
  }
}

export const isSignedBySmCrypto = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean =>
  smCrypto.sm2.doVerifySignature(
    Array.from(message),
    bytesToHex(signature),
    bytesToHex(publicKey),
    { hash: true },
  )
