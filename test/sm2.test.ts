import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { hexToBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { publicKeyPem, signatureDer } from '../anchor-client/evidence/extract.ts'
import { isPublicKey, verifySm2 } from '../anchor-client/evidence/sm2.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { isSignedBySmCrypto, signerOf } from './helpers/signer.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'

interface Vector {
  readonly name: string
  readonly id?: string
  readonly msg?: string
  readonly pub: string
  readonly sigRaw?: string
  readonly sigDer?: string
  readonly r?: string
  readonly s?: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

const vectors = (name: string): readonly Vector[] =>
  JSON.parse(readFileSync(new URL(`vectors/sm/${name}.json`, import.meta.url), 'utf8')).tests

const standardId = '1234567812345678'
const isHex = (text: string) => /^([0-9a-f]{2})*$/.test(text)

test('the example signature of the standard is valid', (t) => {
  const [example] = vectors('sm2_sign_valid')
  const { pub, msg, r, s } = example as Required<Vector>
  t.true(verifySm2(hexToBytes(pub), hexToBytes(msg), hexToBytes(r + s)))
})

for (const { name, id, msg, pub, sigRaw, result } of vectors('sm2_sign_negative')) {
  // Other ids and DER never reach us, and text that is not hex is refused before.
  if (id !== standardId || sigRaw === undefined || msg === undefined) continue
  if (!isHex(sigRaw) || !isHex(pub)) continue
  test(`a signature is ${result === 'valid' ? 'valid' : 'refused'} (${name})`, (t) => {
    const verified = verifySm2(hexToBytes(pub), hexToBytes(msg), hexToBytes(sigRaw))
    // Keys that others may also take in another form have one form here.
    t.is(verified, result === 'valid')
  })
}

test('a key that is not a point of the curve in its one form is no key', (t) => {
  const { publicKey } = signerOf('5c'.repeat(32))
  t.true(isPublicKey(publicKey))
  const changed = (at: number, value: number) => publicKey.with(at, value)
  t.false(isPublicKey(changed(64, (publicKey[64] as number) ^ 1)))
  t.false(isPublicKey(changed(0, 6)))
  t.false(isPublicKey(publicKey.subarray(0, 64)))
  t.false(isPublicKey(new Uint8Array(65)))
  t.false(isPublicKey(new Uint8Array(65).fill(0xff).with(0, 4)))
})

test('what another implementation signs is valid, and not for another message, key or signature', (t) => {
  const other = signerOf('6b'.repeat(32))
  for (let i = 1; i <= 20; i++) {
    const { publicKey, sign } = signerOf(i.toString(16).padStart(64, '1'))
    const message = utf8(`message ${i}`)
    const signature = sign(message)
    t.true(verifySm2(publicKey, message, signature))
    t.true(isSignedBySmCrypto(publicKey, message, signature))
    t.false(verifySm2(publicKey, utf8(`message ${i + 1}`), signature))
    t.false(verifySm2(other.publicKey, message, signature))
    t.false(verifySm2(publicKey, message, signature.with(63, (signature[63] as number) ^ 1)))
  }
})

testWith('openssl')('openssl and Kedge agree on signatures in both directions', async (t) => {
  await using folder = await scratchFolder()
  const at = (name: string) => join(folder.path, name)
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder.path })
  const message = utf8('thirty-two bytes of some message')
  await writeFile(at('m'), message)

  const { publicKey, sign } = signerOf('7a'.repeat(32))
  await writeFile(at('ours.pem'), publicKeyPem(publicKey))
  await writeFile(at('ours.sig'), signatureDer(sign(message)))
  const options = ['-rawin', '-digest', 'sm3', '-pkeyopt', `distid:${standardId}`]
  const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'ours.pem', '-in', 'm']
  t.is((await openssl(...verify, '-sigfile', 'ours.sig', ...options)).code, 0)

  t.is((await openssl('genpkey', '-algorithm', 'SM2', '-out', 'key.pem')).code, 0)
  await openssl('pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER', '-out', 'key.der')
  const signing = ['pkeyutl', '-sign', '-inkey', 'key.pem', '-in', 'm', '-out', 'their.sig']
  t.is((await openssl(...signing, ...options)).code, 0)
  const theirKey = new Uint8Array(readFileSync(at('key.der'))).subarray(-65)
  const theirs = rawOf(new Uint8Array(readFileSync(at('their.sig'))))
  t.true(verifySm2(theirKey, message, theirs))
})

/** r‖s from the DER that openssl writes. */
function rawOf(der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] as number
    const digits = der.subarray(at + 2, at + 2 + length)
    raw.set(digits.subarray(Math.max(0, length - 32)), end - Math.min(32, length))
    at += 2 + length
  }
  return raw
}
