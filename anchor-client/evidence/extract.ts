import { concat, hexToBytes } from './bytes.ts'
import { decodeEvidence } from './file.ts'
import { checkpointMessage } from './seal.ts'

/** A checkpoint in the forms that common tools take, so that anyone can check its signature without us. */
export interface ExtractedCheckpoint {
  readonly seq: number
  readonly size: number
  readonly message: Uint8Array
  readonly signatureDer: Uint8Array
  readonly publicKeyPem: string
}

export function extractCheckpoints(file: Uint8Array): ExtractedCheckpoint[] {
  return decodeEvidence(file).seals.flatMap(({ header, checkpoints }) =>
    checkpoints.map(({ size, hashId, root, key, signature }) => ({
      seq: header.seq,
      size,
      message: checkpointMessage({ ...header, size, hashId, root }),
      signatureDer: signatureDer(signature),
      publicKeyPem: publicKeyPem(key),
    })),
  )
}

/** r‖s as the SEQUENCE of two INTEGERs that other tools expect. */
export function signatureDer(signature: Uint8Array): Uint8Array {
  const integers = concat(derInteger(signature.subarray(0, 32)), derInteger(signature.subarray(32)))
  return concat(Uint8Array.of(0x30, integers.length), integers)
}

function derInteger(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  // A set top bit would read as a negative number.
  const padded = (digits[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), digits) : digits
  return concat(Uint8Array.of(2, padded.length), padded)
}

// SubjectPublicKeyInfo: id-ecPublicKey, the SM2 curve 1.2.156.10197.1.301, then the point as a bit string.
const publicKeyPrefix = hexToBytes('3059301306072a8648ce3d020106082a811ccf5501822d034200')

export function publicKeyPem(key: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...publicKeyPrefix, ...key))
  const lines = base64.match(/.{1,64}/g) ?? []
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n')
}
