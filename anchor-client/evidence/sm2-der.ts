import { equalBytes } from './bytes.ts'
import { signatureDer } from './extract.ts'

/**
 * r‖s of a signature in DER, or undefined where it is not the one form that DER allows. The numbers
 * themselves are judged by whoever verifies.
 */
export function signatureFromDer(der: Uint8Array): Uint8Array | undefined {
  // Two integers of at most 33 bytes: a length beyond 127 says that this is something else.
  if (der.length < 8 || der.length > 72 || der[0] !== sequence) return undefined
  const raw = new Uint8Array(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const digits = der.subarray(at + 2, at + 2 + length)
    if (der[at] !== integer || digits.length !== length || length > 33) return undefined
    if (length === 33 && digits[0] !== 0) return undefined
    const significant = digits.subarray(Math.max(0, length - 32))
    raw.set(significant, end - significant.length)
    at += 2 + length
  }
  // Padding, negative numbers, lengths that lie and bytes left over all differ from what we would write.
  return equalBytes(signatureDer(raw), der) ? raw : undefined
}

const sequence = 0x30
const integer = 0x02
