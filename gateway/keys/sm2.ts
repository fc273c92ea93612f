import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { selfTestFault } from './sm2-known-answers.ts'
import { nativeSm2 } from './sm2-native.ts'
import { portableSm2 } from './sm2-portable.ts'

/**
 * SM2 (GB/T 32918) with the standard id `1234567812345678`. A private key is d, 32 bytes; a public key
 * 04‖x‖y; a signature r‖s. What is not in its one form is a `TypeError` where we would use it and `false`
 * where somebody else's signature is judged.
 */
export interface Sm2 {
  readonly engine: 'openssl' | 'sm-crypto'
  /** Why the faster engine is not used; null where it is. */
  readonly why: string | null
  generate(): Uint8Array
  publicKeyOf(d: Uint8Array): Uint8Array
  /** Whatever can be computed once for a key is. `d` is not needed afterwards: overwrite it. */
  signer(d: Uint8Array): Signer
  verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** Gives r‖s of a message. Disposing of it overwrites the key that it keeps, where it keeps one itself. */
export interface Signer extends Disposable {
  (message: Uint8Array): Uint8Array
}

/**
 * The first engine that finds the known answers. That OpenSSL makes standard SM2 of what it is given is
 * documented nowhere, so it is tried before every use of a process.
 */
export function openSm2(): Sm2 {
  opened ??= firstSound([nativeSm2, portableSm2])
  return opened
}
let opened: Sm2 | undefined

export function firstSound(engines: readonly (() => Omit<Sm2, 'why'>)[]): Sm2 {
  let why: string | null = null
  for (const open of engines) {
    const { sm2, fault } = tried(open)
    if (sm2) return { ...sm2, why }
    why = why === null ? fault : `${why}; ${fault}`
  }
  throw new KedgeError('KEY_SELF_TEST', `SM2 fails its self-test: ${why}`, {
    hint: 'Use another build of Node: what this one signs would be worth nothing.',
  })
}

function tried(open: () => Omit<Sm2, 'why'>) {
  try {
    const sm2 = open()
    const fault = selfTestFault(sm2)
    return fault === null ? { sm2 } : { fault: `${sm2.engine}: ${fault}` }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}
