import { appendFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { decodeAnswer } from '../anchor-client/ledgers/witness/answers.ts'
import { readTls } from '../gateway/witness/http-server.ts'
import { peerName } from '../gateway/witness/limits.ts'
import { openWitness } from '../gateway/witness/open-witness.ts'
import { gatewayOf, secretOf } from './helpers/anchoring.ts'
import { gateway, logName, signal } from './helpers/embedded.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'
import { connectTo, portOf, serveWitness } from './helpers/witness.ts'

async function requestBytes(oldSize: number, size: number, of = gateway): Promise<Uint8Array> {
  await using session = await connectTo('http://127.0.0.1:1')
  const prepared = await session.prepare(of.anchor(oldSize, size), signal)
  if (prepared.state !== 'prepared') throw new Error(prepared.state)
  return prepared.bytes
}

/** Asks as any program would, from any address of this machine. */
function ask(
  url: string,
  { body, method, from = '127.0.0.1' }: { body?: Uint8Array; method?: string; from?: string } = {},
): Promise<{ status: number; bytes: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const options = { method: method ?? (body ? 'POST' : 'GET'), localAddress: from, agent: false }
    const request = httpRequest(url, options, async (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece) => pieces.push(piece)).on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, bytes: new Uint8Array(Buffer.concat(pieces)) }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** However it ends: an answer, a reset. */
const closedBy = (socket: Socket) =>
  new Promise((resolve) => {
    socket.on('error', () => undefined).on('close', resolve)
  })

test('a request that is repeated has the very same bytes for an answer, also after a restart', async (t) => {
  await using scratch = await scratchFolder()
  const first = await serveWitness(scratch.path)
  await first.admit(gateway.admission)
  const body = await requestBytes(0, 3)
  const requests = (url: string) => `${url}/v1/requests`
  const { bytes } = await ask(requests(first.url), { body })
  t.is(decodeAnswer(bytes).state, 'taken')
  t.deepEqual((await ask(requests(first.url), { body })).bytes, bytes)
  await ask(requests(first.url), { body: await requestBytes(3, 8) })
  await first[Symbol.asyncDispose]()
  await using again = await serveWitness(scratch.path, { isFirstUse: false })
  t.deepEqual((await ask(requests(again.url), { body })).bytes, bytes)
  t.deepEqual((await ask(`${requests(again.url)}/status`, { body })).bytes, bytes)
  t.is(again.keeper.book.count, 3)
})

test('nobody registers a gateway over the network, and nobody else writes', async (t) => {
  await using scratch = await scratchFolder()
  await using served = await serveWitness(scratch.path)
  const body = await requestBytes(0, 3)
  const { bytes } = await ask(`${served.url}/v1/requests`, { body })
  t.like(decodeAnswer(bytes), { state: 'refused', reason: 'unregistered' })
  for (const path of ['/v1/admit', '/v1/admissions', '/v1/registrar', '/v1/enrol']) {
    t.is((await ask(`${served.url}${path}`, { body })).status, 404)
  }
  for (const method of ['PUT', 'DELETE', 'PATCH', 'POST']) {
    t.is((await ask(`${served.url}/v1/entries`, { method })).status, 404)
  }
  t.is(served.keeper.book.count, 0)
})

test('bytes of any kind and length are refused, and the witness goes on', async (t) => {
  await using scratch = await scratchFolder()
  await using served = await serveWitness(scratch.path)
  await served.admit(gateway.admission)
  const requests = `${served.url}/v1/requests`
  const good = await requestBytes(0, 3)
  const garbage = [new Uint8Array(0), new Uint8Array(8192), good.subarray(1), good.slice(0, -1)]
  for (const body of garbage) {
    const { status, bytes } = await ask(requests, { body, method: 'POST' })
    t.is(status, 200)
    t.like(decodeAnswer(bytes), { state: 'refused', reason: 'malformed' })
  }
  t.is((await ask(requests, { body: new Uint8Array(8193) })).status, 413)
  const huge = await ask(requests, { body: new Uint8Array(1 << 22) }).catch(() => ({ status: 413 }))
  t.is(huge.status, 413)
  const id = Buffer.from(gateway.id).toString('hex')
  for (const query of [
    'state',
    'state?gateway=00&incarnation=0&nonce=00',
    `state?gateway=${id}&incarnation=0`,
    `state?gateway=${id}&incarnation=4294967296&nonce=${'00'.repeat(16)}`,
    `state?gateway=${id.toUpperCase()}&incarnation=0&nonce=${'00'.repeat(16)}`,
    'self?nonce=',
    `anchors?gateway=${id}&incarnation=0&from=-1&most=1`,
    `anchors?gateway=${id}&incarnation=0&from=0&most=65`,
    `anchors?gateway=${id}&incarnation=00&from=0&most=1`,
    'entries?from=1e3&most=1',
    'entries?from=oldest&most=1',
    'entries?from=0',
  ]) {
    t.is((await ask(`${served.url}/v1/${query}`)).status, 400, query)
  }
  const raw = connect(portOf(served.url), '127.0.0.1')
  raw.resume()
  raw.write('\x16\x03\x01 this is no HTTP\r\n\r\n')
  await closedBy(raw)
  t.like(decodeAnswer((await ask(requests, { body: good })).bytes), { state: 'taken' })
  t.deepEqual(served.warnings, [])
})

test('a peer that asks too much waits, and the others do not', async (t) => {
  await using scratch = await scratchFolder()
  const limits = { peer: { perSecond: 0.001, burst: 5 } }
  await using served = await serveWitness(scratch.path, { limits })
  await served.admit(gateway.admission)
  const self = `${served.url}/v1/self?nonce=${'00'.repeat(16)}`
  const statuses: number[] = []
  for (let i = 0; i < 7; i++) statuses.push((await ask(self)).status)
  t.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429])
  t.is((await ask(self, { from: '127.0.0.2' })).status, 200)
  await using session = await connectTo(served.url)
  t.like(await session.head(gateway.id, 0, signal), {
    state: 'unknown',
    why: `127.0.0.1:${portOf(served.url)} asks to wait: too many requests`,
  })
})

