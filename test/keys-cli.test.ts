import { X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, hexToBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { derItem } from '../anchor-client/evidence/der.ts'
import { keyId, verifySm2 } from '../anchor-client/evidence/sm2.ts'
import { signatureFromDer } from '../anchor-client/evidence/sm2-der.ts'
import { readKeyFile } from '../gateway/keys/key-format.ts'
import { unwrap } from '../gateway/keys/wrapping.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { type Ended, run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'

/** The real command, as npm starts it. */
const kedge = (
  args: readonly string[],
  {
    standing = '',
    env = {},
    preload = '',
  }: Partial<Record<'standing' | 'preload', string>> & {
    env?: Record<string, string>
  } = {},
) =>
  run(
    process.execPath,
    [
      '--import=tsx',
      ...(preload ? [`--import=data:text/javascript,${encodeURIComponent(preload)}`] : []),
      'gateway/cli.ts',
      ...args,
    ],
    { env: { LC_ALL: 'C', ...(standing && { INIT_CWD: standing }), ...env } },
  )

const errorIn = ({ stderr }: Ended) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error
const distid = '1234567812345678'

test('a gateway gets one key, which every later call shows', async (t) => {
  await using folder = await scratchFolder()
  const at = ['--data', 'box', '--json']
  const standing = folder.path
  const before = await kedge(['keys', 'show', ...at], { standing })
  t.deepEqual([before.code, before.stdout, errorIn(before).code], [1, '', 'KEY_MISSING'])

  const made = await kedge(['keys', 'new', ...at], { standing })
  t.is(made.code, 0)
  const shown = JSON.parse(made.stdout)
  t.deepEqual(Object.keys(shown), ['gateway', 'keyId', 'algorithm', 'publicKey'])
  t.is(shown.algorithm, 'SM2')
  t.is(shown.keyId, bytesToHex(keyId(hexToBytes(shown.publicKey))))
  t.is(shown.gateway, shown.keyId)
  t.regex(made.stderr, /the secret lies beside the keys: whoever can read this folder/)
  t.deepEqual((await readdir(join(folder.path, 'box/keys'))).sort(), ['device-1.key', 'secret'])

  const again = await kedge(['keys', 'new', ...at], { standing })
  t.deepEqual([again.code, errorIn(again).code], [1, 'KEY_EXISTS'])
  const later = await kedge(['keys', 'show', ...at], { standing })
  t.deepEqual([later.code, later.stdout, later.stderr], [0, made.stdout, ''])
  // To show a key takes no secret.
  await rename(join(folder.path, 'box/keys/secret'), join(folder.path, 'elsewhere'))
  t.is((await kedge(['keys', 'show', ...at], { standing })).stdout, made.stdout)
  const text = await kedge(['keys', 'show', '--data', 'box'], { standing })
  t.true(text.stdout.includes(`publicKey  ${shown.publicKey}\n`))
})

test('no output of any part of the verb has the secret or the private key in it', async (t) => {
  await using folder = await scratchFolder()
  const keys = join(folder.path, 'keys')
  const calls = [
    ['new'],
    ['show'],
    ['csr', '-o', 'request.pem'],
    ['csr', '-o', 'request.pem', '--subject', 'CN=gateway,bad'],
    ['export', '-o', 'public.pem'],
    ['export', '-o', 'certificate.pem', '--x509'],
    ['export', '-o', 'keys/secret'],
    ['new'],
    ['csr', '-o', 'none/request.pem'],
    ['nonsense'],
  ]
  let told = ''
  for (const call of calls) {
    for (const json of [[], ['--json']]) {
      const args = ['keys', ...call, '--data', folder.path, ...json]
      const { stdout, stderr } = await kedge(args, { standing: folder.path })
      told += stdout + stderr
    }
  }
  const secret = (await readFile(join(keys, 'secret'), 'utf8')).trim()
  t.regex(secret, /^[0-9a-f]{64}$/)
  const another = 'e'.repeat(64)
  await writeFile(join(keys, 'secret'), another)
  const locked = await kedge(['keys', 'csr', '-o', 'request.pem', '--data', folder.path], {
    standing: folder.path,
  })
  t.regex(locked.stderr, /KEY_LOCKED/)
  t.false(locked.stderr.includes(another))
  told += locked.stdout + locked.stderr
  const d = await unwrap(await readKeyFile(join(keys, 'device-1.key')), utf8(secret))
  t.true(d !== undefined)
  const names = ['request.pem', 'public.pem', 'certificate.pem', 'keys/device-1.key']
  const files = await Promise.all(names.map((name) => readFile(join(folder.path, name), 'utf8')))
  const all = [told, ...files].join('\n')
  const decoded = files.map((text) => Buffer.from(text.replace(/-----.*|\n/g, ''), 'base64'))
  for (const hidden of [Buffer.from(secret), Buffer.from(secret, 'hex'), Buffer.from(d ?? [])]) {
    t.true(hidden.length >= 32)
    t.false(all.includes(hidden.toString('utf8')))
    t.false(all.toLowerCase().includes(hidden.toString('hex')))
    t.false(all.includes(hidden.toString('base64').replace(/=+$/, '')))
    t.false(decoded.some((bytes) => bytes.includes(hidden)))
  }
})

testWith('openssl')('openssl accepts a request, and only with the standard id', async (t) => {
  await using folder = await scratchFolder()
  const standing = folder.path
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder.path })
  const made = await kedge(['keys', 'new', '--data', 'box', '--json'], { standing })
  const { gateway } = JSON.parse(made.stdout)
  const verify = ['req', '-in', 'r.pem', '-verify', '-noout', '-subject', '-nameopt', 'utf8']

  const plain = await kedge(['keys', 'csr', '-o', 'r.pem', '--data', 'box', '--json'], { standing })
  t.deepEqual([plain.code, plain.stdout], [0, '{"file":"r.pem"}\n'])
  const verified = await openssl(...verify, '-vfyopt', `distid:${distid}`)
  t.is(verified.code, 0)
  t.regex(verified.stderr, /verify OK/i)
  t.true(verified.stdout.includes(`CN=${gateway}`))
  const withoutId = await openssl(...verify)
  t.notRegex(withoutId.stdout + withoutId.stderr, /verify OK/i)

  // The file takes the place of the request before it, and nothing else.
  const subject = 'CN=冷链 7,O=Hospital\\, east wing,C=CN,serialNumber=K-7'
  const args = ['keys', 'csr', '-o', 'r.pem', '--subject', subject, '--data', 'box']
  t.is((await kedge(args, { standing })).code, 0)
  const named = await openssl(...verify, '-vfyopt', `distid:${distid}`)
  t.regex(named.stderr, /verify OK/i)
  t.true(named.stdout.includes('CN=冷链 7, O=Hospital, east wing, C=CN, serialNumber=K-7'))
})

