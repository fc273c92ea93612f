import { getRandomValues } from 'node:crypto'
import { isPrivateKey } from '../../anchor-client/evidence/sm2.ts'

/** Uniform from 1 to n − 2, of the system's generator. */
export function generatePrivateKey(): Uint8Array {
  for (;;) {
    const d = getRandomValues(new Uint8Array(32))
    // All but one in 2^32 are below n.
    if (isPrivateKey(d)) return d
  }
}

/** Before any library sees it: OpenSSL signs garbage with d = 0 or n, and never returns for n − 1. */
export function checkPrivateKey(d: Uint8Array): void {
  if (!isPrivateKey(d)) throw new TypeError('not an SM2 private key: 32 bytes from 1 to n - 2')
}
