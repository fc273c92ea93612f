import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { publicKeyPem } from '../anchor-client/evidence/extract.ts'
import { smCrypto } from '../gateway/keys/sm-crypto.ts'
import { pureRoom } from './helpers/pure-room.ts'
import { pureRooms } from './helpers/pure-rooms.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'
import { noise } from './helpers/sm3.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'
import { vectors } from './helpers/vectors.ts'

interface Example {
  readonly msg: string
  readonly d: string
  readonly pub: string
  readonly k: string
  readonly c1: string
  readonly c2: string
  readonly c3: string
}

const { tests } = vectors('sm/sm2_encryption.json') as { readonly tests: readonly Example[] }
const example = tests[0] as Example

const hex = (length: number, salt = 0) => bytesToHex(noise(length + salt).slice(salt))
const keyOf = (d: string) => ({ d, publicKey: bytesToHex(signerOf(d).publicKey) })
const [hospital, partner, regulator] = ['3a', '4b', '5c'].map((byte) => keyOf(byte.repeat(32))) as [
  ReturnType<typeof keyOf>,
  ReturnType<typeof keyOf>,
  ReturnType<typeof keyOf>,
]
const flipped = (text: string, at: number) => {
  const bytes = hexToBytes(text)
  return bytesToHex(bytes.with(at, (bytes[at] as number) ^ 1))
}

for (const [where, open] of pureRooms) {
  test(`the standard's example of encryption is found, and read again (${where})`, async (t) => {
    const room = await open()
    const { msg, d, pub, k, c1, c2, c3 } = example
    t.is(room.encrypt(pub, msg, k), c1 + c3 + c2)
    t.is(room.decrypt(d, c1 + c3 + c2), msg)
  })

  test(`each recipient of an envelope reads it, nobody else does (${where})`, async (t) => {
    const room = await open()
    for (const length of [0, 1, 16, 1000]) {
      const content = hex(length)
      const sealed = room.seal([hospital.publicKey, partner.publicKey], content, hex(96))
      t.is(room.open(hospital.d, hospital.publicKey, sealed), content)
      t.is(room.open(partner.d, partner.publicKey, sealed), content)
      t.is(room.open(regulator.d, regulator.publicKey, sealed), 'not for this key')
      // Who holds another key and claims this one learns nothing.
      t.is(room.open(regulator.d, hospital.publicKey, sealed), 'damaged')
    }
  })
}

test('an envelope with one bit changed, a byte more or a byte less opens for nobody', (t) => {
  const sealed = pureRoom.seal([hospital.publicKey, partner.publicKey], hex(20), hex(96))
  const bytes = sealed.length / 2
  for (let at = 0; at < bytes; at++) {
    t.true(
      ['damaged', 'not for this key'].includes(
        pureRoom.open(hospital.d, hospital.publicKey, flipped(sealed, at)),
      ),
      `${at}`,
    )
  }
  for (const changed of [`${sealed}00`, sealed.slice(0, -2), '', '80', hex(300)]) {
    t.is(pureRoom.open(hospital.d, hospital.publicKey, changed), 'damaged')
  }
})

test('an envelope for nobody, for too many or for what is no key is not sealed', (t) => {
  const { seal } = pureRoom
  t.throws(() => seal([], '00', hex(96)), { instanceOf: TypeError })
  const many = Array.from({ length: 65 }, () => hospital.publicKey)
  t.throws(() => seal(many, '00', hex(96)), { instanceOf: TypeError })
  t.throws(() => seal([flipped(hospital.publicKey, 64)], '00', hex(96)), { instanceOf: TypeError })
})

test('a changed ciphertext, a point off the curve and another key decrypt to nothing', (t) => {
  const { d, pub, msg, k } = example
  const ciphertext = pureRoom.encrypt(pub, msg, k)
  for (let at = 0; at < ciphertext.length / 2; at++) {
    t.is(pureRoom.decrypt(d, flipped(ciphertext, at)), null, `${at}`)
  }
  t.is(pureRoom.decrypt(hospital.d, ciphertext), null)
  for (const cut of [0, 1, 64, 65, 96, 97]) {
    t.is(pureRoom.decrypt(d, ciphertext.slice(0, 2 * cut)), null)
  }
})

test('sm-crypto reads what is encrypted here, and the other way round', (t) => {
  for (const length of [1, 31, 32, 33, 100]) {
    const message = hex(length)
    const ours = pureRoom.encrypt(hospital.publicKey, message, hex(32, length))
    const options = { output: 'array' } as const
    const read = smCrypto.sm2.doDecrypt(ours.slice(2), hospital.d, 1, options)
    t.is(bytesToHex(Uint8Array.from(read)), message)
    const theirs = smCrypto.sm2.doEncrypt(Array.from(hexToBytes(message)), hospital.publicKey, 1)
    t.is(pureRoom.decrypt(hospital.d, `04${theirs}`), message)
  }
})

test('a ciphertext has one form in DER', (t) => {
  const { toCipherDer, fromCipherDer } = pureRoom
  const ciphertext = pureRoom.encrypt(hospital.publicKey, hex(40), hex(32))
  const der = toCipherDer(ciphertext)
  t.is(fromCipherDer(der), ciphertext)
  // A coordinate of fewer digits is written shorter and comes back whole.
  const small = `04${'00'.repeat(3)}${ciphertext.slice(8)}`
  t.is(fromCipherDer(toCipherDer(small)), small)
  for (const changed of [`${der}00`, der.slice(0, -2), '', '3000', der.replace('30', '31')]) {
    t.is(fromCipherDer(changed), null)
  }
  // 30 81 length 02 length x …, once more with a zero before x.
  const [whole, digits] = [der.slice(4, 6), der.slice(8, 10)].map((one) => Number.parseInt(one, 16))
  const longer = (length = 0) => (length + 1).toString(16).padStart(2, '0')
  const padded = `3081${longer(whole)}02${longer(digits)}00${der.slice(10)}`
  t.true(der.startsWith('3081'))
  t.is(fromCipherDer(padded), null)
})

testWith('openssl')('openssl reads what is encrypted here, and the other way round', async (t) => {
  await using folder = await scratchFolder()
  const at = (name: string) => join(folder.path, name)
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder.path })
  await openssl('genpkey', '-algorithm', 'SM2', '-out', 'key.pem')
  await openssl('pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER', '-out', 'public.der')
  const publicKey = bytesToHex(new Uint8Array(await readFile(at('public.der'))).subarray(-65))
  for (const length of [1, 16, 32, 100]) {
    const message = hex(length)
    const ours = pureRoom.encrypt(publicKey, message, hex(32, length))
    await writeFile(at('ours'), hexToBytes(pureRoom.toCipherDer(ours)))
    const files = ['-inkey', 'key.pem', '-in', 'ours', '-out', 'read']
    t.is((await openssl('pkeyutl', '-decrypt', ...files)).code, 0)
    t.is(bytesToHex(new Uint8Array(await readFile(at('read')))), message)

    await writeFile(at('hospital.pem'), publicKeyPem(hexToBytes(hospital.publicKey)))
    await writeFile(at('m'), hexToBytes(message))
    const sealing = ['-encrypt', '-pubin', '-inkey', 'hospital.pem', '-in', 'm', '-out', 'theirs']
    t.is((await openssl('pkeyutl', ...sealing)).code, 0)
    const theirs = pureRoom.fromCipherDer(bytesToHex(new Uint8Array(await readFile(at('theirs')))))
    t.is(pureRoom.decrypt(hospital.d, theirs ?? ''), message)
  }
})
