import { generateKeyPairSync } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { hexToBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { keyId } from '../anchor-client/evidence/sm2.ts'
import { approveOnChain } from '../gateway/enrolling/approve-on-chain.ts'
import { decodeEnrolment, encodeEnrolment } from '../gateway/enrolling/enrolment.ts'
import { openWitness } from '../gateway/witness/open-witness.ts'
import { approve, listEnrolled } from '../gateway/witness/registrar.ts'
import { askRegistrar } from '../gateway/witness/registrar-socket.ts'
import { secretOf } from './helpers/anchoring.ts'
import { anvilIsMissing, optionsOf, startChain } from './helpers/evm-ledger.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { type Signer, signerOf } from './helpers/signer.ts'
import { run } from './helpers/spawn.ts'
import { startWitness } from './helpers/witness-process.ts'

const keyOf = (signer: Signer) => ({ ...signer, [Symbol.dispose]() {} })
const device = keyOf(signerOf(secretOf('gateway')))
const rotated = keyOf(signerOf(secretOf('next key')))
const stranger = keyOf(signerOf(secretOf('stranger')))
const id = keyId(device.publicKey)

const request = (incarnation = 0, key = device, first = device) =>
  encodeEnrolment({ gateway: id, incarnation, hashId: 1 }, key, first)

const refusalOf = (text: string | object) => {
  try {
    decodeEnrolment(utf8(typeof text === 'string' ? text : JSON.stringify(text)))
    return 'taken'
  } catch (error) {
    return error instanceof KedgeError && error.code === 'ENROLMENT_REFUSED' ? error.message : error
  }
}

test('a request says what its gateway has signed, and nothing else', (t) => {
  const asked = decodeEnrolment(utf8(request()))
  t.deepEqual(asked, { gateway: id, incarnation: 0, hashId: 1, key: device.publicKey })
  const after = decodeEnrolment(utf8(request(2, rotated)))
  t.deepEqual(after, { gateway: id, incarnation: 2, hashId: 1, key: rotated.publicKey })

  const file = JSON.parse(request(2, rotated))
  const { firstKey, firstSignature, ...alone } = file
  const other = JSON.parse(request(2, stranger))
  const cases: [object | string, RegExp][] = [
    ['', /no enrolment request/],
    ['{}', /no enrolment request/],
    ['null', /no enrolment request/],
    [{ ...file, version: 2 }, /no enrolment request/],
    [{ ...file, note: 'please' }, /no enrolment request/],
    [{ ...file, hashId: 3 }, /no enrolment request/],
    [{ ...file, incarnation: -1 }, /no enrolment request/],
    [{ ...file, incarnation: 3 }, /did not sign it/],
    [{ ...file, hashId: 2 }, /did not sign it/],
    [alone, /not the one that names this gateway/],
    [{ ...alone, firstKey }, /first key of this gateway did not sign/],
    [{ ...file, publicKey: other.publicKey }, /the key that it names did not sign/],
    [{ ...other, firstSignature }, /first key of this gateway did not sign/],
    [{ ...file, gateway: '00'.repeat(32) }, /not the one that names this gateway/],
    [{ ...file, publicKey: '04'.repeat(65) }, /did not sign it/],
  ]
  for (const [wrong, why] of cases) t.regex(String(refusalOf(wrong)), why, JSON.stringify(wrong))
})

test('a new incarnation closes the one before, so whoever grants it must say its number', async (t) => {
  await using scratch = await scratchFolder()
  const setup = { folder: scratch.path, secret: undefined, mayCreate: true }
  await using witness = await openWitness(setup)
  const keeper = await witness.keeper()
  const ask = (incarnation: number, granted?: number, key = device) =>
    approve(keeper, utf8(request(incarnation, key)), granted)
  const code = 'ENROLMENT_REFUSED'
  await t.throwsAsync(ask(1), { code, message: /although nothing of this gateway is known/ })
  const first = await ask(0)
  t.like(first, { incarnation: 0, state: 'open', size: 0, entry: 0 })
  t.deepEqual(await ask(0), first, 'the same once more is no second registration')
  await t.throwsAsync(ask(0, undefined, rotated), { code, message: /another key/ })

  await t.throwsAsync(ask(1), { code, message: /closes incarnation 0 at 0 batches, for ever/ })
  await t.throwsAsync(ask(1, 2), { code, message: /1 is asked for, and 2 is granted/ })
  t.is(keeper.book.count, 1)
  t.like(await ask(3, 3, rotated), { incarnation: 3, state: 'open', entry: 1 })
  await t.throwsAsync(ask(2, 2), { code, message: /incarnation 3 is there/ })
  const rows = []
  for await (const { incarnation, state } of listEnrolled(keeper)) rows.push([incarnation, state])
  t.deepEqual(rows, [
    [0, 'closed'],
    [3, 'open'],
  ])
})

const kedge = (...args: string[]) =>
  run(process.execPath, ['--import=tsx', 'gateway/cli.ts', ...args, '--json'], {
    env: { LC_ALL: 'C' },
  })

test('a witness that stands still is asked by whoever may open its folder', async (t) => {
  await using scratch = await scratchFolder()
  const at = (name: string) => join(scratch.path, name)
  const folder = at('witness')
  await writeFile(at('request'), request())
  const none = await kedge('enrol', 'approve', at('request'), '--data', folder)
  t.is(JSON.parse(none.stderr).error.code, 'LEDGER_MISSING')
  {
    await using witness = await openWitness({ folder, secret: undefined, mayCreate: true })
    const wrong = await kedge('enrol', 'approve', at('request'), '--data', folder)
    t.is(wrong.code, 75, 'it is held, and does not answer')
    t.is((await witness.keeper()).book.count, 0)
  }
  const print = Buffer.from(id).toString('hex')
  const args = ['enrol', 'approve', at('request'), '--data', folder]
  const refused = await kedge(...args, '--fingerprint', `0${print.slice(0, 20)}`)
  t.is(JSON.parse(refused.stderr).error.code, 'ENROLMENT_REFUSED')
  const approved = await kedge(...args, '--fingerprint', print.slice(0, 20).toUpperCase())
  t.is(approved.code, 0, approved.stderr)
  t.like(JSON.parse(approved.stdout), { gateway: print, fingerprint: print, state: 'open' })
  const status = await kedge('enrol', 'status', '--data', folder)
  t.like(JSON.parse(status.stdout), { gateway: print, incarnation: 0, size: 0, entry: 0 })
  t.deepEqual(hexToBytes(JSON.parse(status.stdout).publicKey), device.publicKey)
})

test('what a person types wrong is told, and nothing is done', async (t) => {
  await using scratch = await scratchFolder()
  const data = join(scratch.path, 'none')
  for (const [args, code] of [
    [['enrol'], 'USAGE'],
    [['enrol', 'aprove'], 'USAGE'],
    [['enrol', 'approve', '--data', data], 'USAGE'],
    [['enrol', 'request', '--data', data], 'USAGE'],
    [['enrol', 'request', '-o', 'x', '--data', data], 'STORE_MISSING'],
    [['enrol', 'status', '--data', data], 'STORE_MISSING'],
    [['anchor', 'get', '--data', data], 'USAGE'],
    [['anchor', 'get', '0', '--data', data], 'USAGE'],
    [['anchor', 'ls', '--data', data], 'STORE_MISSING'],
    [['witness', '--data', data], 'USAGE'],
    [['witness', '--listen', '127.0.0.1:0'], 'USAGE'],
    [['witness', '--listen', '0.0.0.0:0', '--data', data], 'USAGE'],
    [['witness', '--listen', '127.0.0.1:70000', '--data', data], 'USAGE'],
    [['witness', '--listen', '127.0.0.1:0', '--tls-key', 'x', '--data', data], 'USAGE'],
  ] as const) {
    const { code: exit, stdout, stderr } = await kedge(...args)
    t.is(exit, 2, args.join(' '))
    t.is(stdout, '')
    t.is(JSON.parse(stderr).error.code, code, args.join(' '))
  }
})

test('a witness whose files cannot be used says which one, and leaves nothing behind', async (t) => {
  await using scratch = await scratchFolder()
  const at = (name: string) => join(scratch.path, name)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  await writeFile(at('one.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await writeFile(at('public.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
  await writeFile(at('empty'), '')
  const tls = (key: string, cert: string) => ['--tls-key', at(key), '--tls-cert', at(cert)]
  const long = join('y'.repeat(110), 'witness')
  for (const [folder, more, code, words] of [
    [
      'witness',
      tls('public.pem', 'public.pem'),
      'FILE_UNREADABLE',
      /public\.pem is no private key/,
    ],
    ['witness', tls('empty', 'public.pem'), 'FILE_UNREADABLE', /empty is no private key/],
    ['witness', tls('one.key', 'one.key'), 'FILE_UNREADABLE', /one\.key is no certificate/],
    ['witness', tls('one.key', 'empty'), 'FILE_UNREADABLE', /empty is no certificate/],
    ['empty', [], 'FILE_UNREADABLE', /empty: a file is in its way/],
    ['empty/witness', [], 'FILE_UNREADABLE', /a file is in its way/],
    [long, [], 'USAGE', /too long for witness\.sock/],
  ] as const) {
    const { path } = scratch
    const ended = await kedge(
      ...['witness', '--listen', '127.0.0.1:0', '--data', join(path, folder), ...more],
    )
    t.is(ended.code, 2, ended.stderr)
    const { error } = JSON.parse(ended.stderr)
    t.is(error.code, code)
    t.regex(error.message, words)
    t.truthy(error.hint)
    t.deepEqual((await readdir(path)).sort(), ['empty', 'one.key', 'public.pem'])
  }
})

test('a registrar is not kept waiting by a witness whose process stands still', async (t) => {
  await using scratch = await scratchFolder()
  const witness = startWitness(t, scratch.path)
  const started = await witness.event('started')
  const tell = (signal: NodeJS.Signals) => process.kill(Number(started?.pid), signal)
  const file = Buffer.from(request()).toString('base64')
  const ask = async (longestWaitMs?: number) => {
    const rows = []
    const question = { ask: 'approve', file } as const
    for await (const row of askRegistrar(scratch.path, undefined, question, longestWaitMs)) {
      rows.push(row)
    }
    return rows
  }
  tell('SIGSTOP')
  const code = 'STORE_FAILED'
  await t.throwsAsync(ask(200), { code, message: /the witness has not answered for 0\.2 s/ })
  tell('SIGCONT')
  const [row, ...more] = await ask()
  t.like(row, { incarnation: 0, state: 'open', entry: 0 })
  t.deepEqual(more, [])
  t.is(await witness.stop('SIGTERM'), 0)
})

const testOnChain = anvilIsMissing ? test.skip : test

testOnChain('a chain whose clock is far off registers a gateway all the same', async (t) => {
  await using scratch = await scratchFolder()
  await using chain = await startChain()
  const { contract, owner } = chain.next()
  const { path } = scratch
  const entry = { ledger: 'evm', ...optionsOf(chain.url, contract, path) }
  await chain.rpc('evm_setNextBlockTimestamp', 2 ** 43 - 1000)
  const approved = await approveOnChain({
    chain: { name: 'evm', entry, folder: path },
    account: keyOf({ ...owner, sign: (digest) => owner.sign(digest) as Uint8Array }),
    admission: { ...decodeEnrolment(utf8(request())), hashId: 2, account: owner.address },
    granted: undefined,
    onWait: () => undefined,
    signal: new AbortController().signal,
  })
  t.like(approved, { state: 'open', at: null })
})
