import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  type KeyObject,
} from 'node:crypto'
import { bytesToHex, concat, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { signatureDer } from '../../anchor-client/evidence/extract.ts'
import { isPublicKey, isSignature, signerDigest } from '../../anchor-client/evidence/sm2.ts'
import { signatureFromDer } from '../../anchor-client/evidence/sm2-der.ts'
import { checkPrivateKey, generatePrivateKey } from './private-key.ts'
import type { Sm2 } from './sm2.ts'

/** What is used of node:crypto, so that a test can hand over one that answers otherwise. */
export type NativeCrypto = Pick<
  typeof import('node:crypto'),
  'createECDH' | 'createPrivateKey' | 'createPublicKey' | 'createSign' | 'createVerify'
>

const ofNode: NativeCrypto = {
  createECDH,
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
}

/**
 * OpenSSL's SM2, three traps avoided. A key must have been read from DER: a fresh one signs ECDSA. The
 * digest must be given Z and the message by `createSign`: `sign` takes the empty id. And d = n − 1 would
 * never return. Nonces are OpenSSL's own.
 */
export function nativeSm2(crypto: NativeCrypto = ofNode): Omit<Sm2, 'why'> {
  const keys = new Map<string, { key: KeyObject; z: Uint8Array }>()

  function publicKeyOf(d: Uint8Array): Uint8Array {
    checkPrivateKey(d)
    const ecdh = crypto.createECDH('SM2')
    ecdh.setPrivateKey(d)
    return Uint8Array.from(ecdh.getPublicKey())
  }

  /** Reading a key costs a quarter of a verification, and few keys come often. */
  function verifierOf(publicKey: Uint8Array) {
    const name = bytesToHex(publicKey)
    const known = keys.get(name)
    if (known) return known
    if (!isPublicKey(publicKey)) return undefined
    const der = Buffer.from(concat(spkiPrefix, publicKey))
    const key = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' })
    const verifier = { key, z: signerDigest(publicKey) }
    if (keys.size >= maxKeys) keys.clear()
    keys.set(name, verifier)
    return verifier
  }

  return {
    engine: 'openssl',
    generate: generatePrivateKey,
    publicKeyOf,

    signer(d) {
      const publicKey = publicKeyOf(d)
      const z = signerDigest(publicKey)
      const key = privateKeyObject(crypto, d, publicKey)
      const sign = (message: Uint8Array) => {
        const der = crypto.createSign('sm3').update(z).update(message).sign(key)
        const signature = signatureFromDer(der)
        if (signature === undefined || !isSignature(signature)) {
          throw new Error('OpenSSL gave a signature that is not canonical')
        }
        return signature
      }
      // OpenSSL overwrites its copy when the last reference is collected; there is no way to ask for it.
      return Object.assign(sign, { [Symbol.dispose]() {} })
    },

    verify(publicKey, message, signature) {
      const verifier = verifierOf(publicKey)
      if (verifier === undefined || !isSignature(signature)) return false
      const { key, z } = verifier
      return crypto
        .createVerify('sm3')
        .update(z)
        .update(message)
        .verify(key, signatureDer(signature))
    },
  }
}

const maxKeys = 64

/** Never exported again: for sec1 Node 20 aborts. */
function privateKeyObject(crypto: NativeCrypto, d: Uint8Array, publicKey: Uint8Array): KeyObject {
  const der = Buffer.from(concat(pkcs8Prefix, d, pkcs8Public, publicKey))
  try {
    return crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
  }
}

// SubjectPublicKeyInfo and PKCS#8 of an EC key on 1.2.156.10197.1.301, up to where the key's own bytes stand.
const spkiPrefix = hexToBytes('3059301306072a8648ce3d020106082a811ccf5501822d034200')
const pkcs8Prefix = hexToBytes(
  '308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420',
)
const pkcs8Public = hexToBytes('a144034200')
