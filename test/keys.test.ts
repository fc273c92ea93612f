import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ecrecover } from '@ethereumjs/util'
import test from 'ava'
import { bytesToHex, hexToBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { verifySm2 } from '../anchor-client/evidence/sm2.ts'
import { deviceKeyNumbers, deviceKeyPath, showDeviceKey } from '../gateway/keys/device-keys.ts'
import { createKeyFile, openKeyFile, readPublicKey } from '../gateway/keys/key-file.ts'
import { readKeyFile } from '../gateway/keys/key-format.ts'
import { readSecret } from '../gateway/keys/secret.ts'
import { openSm2 } from '../gateway/keys/sm2.ts'
import { unwrap } from '../gateway/keys/wrapping.ts'
import { writeNewFile } from '../gateway/keys/write-new-file.ts'
import { scratchFolder } from './helpers/scratch.ts'

const secret = utf8('a long enough passphrase')

/** What a person is told, and that it says nothing of what it must not. */
async function refusal(
  t: { false(value: boolean, message?: string): void },
  work: Promise<unknown>,
) {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(error instanceof KedgeError)) throw new Error('an expected failure', { cause: error })
  const { code, message, hint } = error
  for (const text of [message, hint ?? '', String(error.cause)]) {
    t.false(text.includes('passphrase'), text)
    t.false(text.includes('\n'), text)
  }
  return { code, message, hint }
}

test('a key signs again after it was put away, and what it signs others verify', async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'device-1.key')
  const publicKey = await createKeyFile(path, secret)
  t.deepEqual(await readPublicKey(path), publicKey)
  for (const message of [utf8('one'), utf8('two')]) {
    using key = await openKeyFile(path, secret)
    t.deepEqual(key.publicKey, publicKey)
    t.true(verifySm2(publicKey, message, key.sign(message)))
  }
  t.deepEqual(await readdir(folder.path), ['device-1.key'])
  t.is((await stat(path)).mode & 0o777, 0o600)
})

test("an account on a chain is wrapped like the device's key, and others recover it from what it signs", async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'key')
  const publicKey = await createKeyFile(path, secret, 'secp256k1')
  const digest = new Uint8Array(32).fill(7)
  using key = await openKeyFile(path, secret, 'secp256k1')
  const signature = key.sign(digest)
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32, 64)]
  const recovered = ecrecover(digest, BigInt((signature[64] as number) + 27), r, s)
  t.deepEqual(Uint8Array.from(recovered), publicKey.subarray(1))
  t.like(await readKeyFile(path), { algorithm: 'secp256k1', publicKey: bytesToHex(publicKey) })
  t.throws(() => key.sign(new Uint8Array(31)), { instanceOf: TypeError })
})

test('a key of one curve is never taken for one of the other', async (t) => {
  await using folder = await scratchFolder()
  const [device, chain] = [join(folder.path, 'device'), join(folder.path, 'chain')]
  await createKeyFile(device, secret)
  await createKeyFile(chain, secret, 'secp256k1')
  t.is((await refusal(t, openKeyFile(device, secret, 'secp256k1'))).code, 'KEY_MALFORMED')
  t.is((await refusal(t, openKeyFile(chain, secret))).code, 'KEY_MALFORMED')
})

test('a key that was put away signs no more', async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'key')
  await createKeyFile(path, secret)
  const key = await openKeyFile(path, secret)
  key[Symbol.dispose]()
  t.throws(() => key.sign(utf8('M')), { instanceOf: TypeError })
})

test('a key file holds its public part in clear and its private part wrapped', async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'key')
  const publicKey = await createKeyFile(path, secret)
  const text = await readFile(path, 'utf8')
  const d = await unwrap(await readKeyFile(path), secret)
  t.true(d !== undefined)
  t.deepEqual(openSm2().publicKeyOf(d as Uint8Array), publicKey)
  t.true(text.includes(bytesToHex(publicKey)))
  t.false(text.includes(bytesToHex(d as Uint8Array)))
  t.false(text.includes('passphrase'))
})

test('two keys under one secret have nothing in common', async (t) => {
  await using folder = await scratchFolder()
  for (const name of ['a', 'b']) await createKeyFile(join(folder.path, name), secret)
  const [a, b] = await Promise.all(['a', 'b'].map((name) => readKeyFile(join(folder.path, name))))
  for (const part of ['publicKey', 'iv', 'wrapped', 'tag'] as const) t.not(a?.[part], b?.[part])
  t.not(a?.scrypt.salt, b?.scrypt.salt)
})