testWith('openssl')(
  'openssl reads an exported key and a certificate, and what is signed in it',
  async (t) => {
    await using folder = await scratchFolder()
    const standing = folder.path
    const at = (name: string) => join(folder.path, name)
    const openssl = (...args: string[]) => run('openssl', args, { cwd: folder.path })
    const made = await kedge(['keys', 'new', '--data', 'box', '--json'], { standing })
    const { publicKey, gateway } = JSON.parse(made.stdout)
    const exported = (...more: string[]) =>
      kedge(['keys', 'export', '--data', 'box', '--json', '-o', ...more], { standing })

    t.is((await exported('public.pem')).stdout, '{"file":"public.pem"}\n')
    t.is(
      (await openssl('pkey', '-pubin', '-in', 'public.pem', '-outform', 'DER', '-out', 'p')).code,
      0,
    )
    t.is((await readFile(at('p'))).subarray(-65).toString('hex'), publicKey)

    t.is((await exported('c.pem', '--x509')).stdout, '{"file":"c.pem"}\n')
    const trusting = ['-vfyopt', `distid:${distid}`, '-x509_strict', '-CAfile', 'c.pem', 'c.pem']
    t.is((await openssl('verify', ...trusting)).code, 0)
    const { raw, subject, issuer } = new X509Certificate(await readFile(at('c.pem')))
    t.deepEqual([subject, issuer], [`CN=${gateway}`, `CN=${gateway}`])

    // `openssl verify` takes a trusted certificate's own signature as read, so that is asked of pkeyutl.
    const { signed, signature } = partsOf(new Uint8Array(raw))
    await writeFile(at('tbs'), signed)
    await writeFile(at('sig'), signature)
    const options = ['-rawin', '-digest', 'sm3', '-pkeyopt', `distid:${distid}`]
    const files = ['-inkey', 'public.pem', '-in', 'tbs', '-sigfile', 'sig']
    t.is((await openssl('pkeyutl', '-verify', '-pubin', ...files, ...options)).code, 0)
    const own = signatureFromDer(signature) ?? new Uint8Array()
    t.true(verifySm2(hexToBytes(publicKey), signed, own))
    const text = (await openssl('x509', '-in', 'c.pem', '-noout', '-text')).stdout
    t.regex(text, /Signature Algorithm: SM2-with-SM3/)
    t.regex(text, /CA:FALSE/)
    t.regex(text, /Not After : Dec 31 23:59:59 9999 GMT/)
  },
)

