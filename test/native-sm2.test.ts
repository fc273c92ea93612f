import * as nodeCrypto from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, concat, hexToBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { publicKeyPem, signatureDer } from '../anchor-client/evidence/extract.ts'
import { verifySm2 } from '../anchor-client/evidence/sm2.ts'
import { signatureFromDer } from '../anchor-client/evidence/sm2-der.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { firstSoundCiphers, nativeCiphers, pureCiphers } from '../gateway/keys/ciphers.ts'
import { smCrypto } from '../gateway/keys/sm-crypto.ts'
import { firstSound, openSm2, type Sm2 } from '../gateway/keys/sm2.ts'
import { type NativeCrypto, nativeSm2 } from '../gateway/keys/sm2-native.ts'
import { hedgedNonce, portableSm2 } from '../gateway/keys/sm2-portable.ts'
import { pureRooms } from './helpers/pure-rooms.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { isSignedBySmCrypto, signerOf } from './helpers/signer.ts'
import { noise } from './helpers/sm3.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'
import { vectors } from './helpers/vectors.ts'

interface Vector {
  readonly name: string
  readonly id?: string
  readonly level?: 'digest'
  readonly kind?: string
  readonly msg: string
  readonly e: string
  readonly pub: string
  readonly d?: string
  readonly k?: string
  readonly ZA?: string
  readonly r?: string
  readonly s?: string
  readonly sigRaw?: string
  readonly sigDer?: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

const published = vectors('sm/sm2_sign_valid.json') as {
  readonly tests: readonly Vector[]
  readonly badPrivateKeys: readonly { readonly d: string; readonly why: string }[]
}
const negative = (vectors('sm/sm2_sign_negative.json') as { tests: readonly Vector[] }).tests
const all = [...published.tests, ...negative]
const example = published.tests[0] as Required<Vector>
const standardId = '1234567812345678'

const isHex = (text: string) => /^([0-9a-f]{2})*$/.test(text)

const engines: Record<string, Omit<Sm2, 'why'>> = {
  openssl: nativeSm2(),
  'sm-crypto': portableSm2(),
}

/** The two forms in which a vector gives its signature; null where that form is refused before any engine. */
function signaturesOf({ sigRaw, sigDer, r, s }: Vector, fromDer: (der: string) => string | null) {
  const raw = sigRaw ?? (r && s ? r + s : undefined)
  return [
    ...(raw === undefined ? [] : [isHex(raw) ? raw : null]),
    ...(sigDer === undefined ? [] : [fromDer(sigDer)]),
  ]
}

for (const [where, open] of pureRooms) {
  test(`every published signature is judged as published, in every form (${where})`, async (t) => {
    const room = await open()
    t.is(all.length, 96)
    for (const vector of all) {
      const { name, level, kind, id = standardId, msg, e, pub, result } = vector
      if (kind !== undefined) {
        t.false(room.isPublicKey(pub), name)
        continue
      }
      const signatures = signaturesOf(vector, room.fromDer)
      t.true(signatures.length > 0, name)
      for (const signature of signatures) {
        const isValid =
          signature !== null &&
          (level === 'digest'
            ? room.verifyDigest(pub, e, signature)
            : room.verify(pub, msg, signature, id))
        // What others may also take in a second form has one form here.
        t.is(isValid, result === 'valid', name)
      }
    }
  })

  test(`the standard's Z is found for every id that a vector names (${where})`, async (t) => {
    const room = await open()
    const withZ = published.tests.filter(({ ZA }) => ZA !== undefined)
    t.true(withZ.length > 0)
    for (const { pub, id, ZA } of withZ) t.is(room.signerDigest(pub, id as string), ZA as string)
  })

  test(`a number that is no private key is refused (${where})`, async (t) => {
    const room = await open()
    for (const { d, why } of published.badPrivateKeys) t.false(room.isPrivateKey(d), why)
    t.false(room.isPrivateKey('01'))
    t.false(room.isPrivateKey('01'.repeat(33)))
    t.true(room.isPrivateKey(`${'00'.repeat(31)}01`))
    t.true(room.isPrivateKey('fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121'))
  })
}

for (const [engine, sm2] of Object.entries(engines)) {
  test(`every published signature over a message is judged as published (${engine})`, (t) => {
    let judged = 0
    for (const vector of all) {
      const { name, level, kind, id = standardId, msg, pub, result } = vector
      // Digests and other ids are for the pure room: an engine is given a message and its signer.
      if (level === 'digest' || kind !== undefined || id !== standardId || !isHex(pub)) continue
      for (const signature of signaturesOf(vector, fromDer)) {
        const isValid =
          signature !== null && sm2.verify(hexToBytes(pub), hexToBytes(msg), hexToBytes(signature))
        t.is(isValid, result === 'valid', name)
        judged++
      }
    }
    t.true(judged > 100)
  })

  test(`a key that is out of range is refused before anything is computed (${engine})`, (t) => {
    for (const { d, why } of published.badPrivateKeys) {
      t.throws(() => sm2.signer(hexToBytes(d)), { instanceOf: TypeError }, why)
      t.throws(() => sm2.publicKeyOf(hexToBytes(d)), { instanceOf: TypeError }, why)
    }
    t.throws(() => sm2.signer(new Uint8Array(31).fill(1)), { instanceOf: TypeError })
  })

  test(`the smallest and the largest key sign (${engine})`, (t) => {
    for (const d of [
      `${'00'.repeat(31)}01`,
      'fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121',
    ]) {
      const publicKey = sm2.publicKeyOf(hexToBytes(d))
      t.is(bytesToHex(publicKey), smCrypto.sm2.getPublicKeyFromPrivateKey(d))
      const signature = sm2.signer(hexToBytes(d))(utf8('edge'))
      t.true(verifySm2(publicKey, utf8('edge'), signature))
    }
  })

  test(`public keys and signatures of fresh keys are what others expect (${engine})`, (t) => {
    for (let i = 0; i < 20; i++) {
      const d = sm2.generate()
      const publicKey = sm2.publicKeyOf(d)
      t.is(bytesToHex(publicKey), smCrypto.sm2.getPublicKeyFromPrivateKey(bytesToHex(d)))
      const message = noise(11 * i)
      const signature = sm2.signer(d)(message)
      t.is(signature.length, 64)
      t.true(isSignedBySmCrypto(publicKey, message, signature))
      for (const other of Object.values(engines)) {
        t.true(other.verify(publicKey, message, signature))
        t.false(other.verify(publicKey, concat(message, Uint8Array.of(0)), signature))
      }
      const theirs = signerOf(bytesToHex(d)).sign(message)
      t.true(sm2.verify(publicKey, message, theirs))
      t.false(sm2.verify(publicKey, message, theirs.with(63, (theirs[63] as number) ^ 1)))
    }
  })

  testWith('openssl')(
    `the openssl command and this engine verify each other (${engine})`,
    async (t) => {
      await using folder = await scratchFolder()
      const at = (name: string) => join(folder.path, name)
      const openssl = (...args: string[]) => run('openssl', args, { cwd: folder.path })
      const options = ['-rawin', '-digest', 'sm3', '-pkeyopt', `distid:${standardId}`]
      for (const length of [0, 32, 1000]) {
        const d = sm2.generate()
        const [publicKey, message] = [sm2.publicKeyOf(d), noise(length)]
        await writeFile(at('m'), message)
        await writeFile(at('key.pem'), publicKeyPem(publicKey))
        await writeFile(at('sig'), signatureDer(sm2.signer(d)(message)))
        const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key.pem', '-in', 'm']
        t.is((await openssl(...verify, '-sigfile', 'sig', ...options)).code, 0)

        await writeFile(at('private.der'), pkcs8(d, publicKey))
        const sign = ['pkeyutl', '-sign', '-inkey', 'private.der', '-keyform', 'DER', '-in', 'm']
        t.is((await openssl(...sign, '-out', 'their.sig', ...options)).code, 0)
        const theirs = signatureFromDer(new Uint8Array(await readFile(at('their.sig'))))
        t.true(theirs !== undefined && sm2.verify(publicKey, message, theirs))
      }
    },
  )
}

test('with the nonce of the standard’s example the fallback gives the signature of the example', (t) => {
  const { d, k, msg, r, s } = example
  const sm2 = portableSm2(smCrypto, () => hexToBytes(k))
  t.is(bytesToHex(sm2.signer(hexToBytes(d))(hexToBytes(msg))), r + s)
})

test('a nonce depends on the key, on what is signed and on fresh randomness', (t) => {
  const [d, e, fresh] = [noise(32), sm3(utf8('one')), noise(33).slice(1)]
  const nonce = bytesToHex(hedgedNonce(d, e, fresh))
  t.is(nonce.length, 64)
  // With a generator that repeats itself, another message still gets another nonce.
  t.is(bytesToHex(hedgedNonce(d, e, fresh)), nonce)
  t.not(bytesToHex(hedgedNonce(d, sm3(utf8('two')), fresh)), nonce)
  t.not(bytesToHex(hedgedNonce(d.with(0, 99), e, fresh)), nonce)
  t.not(bytesToHex(hedgedNonce(d, e)), nonce)
  t.not(bytesToHex(hedgedNonce(d, e)), bytesToHex(hedgedNonce(d, e)))
})

test('on this computer OpenSSL passes the self-test and is used', (t) => {
  const { engine, why } = openSm2()
  t.deepEqual([engine, why], ['openssl', null])
})

const failing: Record<string, { crypto: Partial<NativeCrypto>; why: RegExp }> = {
  'knows no SM2': {
    crypto: {
      createECDH: () => {
        throw new Error('Invalid EC curve name')
      },
    },
    why: /Invalid EC curve name/,
  },
  'adds another id to what it signs': {
    crypto: { createSign: signing('empty id') },
    why: /its own/,
  },
  'signs without the signer': { crypto: { createSign: signing('no id') }, why: /its own/ },
  'agrees with itself on signatures without the signer': {
    crypto: { createSign: signing('no id'), createVerify: verifying('no id') },
    why: /refuses the standard's example/,
  },
  'takes every signature': { crypto: { createVerify: verifying('anything') }, why: /false sig/ },
  'takes none': { crypto: { createVerify: verifying('nothing') }, why: /standard's example/ },
}

for (const [fault, { crypto, why }] of Object.entries(failing)) {
  test(`where OpenSSL ${fault}, sm-crypto signs what all others verify`, (t) => {
    const broken = () => nativeSm2({ ...nodeCrypto, ...crypto } as NativeCrypto)
    const sm2 = firstSound([broken, portableSm2])
    t.is(sm2.engine, 'sm-crypto')
    t.regex(sm2.why ?? '', why)
    const d = sm2.generate()
    const [publicKey, signature] = [sm2.publicKeyOf(d), sm2.signer(d)(utf8('M'))]
    t.true(verifySm2(publicKey, utf8('M'), signature))
    t.true(nativeSm2().verify(publicKey, utf8('M'), signature))
    t.true(isSignedBySmCrypto(publicKey, utf8('M'), signature))
  })
}

test('where no engine passes, there is none', (t) => {
  const gone = () => {
    throw new Error('no SM2 here')
  }
  const unsound = () => ({ ...portableSm2(), verify: () => true })
  const error = t.throws(() => firstSound([gone, unsound]), { message: /no SM2 here.*false sig/ })
  t.is((error as { code?: string }).code, 'KEY_SELF_TEST')
})

test('where OpenSSL lacks SM4 or finds another SM3, the pure room takes over, and never a wrong one', (t) => {
  const { createCipheriv, createHash, createHmac } = nodeCrypto
  const without = nativeCiphers({
    createHash,
    createHmac,
    createCipheriv: (() => {
      throw new Error('Unknown cipher')
    }) as unknown as typeof createCipheriv,
  })
  const another = nativeCiphers({
    createCipheriv,
    createHmac,
    createHash: (() => createHash('sha256')) as typeof createHash,
  })
  for (const [broken, why] of [
    [without, /Unknown cipher/],
    [another, /another SM3/],
  ] as const) {
    const found = firstSoundCiphers([broken, pureCiphers])
    t.is(found.engine, 'pure')
    t.regex(found.why ?? '', why)
    const error = t.throws(() => firstSoundCiphers([broken]))
    t.is((error as { code?: string }).code, 'KEY_SELF_TEST')
  }
})

/** Real OpenSSL, asked in one of the ways that do not give standard SM2. */
function signing(mistake: 'empty id' | 'no id'): NativeCrypto['createSign'] {
  const createSign = (digest: string) =>
    givenParts((parts) => ({
      sign(key: nodeCrypto.KeyObject) {
        // The first part is Z.
        const message = concat(...parts.slice(1))
        return mistake === 'empty id'
          ? nodeCrypto.sign(digest, message, key)
          : nodeCrypto.createSign(digest).update(message).sign(key)
      },
    }))
  return createSign as unknown as NativeCrypto['createSign']
}

function verifying(mistake: 'no id' | 'anything' | 'nothing'): NativeCrypto['createVerify'] {
  const createVerify = (digest: string) =>
    givenParts((parts) => ({
      verify(key: nodeCrypto.KeyObject, signature: Uint8Array) {
        if (mistake !== 'no id') return mistake === 'anything'
        const verifier = nodeCrypto.createVerify(digest)
        return verifier.update(concat(...parts.slice(1))).verify(key, signature)
      },
    }))
  return createVerify as unknown as NativeCrypto['createVerify']
}

/** Takes what is to be signed or verified in parts, as OpenSSL does. */
function givenParts<Rest>(restOf: (parts: readonly Uint8Array[]) => Rest) {
  const parts: Uint8Array[] = []
  const object = {
    ...restOf(parts),
    update(part: Uint8Array) {
      parts.push(part)
      return object
    },
  }
  return object
}

function fromDer(der: string): string | null {
  const signature = signatureFromDer(hexToBytes(der))
  return signature ? bytesToHex(signature) : null
}

const pkcs8 = (d: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  concat(
    hexToBytes('308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420'),
    d,
    hexToBytes('a144034200'),
    publicKey,
  )