test('a key is never overwritten, even when two are made at once', async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'key')
  const made = await Promise.allSettled([1, 2, 3].map(() => createKeyFile(path, secret)))
  const [kept] = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  t.is(made.filter(({ status }) => status === 'fulfilled').length, 1)
  t.deepEqual(await readPublicKey(path), kept)
  const before = await readFile(path)
  t.is((await refusal(t, createKeyFile(path, secret))).code, 'KEY_EXISTS')
  t.deepEqual(await readFile(path), before)
  t.deepEqual(await readdir(folder.path), ['key'])
  t.false(await writeNewFile(path, utf8('x')))
})

test('each way in which a key file cannot be opened is one clear sentence, and nothing is lost', async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'key')
  await createKeyFile(path, secret)
  const whole = await readFile(path, 'utf8')
  const told = async (text: string, with_ = secret) => {
    await writeFile(path, text)
    const { code, message } = await refusal(t, openKeyFile(path, with_))
    t.is(await readFile(path, 'utf8'), text)
    return `${code}: ${message.replace(path, 'FILE')}`
  }
  const damaged = 'KEY_MALFORMED: FILE is cut short or damaged'
  const foreign = 'KEY_MALFORMED: FILE is no key file of Kedge'
  const locked = `KEY_LOCKED: the secret does not open FILE: it is another secret, or the file comes from another machine or was changed`
  t.is(await told(''), damaged)
  for (const length of [25, 100, whole.length - 2, whole.length - 1]) {
    t.is(await told(whole.slice(0, length)), damaged)
  }
  t.is(await told(`${whole}\n`), damaged)
  t.is(await told(whole.replace('"iv"', '"IV"')), damaged)
  t.is(await told(whole.replace('"n":32768', '"n":1073741824')), damaged)
  t.is(await told(whole.replace('"n":32768', '"n":1')), damaged)
  t.is(await told(whole.replace('"p":1', '"p":9999')), damaged)
  t.is(await told(whole.replace(/"publicKey":"04../, '"publicKey":"0400')), damaged)
  t.is(await told('-----BEGIN ENCRYPTED PRIVATE KEY-----\n'), foreign)
  t.is(await told('{"address":"0x0","crypto":{}}\n'), foreign)
  t.is(await told('\0'.repeat(5000)), foreign)
  t.is(
    await told(whole.replace('"version":1', '"version":2')),
    'KEY_MALFORMED: FILE is a key file of version 2, and this program reads version 1',
  )
  t.is(await told(whole, utf8('another passphrase')), locked)
  t.is(await told(whole, new Uint8Array()), locked)
  for (const part of ['wrapped', 'tag', 'iv', 'salt']) {
    const changed = whole.replace(
      new RegExp(`("${part}":")(.)`),
      (_, before, digit) => `${before}${digit === '0' ? '1' : '0'}`,
    )
    t.is(await told(changed), locked)
  }
  await writeFile(path, whole)
  using key = await openKeyFile(path, secret)
  t.true(verifySm2(key.publicKey, utf8('M'), key.sign(utf8('M'))))

  const missing = await refusal(t, openKeyFile(join(folder.path, 'none'), secret))
  t.is(missing.code, 'KEY_MISSING')
  t.is((await refusal(t, openKeyFile(folder.path, secret))).code, 'KEY_MALFORMED')
})

test("another key's public part in a key file is found out", async (t) => {
  await using folder = await scratchFolder()
  const [a, b] = [join(folder.path, 'a'), join(folder.path, 'b')]
  const [keyA, keyB] = [await createKeyFile(a, secret), await createKeyFile(b, secret)]
  const text = await readFile(a, 'utf8')
  await writeFile(a, text.replace(bytesToHex(keyA), bytesToHex(keyB)))
  t.is((await refusal(t, openKeyFile(a, secret))).code, 'KEY_LOCKED')
})

test('without a reference a secret is made once, for its owner alone, before the first key', async (t) => {
  await using folder = await scratchFolder()
  const keys = join(folder.path, 'data', 'keys')
  const made = await readSecret(undefined, keys)
  t.deepEqual(await readdir(keys), ['secret'])
  t.is((await stat(join(keys, 'secret'))).mode & 0o777, 0o600)
  t.is((await stat(keys)).mode & 0o777, 0o700)
  t.regex(await readFile(join(keys, 'secret'), 'utf8'), /^[0-9a-f]{64}\n$/)
  t.deepEqual(await readSecret(undefined, keys), made)
})

test('a secret that is gone while its key is there is never made anew', async (t) => {
  await using folder = await scratchFolder()
  await createKeyFile(deviceKeyPath(folder.path, 1), await readSecret(undefined, folder.path))
  await rm(join(folder.path, 'secret'))
  const { code, message } = await refusal(t, readSecret(undefined, folder.path))
  t.is(code, 'SECRET_REFUSED')
  t.regex(message, /^there is device-1\.key but no .*secret, which opens it$/)
  t.deepEqual(await readdir(folder.path), ['device-1.key'])
})

test('two starts at once end up with one secret', async (t) => {
  await using folder = await scratchFolder()
  const keys = join(folder.path, 'keys')
  const secrets = await Promise.all([1, 2, 3, 4].map(() => readSecret(undefined, keys)))
  t.is(new Set(secrets.map(bytesToHex)).size, 1)
  t.deepEqual(await readdir(keys), ['secret'])
})

test('a secret comes from a file, the environment or systemd, without the end of its line', async (t) => {
  await using folder = await scratchFolder()
  const file = join(folder.path, 'passphrase-file')
  const expected = bytesToHex(secret)
  const from = async (reference: Parameters<typeof readSecret>[0]) =>
    bytesToHex(await readSecret(reference, folder.path))
  for (const end of ['', '\n', '\r\n']) {
    await writeFile(file, `a long enough passphrase${end}`, { mode: 0o600 })
    t.is(await from({ file }), expected)
  }
  process.env.KEDGE_TEST_SECRET = 'a long enough passphrase'
  t.is(await from({ env: 'KEDGE_TEST_SECRET' }), expected)
  // systemd shows its files with the mode that their access list adds.
  await chmod(file, 0o440)
  process.env.CREDENTIALS_DIRECTORY = folder.path
  t.is(await from({ credential: 'passphrase-file' }), expected)
  // Whitespace inside and a second line are part of it.
  await chmod(file, 0o600)
  await writeFile(file, ' two\nlines \n\n')
  t.is(await from({ file }), bytesToHex(utf8(' two\nlines \n')))
})

test('a secret that others can read, that is empty or that is not there is refused', async (t) => {
  await using folder = await scratchFolder()
  const file = join(folder.path, 'secret-file')
  const told = async (reference: Parameters<typeof readSecret>[0]) => {
    const { code, message, hint } = await refusal(t, readSecret(reference, folder.path))
    t.is(code, 'SECRET_REFUSED')
    t.true(hint !== undefined)
    return message.replaceAll(folder.path, 'FOLDER')
  }
  await writeFile(file, secret)
  for (const mode of [0o640, 0o604, 0o666, 0o620]) {
    await chmod(file, mode)
    const { hint } = await refusal(t, readSecret({ file }, folder.path))
    t.regex(hint ?? '', /^chmod 600 /)
    t.is(
      await told({ file }),
      'others than its owner can use FOLDER/secret-file, so it is no secret',
    )
  }
  await chmod(file, 0o600)
  await writeFile(file, '\n')
  t.is(await told({ file }), 'FOLDER/secret-file is empty')
  t.is(await told({ file: `${file}s` }), 'there is no FOLDER/secret-files')
  t.is(await told({ env: 'KEDGE_TEST_NOTHING' }), 'the environment has no KEDGE_TEST_NOTHING')
  process.env.KEDGE_TEST_EMPTY = ''
  t.is(
    await told({ env: 'KEDGE_TEST_EMPTY' }),
    'the environment variable KEDGE_TEST_EMPTY is empty',
  )
  process.env.CREDENTIALS_DIRECTORY = join(folder.path, 'none')
  t.is(await told({ credential: 'kedge' }), 'systemd hands over no credential kedge')
  t.is(await told({ credential: '../secret-file' }), 'this is not the name of a credential')
  delete process.env.CREDENTIALS_DIRECTORY
  t.is(await told({ credential: 'kedge' }), 'systemd hands over no credentials here')
})

test('the newest key is shown under the name that the first one gave the gateway', async (t) => {
  await using folder = await scratchFolder()
  const first = await createKeyFile(deviceKeyPath(folder.path, 1), secret)
  const one = await showDeviceKey(folder.path)
  t.is(one.gateway, one.keyId)
  t.is(one.publicKey, bytesToHex(first))
  const tenth = await createKeyFile(deviceKeyPath(folder.path, 10), secret)
  const second = await createKeyFile(deviceKeyPath(folder.path, 2), secret)
  t.deepEqual(await deviceKeyNumbers(folder.path), [1, 2, 10])
  const newest = await showDeviceKey(folder.path)
  t.is(newest.gateway, one.gateway)
  t.deepEqual(hexToBytes(newest.publicKey), tenth)
  t.notDeepEqual(tenth, second)
})

test('a key file with a letter that is no digit is damage, told in one sentence', async (t) => {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'device-1.key')
  await createKeyFile(path, utf8('secret'))
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('"publicKey":"04', '"publicKey":"0x'))
  const error = await t.throwsAsync(readPublicKey(path), { instanceOf: KedgeError })
  t.is((error as KedgeError).code, 'KEY_MALFORMED')
})