test('a gateway that adds entries too fast waits, and what is there is answered meanwhile', async (t) => {
  await using scratch = await scratchFolder()
  const limits = { gateway: { perSecond: 0.001, burst: 2 } }
  await using served = await serveWitness(scratch.path, { limits })
  const quiet = gatewayOf({ secret: secretOf('a quiet gateway') })
  await served.admit(gateway.admission)
  await served.admit(quiet.admission)
  const requests = `${served.url}/v1/requests`
  const send = async (oldSize: number, size: number, of = gateway) =>
    (await ask(requests, { body: await requestBytes(oldSize, size, of) })).status
  t.deepEqual([await send(0, 1), await send(1, 2), await send(2, 3)], [200, 200, 503])
  t.is(await send(0, 1), 200)
  t.is(await send(0, 4, quiet), 200)
  t.is(served.keeper.book.count, 5)
  // Bytes that the gateway did not sign use up nothing of what it may add.
  const forged = { ...quiet.anchor(4, 6), signature: new Uint8Array(64) }
  await using session = await connectTo(served.url)
  for (let i = 0; i < 5; i++) {
    const prepared = await session.prepare(forged, signal)
    if (prepared.state !== 'prepared') return t.fail()
    t.like(await session.send(prepared, signal), { state: 'refused', reason: 'signature' })
  }
  t.is(await send(4, 6, quiet), 200)
})

