import { getRandomValues } from 'node:crypto'
import {
  derBits,
  derContext,
  derInteger,
  derOctets,
  derOid,
  derSequence,
  derTime,
  derTrue,
} from '../../anchor-client/evidence/der.ts'
import { publicKeyPem, signatureDer } from '../../anchor-client/evidence/extract.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import { type DistinguishedName, nameDer } from './distinguished-name.ts'
import type { Key } from './key-file.ts'
import { pem } from './pem.ts'

/** A request for a certificate (PKCS#10), signed with the standard id. */
export function certificateRequest(key: Key, subject: DistinguishedName): string {
  const information = derSequence(
    derInteger(Uint8Array.of(0)),
    nameDer(subject),
    subjectPublicKey(key),
    derContext(0),
  )
  return pem('CERTIFICATE REQUEST', signed(key, information))
}

/**
 * A certificate that the key gives itself: a vessel for programs that take no bare key. It vouches for
 * nothing, and has no end that anyone should rely on (RFC 5280, 4.1.2.5).
 */
export function selfSignedCertificate(
  key: Key,
  subject: DistinguishedName,
  notBeforeMs: number,
): string {
  const name = nameDer(subject)
  const content = derSequence(
    derContext(0, derInteger(Uint8Array.of(2))),
    derInteger(serialNumber()),
    sm2WithSm3,
    name,
    derSequence(derTime(notBeforeMs), derTime(endOfTimeMs)),
    name,
    subjectPublicKey(key),
    derContext(3, derSequence(...extensions(key))),
  )
  return pem('CERTIFICATE', signed(key, content))
}

const signed = (key: Key, content: Uint8Array): Uint8Array =>
  derSequence(content, sm2WithSm3, derBits(signatureDer(key.sign(content))))

function extensions(key: Key): Uint8Array[] {
  const extension = (oid: string, critical: boolean, value: Uint8Array) =>
    derSequence(derOid(oid), ...(critical ? [derTrue] : []), derOctets(value))
  return [
    // Not an authority: an empty sequence says so.
    extension('2.5.29.19', true, derSequence()),
    // digitalSignature alone: the first of eight bits.
    extension('2.5.29.15', true, derBits(Uint8Array.of(0x80), 7)),
    extension('2.5.29.14', false, derOctets(keyId(key.publicKey).subarray(0, 20))),
  ]
}

/** Positive and of 16 random bytes. */
function serialNumber(): Uint8Array {
  const bytes = getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes
}

const subjectPublicKey = (key: Key): Uint8Array => {
  const base64 = publicKeyPem(key.publicKey).replace(/-----[^-]+-----|\n/g, '')
  return Uint8Array.from(Buffer.from(base64, 'base64'))
}

const sm2WithSm3 = derSequence(derOid('1.2.156.10197.1.501'))
const endOfTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59)
