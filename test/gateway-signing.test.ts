import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { extractCheckpoints } from '../anchor-client/evidence/extract.ts'
import { decodeEvidence } from '../anchor-client/evidence/file.ts'
import { verifySm2 } from '../anchor-client/evidence/sm2.ts'
import { signatureFromDer } from '../anchor-client/evidence/sm2-der.ts'
import { nativeSm2 } from '../gateway/keys/sm2-native.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'

const kedge = (args: readonly string[], preload = '') =>
  run(process.execPath, [
    '--import=tsx',
    ...(preload ? [`--import=data:text/javascript,${encodeURIComponent(preload)}`] : []),
    'gateway/cli.ts',
    ...args,
  ])

/** As on a Node whose OpenSSL has no SM2. */
const withoutSm2 = `
  import crypto from 'node:crypto'
  import { syncBuiltinESMExports } from 'node:module'
  crypto.createSign = () => { throw new Error('no SM2 in this build') }
  syncBuiltinESMExports()`

const eventsIn = (stdout: string): { event: string; [key: string]: unknown }[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

async function everyVerifierAgrees(t: ExecutionContext, folder: string): Promise<void> {
  const evidence = join(folder, 'evidence/demo.kedge')
  const trust = join(folder, 'evidence/demo.trust.json')
  const bytes = Uint8Array.from(await readFile(evidence))

  const verified = await kedge(['verify', evidence, '--trust', trust, '--extract', folder])
  t.is(verified.code, 0, verified.stdout)
  const python = await run('python3', ['test/verify.py', evidence, '--trust', trust])
  t.is(JSON.parse(python.stdout.trim()).verdict, 'complete')

  const checkpoints = extractCheckpoints(bytes)
  const signed = decodeEvidence(bytes).seals.flatMap(({ checkpoints }) => checkpoints)
  t.is(checkpoints.length, signed.length)
  for (const [i, { message, signatureDer }] of checkpoints.entries()) {
    const { key, signature } = signed[i] as (typeof signed)[number]
    t.deepEqual(signatureFromDer(signatureDer), signature)
    t.true(nativeSm2().verify(key, message, signature), 'the native room')
    t.true(verifySm2(key, message, signature), 'the pure room')
  }
  const extracted = (await readdir(folder)).filter((name) => name.startsWith('seal-'))
  t.is(extracted.length, checkpoints.length)
  for (const name of extracted) {
    const at = (file: string) => join(folder, name, file)
    const openssl = await run('openssl', [
      ...['pkeyutl', '-verify', '-pubin', '-inkey', at('key.pem'), '-rawin', '-digest', 'sm3'],
      ...['-in', at('M.bin'), '-sigfile', at('sig.der'), '-pkeyopt', 'distid:1234567812345678'],
    ])
    t.is(openssl.code, 0, openssl.stderr)
  }
}

testWith('openssl', 'python3')(
  'what a gateway signed is verified by the native room, the pure one, openssl and Python alike',
  async (t) => {
    await using folder = await scratchFolder()
    const demo = await kedge(['demo', '--once', '--json', '--data', folder.path])
    t.is(demo.code, 0, demo.stderr)
    t.false(eventsIn(demo.stdout).some(({ event }) => event === 'warning'))
    await everyVerifierAgrees(t, folder.path)
  },
)

testWith('openssl', 'python3')(
  'where OpenSSL inside Node cannot sign, the gateway says so once and runs all the same',
  async (t) => {
    await using folder = await scratchFolder()
    const demo = await kedge(['demo', '--once', '--json', '--data', folder.path], withoutSm2)
    t.is(demo.code, 0, demo.stderr)
    const warnings = eventsIn(demo.stdout).filter(({ event }) => event === 'warning')
    t.is(warnings.length, 1)
    t.regex(String(warnings[0]?.message), /no SM2 in this build/)
    await everyVerifierAgrees(t, folder.path)
  },
)

test('where nothing signs as it should, the gateway does not start', async (t) => {
  await using folder = await scratchFolder()
  const made = await kedge(['init', '--data', folder.path])
  t.is(made.code, 0, made.stderr)
  const preload = `${withoutSm2}
    import { createRequire } from 'node:module'
    const { sm2 } = createRequire(${JSON.stringify(`${process.cwd()}/`)})('sm-crypto')
    sm2.doVerifySignature = () => true`
  const { code, stdout, stderr } = await kedge(['run', '--json', '--data', folder.path], preload)
  t.is(code, 1)
  t.is(JSON.parse(stderr).error.code, 'KEY_SELF_TEST')
  t.false(stdout.includes('started'))
})