test('whoever opens connections and says next to nothing is sent away, and keeps nobody out', async (t) => {
  await using scratch = await scratchFolder()
  const limits = { slowestMs: 500, connectionsOfPeer: 6 }
  await using served = await serveWitness(scratch.path, { limits })
  const port = portOf(served.url)
  let isOver = false
  const closed = Array.from({ length: 12 }, async (_, i) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' })
    const body = i % 2 === 0
    socket.write(
      body
        ? 'POST /v1/requests HTTP/1.1\r\nhost: a\r\ncontent-length: 9000\r\n\r\n'
        : 'GET / HTTP/1.1\r\nhost: ',
    )
    const drip = setInterval(() => socket.write('a'), 100)
    socket.resume()
    await closedBy(socket)
    clearInterval(drip)
  })
  const all = Promise.all(closed).then(() => {
    isOver = true
  })
  while (!isOver) t.is((await ask(served.url)).status, 200)
  await all
  t.is((await ask(served.url, { from: '127.0.0.3' })).status, 200)
})

test('an entry that could not be written is asked for again, and the witness mends itself', async (t) => {
  await using scratch = await scratchFolder()
  await using witness = await openWitness({
    folder: scratch.path,
    secret: undefined,
    mayCreate: true,
  })
  await (await witness.keeper()).admit(gateway.admission)
  await appendFile(join(scratch.path, logName), 'x')
  const body = await requestBytes(0, 3)
  t.is((await (await witness.keeper()).submit(body)).state, 'unknown')
  t.is((await (await witness.keeper()).submit(body)).state, 'taken')
  t.is((await (await witness.keeper()).look(body)).state, 'taken')
})

test('addresses of one host count as one peer', (t) => {
  t.is(peerName('127.0.0.1'), '127.0.0.1')
  t.is(peerName('::ffff:10.0.0.7'), '10.0.0.7')
  t.is(peerName('2001:db8:1:2:3:4:5:6'), peerName('2001:db8:1:2::9'))
  t.not(peerName('2001:db8:1:2::9'), peerName('2001:db8:1:3::9'))
  t.is(peerName('::1'), '0:0:0:0')
})

testWith('openssl')('over TLS a witness is known by its certificate, or not at all', async (t) => {
  await using scratch = await scratchFolder()
  const at = (name: string) => join(scratch.path, name)
  const fingerprints: string[] = []
  for (const name of ['one', 'two']) {
    const made = await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-days', '2'],
      ...['-subj', '/CN=witness', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ])
    t.is(made.code, 0, made.stderr)
    const shown = await run('openssl', [
      ...['x509', '-in', at(`${name}.pem`), '-noout', '-fingerprint', '-sha256'],
    ])
    const [, hex = ''] = shown.stdout.trim().split('=')
    // As it is printed there.
    fingerprints.push(hex.trim())
  }
  const [fingerprint = '', another = ''] = fingerprints
  const tls = await readTls(at('one.key'), at('one.pem'))
  await t.throwsAsync(readTls(at('one.key'), at('two.pem')), {
    code: 'FILE_UNREADABLE',
    message: /one\.key is not the key of the certificate in .*two\.pem/,
  })
  await using served = await serveWitness(scratch.path, { tls })
  t.regex(served.url, /^https:/)
  await served.admit(gateway.admission)
  for (const told of [{ ca: at('one.pem') }, { fingerprint }]) {
    await using session = await connectTo(served.url, told)
    t.like(await session.describe(signal), { state: 'described' })
    t.like(await session.head(gateway.id, 0, signal), { state: 'registered' })
  }
  for (const told of [{}, { ca: at('two.pem') }, { fingerprint: another }]) {
    await using session = await connectTo(served.url, told)
    await t.throwsAsync(session.describe(signal), { code: 'LEDGER_MISMATCH' })
  }
  await using plain = await connectTo(served.url.replace('https', 'http'))
  t.like(await plain.describe(signal), { state: 'unknown' })
  await t.throwsAsync(connectTo(served.url, { ca: at('gone.pem') }), { code: 'FILE_UNREADABLE' })
  await t.throwsAsync(connectTo(served.url, { ca: at('one.key') }), { code: 'FILE_UNREADABLE' })
})
