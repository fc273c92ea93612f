import { createCipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { bytesToHex, concat, hexToBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import * as pureHmac from '../../anchor-client/evidence/hmac-sm3.ts'
import { sm3Stream as pureStream, type Sm3Stream } from '../../anchor-client/evidence/sm3-stream.ts'
import * as pureSm4 from '../../anchor-client/evidence/sm4.ts'

/** SM3, HMAC-SM3 and SM4-CTR: by OpenSSL, or by the pure room where this Node cannot. */
interface Ciphers {
  readonly engine: 'openssl' | 'pure'
  /** Why OpenSSL is not used; null where it is. */
  readonly why: string | null
  sm3Stream(): Sm3Stream
  hmacSm3(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  /** Encrypts and decrypts: a key and a first counter of 16 bytes. */
  sm4Ctr(key: Uint8Array, counter: Uint8Array, bytes: Uint8Array): Uint8Array
  sameTag(a: Uint8Array, b: Uint8Array): boolean
}

/** The first that finds the known answers: an SM4 that is wrong would make keys that nothing ever opens. */
export function openCiphers(): Ciphers {
  opened ??= firstSoundCiphers([nativeCiphers(), pureCiphers])
  return opened
}
let opened: Ciphers | undefined

type Untried = Omit<Ciphers, 'why'>

export function firstSoundCiphers(engines: readonly Untried[]): Ciphers {
  let why: string | null = null
  for (const ciphers of engines) {
    const fault = faultOf(ciphers)
    if (fault === null) return { ...ciphers, why }
    why = `${why === null ? '' : `${why}; `}${ciphers.engine}: ${fault}`
  }
  throw new KedgeError('KEY_SELF_TEST', `SM3 or SM4 fails its self-test: ${why}`, {
    hint: 'Use another build of Node: what this one encrypts would be lost.',
  })
}

/** What is used of node:crypto, so that a test can hand over one that answers otherwise. */
type NativeCiphers = Pick<
  typeof import('node:crypto'),
  'createCipheriv' | 'createHash' | 'createHmac'
>

export const nativeCiphers = (
  crypto: NativeCiphers = { createCipheriv, createHash, createHmac },
): Untried => ({
  engine: 'openssl',
  sm3Stream() {
    const hash = crypto.createHash('sm3')
    return {
      update: (bytes) => void hash.update(bytes),
      digest: () => Uint8Array.from(hash.copy().digest()),
    }
  },
  hmacSm3(key, ...parts) {
    const hmac = crypto.createHmac('sm3', key)
    for (const part of parts) hmac.update(part)
    return Uint8Array.from(hmac.digest())
  },
  sm4Ctr(key, counter, bytes) {
    const cipher = crypto.createCipheriv('sm4-ctr', key, counter)
    return concat(cipher.update(bytes), cipher.final())
  },
  sameTag: (a, b) => a.length === b.length && timingSafeEqual(a, b),
})

export const pureCiphers: Untried = {
  engine: 'pure',
  sm3Stream: pureStream,
  hmacSm3: pureHmac.hmacSm3,
  sm4Ctr: pureSm4.sm4Ctr,
  sameTag: pureHmac.sameTag,
}

function faultOf({ sm3Stream, hmacSm3, sm4Ctr, sameTag }: Untried): string | null {
  try {
    const stream = sm3Stream()
    stream.update(utf8('a'))
    stream.update(utf8('bc'))
    if (bytesToHex(stream.digest()) !== sm3OfAbc) return 'another SM3'
    const tag = hmacSm3(hmacKey)
    if (bytesToHex(tag) !== hmacOfNothing) return 'another HMAC-SM3'
    if (!sameTag(tag, tag.slice()) || sameTag(tag, tag.with(31, 0))) return 'tags are not compared'
    // In counter mode the example block encrypts zeros to what the standard encrypts it to.
    if (bytesToHex(sm4Ctr(sm4Key, sm4Key, new Uint8Array(16))) !== sm4OfKey) return 'another SM4'
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

// GB/T 32905-2016 A.1, Wycheproof hmac_sm3 case 1, GB/T 32907-2016 A.1.
const sm3OfAbc = '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
const hmacKey = hexToBytes('1e225cafb90339bba1b24076d4206c3e79c355805d851682bc818baa4f5a7779')
const hmacOfNothing = 'f9938b1b2515117f25dcd636c9a6a0e7f00bccaf5347e0e0df435cfca736cfc1'
const sm4Key = hexToBytes('0123456789abcdeffedcba9876543210')
const sm4OfKey = '681edf34d206965e86b3e94f536e4246'