test('the secret is taken from where the configuration says it lies', async (t) => {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'box')
  await mkdir(data)
  await writeFile(
    join(data, 'kedge.yaml'),
    'site: ward-3\ngateway: gw-1\nkeys:\n  secret:\n    env: KEDGE_TEST_PASSPHRASE\n',
  )
  const env = { KEDGE_TEST_PASSPHRASE: 'from the environment' }
  const call = (args: string[], env: Record<string, string> = {}) =>
    kedge(['keys', ...args, '--data', data, '--json'], { env, standing: folder.path })
  const without = await call(['new'])
  t.deepEqual(
    [errorIn(without).code, (await readdir(data)).sort()],
    ['SECRET_REFUSED', ['kedge.yaml']],
  )

  const made = await call(['new'], env)
  t.deepEqual([made.code, made.stderr], [0, ''])
  t.deepEqual(await readdir(join(data, 'keys')), ['device-1.key'])
  t.is((await call(['csr', '-o', 'r.pem'], env)).code, 0)
  const wrong = await call(['csr', '-o', 'r.pem'], { KEDGE_TEST_PASSPHRASE: 'another one' })
  t.is(errorIn(wrong).code, 'KEY_LOCKED')
  t.false(wrong.stderr.includes('another one'))

  await writeFile(join(data, 'kedge.yaml'), 'site: ward-3\ngateway: gw-1\nkees: {}\n')
  const faulty = await call(['csr', '-o', 'r.pem'], env)
  t.deepEqual([faulty.code, errorIn(faulty).code], [2, 'CONFIG_INVALID'])
})

test('a file that is something else is never overwritten, and a wrong name is no certificate', async (t) => {
  await using folder = await scratchFolder()
  const standing = folder.path
  await kedge(['keys', 'new', '--data', 'box'], { standing })
  const key = await readFile(join(folder.path, 'box/keys/device-1.key'))
  const call = async (...args: string[]) =>
    errorIn(await kedge(['keys', ...args, '--data', 'box', '--json'], { standing })).code
  t.is(await call('export', '-o', 'box/keys/device-1.key'), 'FILE_UNREADABLE')
  t.is(await call('csr', '-o', 'box'), 'FILE_UNREADABLE')
  t.is(await call('csr', '-o', '/dev/null/x'), 'FILE_UNREADABLE')
  t.deepEqual(await readFile(join(folder.path, 'box/keys/device-1.key')), key)
  t.is(await call('csr'), 'USAGE')
  for (const subject of [
    'gateway 7',
    'CN=',
    'CN=a,,O=b',
    'XY=a',
    'C=China',
    `CN=${'x'.repeat(65)}`,
  ]) {
    t.is(await call('csr', '-o', 'r.pem', '--subject', subject), 'USAGE', subject)
  }
  t.deepEqual(await readdir(folder.path), ['box'])
})

const withoutSm2 = `
  import crypto from 'node:crypto'
  import { syncBuiltinESMExports } from 'node:module'
  crypto.createSign = () => { throw new Error('no SM2 in this build') }
  syncBuiltinESMExports()`

testWith('openssl')(
  'where OpenSSL inside Node fails its self-test, that is said and sm-crypto signs',
  async (t) => {
    await using folder = await scratchFolder()
    const standing = folder.path
    await kedge(['keys', 'new', '--data', 'box'], { standing, preload: withoutSm2 })
    const args = ['keys', 'csr', '-o', 'r.pem', '--data', 'box']
    const { code, stderr } = await kedge(args, { standing, preload: withoutSm2 })
    t.is(code, 0)
    t.is(stderr.match(/sm-crypto/g)?.length, 1)
    t.regex(stderr, /no SM2 in this build/)
    const verify = ['req', '-in', 'r.pem', '-verify', '-noout', '-vfyopt', `distid:${distid}`]
    t.regex((await run('openssl', verify, { cwd: folder.path })).stderr, /verify OK/i)
  },
)

test('where sm-crypto fails it too, no key is made and none signs', async (t) => {
  await using folder = await scratchFolder()
  const standing = folder.path
  const preload = `${withoutSm2}
    import { createRequire } from 'node:module'
    const { sm2 } = createRequire(${JSON.stringify(`${process.cwd()}/`)})('sm-crypto')
    sm2.doVerifySignature = () => true`
  const made = await kedge(['keys', 'new', '--data', 'box', '--json'], { standing, preload })
  t.is(made.code, 1)
  t.is(errorIn(made).code, 'KEY_SELF_TEST')
  t.deepEqual(await readdir(join(folder.path, 'box/keys')), ['secret'])
})

/** What a certificate's signature is over, and that signature. */
function partsOf(der: Uint8Array) {
  const whole = derItem(der, 0, 0x30)?.content ?? new Uint8Array()
  const content = derItem(whole, 0, 0x30)
  const algorithm = derItem(whole, content?.next ?? 0, 0x30)
  const bits = derItem(whole, algorithm?.next ?? 0, 0x03)?.content ?? new Uint8Array()
  return { signed: whole.subarray(0, content?.next), signature: bits.subarray(1) }
}
