import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { bytesToHex, u32 } from '../anchor-client/evidence/bytes.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { witnessMediaType } from '../anchor-client/ledgers/witness/wire.ts'
import { droppingProxy, type Fate } from './helpers/dropping-proxy.ts'
import { gateway, signal, witness } from './helpers/embedded.ts'
import {
  anchorAll,
  anchoredSizes,
  historyOf,
  openStore,
  sendsOf,
  troubles,
  watchSends,
} from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { connectTo, portOf, serveWitness } from './helpers/witness.ts'

/** The gateway of `historyOf`, as it is registered. */
const admission = {
  gateway: historyOf().gateway,
  incarnation: 0,
  hashId: 1,
  key: gateway.key.publicKey,
} as const

test('answers that are lost on their way change nothing: each batch is anchored once', async (t) => {
  await using scratch = await scratchFolder()
  await using served = await serveWitness(scratch.path)
  await served.admit(admission)
  const fates: Fate[] = ['pass', 'drop answer', 'half an answer', 'drop answer', 'pass', 'pass']
  // In no order that a gateway could fall into step with.
  const fateOf = (connection: number) => fates[(sm3(u32(connection))[0] as number) % fates.length]
  await using proxy = await droppingProxy(portOf(served.url), (at) => fateOf(at) as Fate)
  await using session = await connectTo(served.url)
  const history = historyOf({ size: 2 })
  await using store = await openStore(scratch.path, history)
  // Each question has a connection of its own, so that every kind of it is lost at times.
  const alone = { ...session, registrar: null }
  for (const name of ['describe', 'head', 'send', 'find', 'prove'] as const) {
    const call = session[name] as (...asked: unknown[]) => Promise<unknown>
    Object.assign(alone, {
      async [name](...asked: unknown[]) {
        await using fresh = await connectTo(proxy.url)
        return await (fresh[name] as typeof call)(...asked)
      },
    })
  }
  const { end, events } = await anchorAll(
    { history, store, session: watchSends(alone, scratch.path) },
    [3, 9, 10, 40],
  )
  t.is(end, 'stopped')
  t.deepEqual(anchoredSizes(events), [2, 3, 9, 10, 40])
  t.true(proxy.connections > 20, `${proxy.connections}`)
  t.deepEqual(sendsOf(scratch.path).wrong, [])
  await using direct = await connectTo(served.url)
  await isAtRest(t, direct, store, history, 40)
})

test('a witness that vanishes is an outage, and is caught up in one entry when it is back', async (t) => {
  await using scratch = await scratchFolder()
  const first = await serveWitness(scratch.path)
  await first.admit(admission)
  const { url } = first
  const history = historyOf({ size: 1 })
  await using store = await openStore(scratch.path, history)
  await using session = await connectTo(url)
  await anchorAll({ history, store, session })
  await first[Symbol.asyncDispose]()

  t.like(await session.head(history.gateway, 0, signal), { state: 'unknown' })
  t.like(await session.describe(signal), { state: 'unknown' })
  t.like(await session.find(history.gateway, 0, 1, signal), { state: 'unknown' })
  t.like(await session.beacon(signal), { state: 'unknown' })
  t.false((await session.health(signal)).isWell)
  const iterated = async () => {
    for await (const _ of session.iterate(history.gateway, 0, 0, signal)) t.fail()
  }
  await t.throwsAsync(iterated(), { code: 'LEDGER_UNREACHABLE' })

  history.seal(1000)
  await using again = await serveWitness(scratch.path, { isFirstUse: false, port: portOf(url) })
  const { events } = await anchorAll({ history, store, session }, [1001])
  t.deepEqual(anchoredSizes(events), [1001])
  t.is(again.keeper.book.count, 3, 'the admission, and one anchor before and after')
  await isAtRest(t, session, store, history, 1001)
})

test('a witness that never answers is given up, and one that hangs up in the middle is not believed', async (t) => {
  await using scratch = await scratchFolder()
  await using served = await serveWitness(scratch.path)
  await served.admit(admission)
  for (const fate of ['silence', 'half an answer', 'drop answer'] as const) {
    await using proxy = await droppingProxy(portOf(served.url), () => fate)
    await using session = await connectTo(proxy.url, { timeoutMs: 400 })
    const head = await session.head(gateway.id, 0, signal)
    t.like(head, { state: 'unknown' }, fate)
    const stop = new AbortController()
    const asked = session.describe(stop.signal)
    stop.abort(new Error('the gateway stops'))
    await t.throwsAsync(asked, { message: 'the gateway stops' }, fate)
  }
})

test('whatever else answers at the address is never taken for the witness', async (t) => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    portal: (response) => response.setHeader('content-type', 'text/html').end('<p>pay here</p>'),
    moved: (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    broken: (response) => response.writeHead(502).end('bad gateway'),
    busy: (response) => response.writeHead(429).end(),
    'an endless answer': (response) => {
      response.setHeader('content-type', witnessMediaType)
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', pour)
      }
      pour()
    },
    'a slow drip': (response) => {
      response.setHeader('content-type', witnessMediaType)
      const drip = setInterval(() => response.write('.'), 50)
      response.on('close', () => clearInterval(drip))
    },
  }
  for (const [name, answer] of Object.entries(answers)) {
    await using server = await strangeServer(answer)
    await using session = await connectTo(server.url, { timeoutMs: 600 })
    t.like(await session.describe(signal), { state: 'unknown' }, name)
    t.like(await session.head(gateway.id, 0, signal), { state: 'unknown' }, name)
  }
})

test('bytes that call themselves a witness’s and are none are a fault that is named', async (t) => {
  const garbage = ['', '00', 'ff'.repeat(100), 'f6', '80', '8000', '824041', '82580004']
  for (const hex of garbage) {
    await using server = await strangeServer((response) => {
      response.setHeader('content-type', witnessMediaType).end(Buffer.from(hex, 'hex'))
    })
    const publicKey = bytesToHex(gateway.key.publicKey)
    await using session = await connectTo(server.url, { publicKey })
    const prepared = await session.prepare(gateway.anchor(0, 3), signal)
    if (prepared.state !== 'prepared') return t.fail()
    const message = `[${hex}]`
    await t.throwsAsync(session.describe(signal), { code: 'LEDGER_LIES' }, message)
    await t.throwsAsync(session.head(gateway.id, 0, signal), { code: 'LEDGER_LIES' }, message)
    await t.throwsAsync(session.send(prepared, signal), { code: 'LEDGER_LIES' }, message)
    // An empty list is a good answer to this one: nothing is there.
    if (hex === '80') t.like(await session.find(gateway.id, 0, 3, signal), { state: 'absent' })
    else {
      const found = session.find(gateway.id, 0, 3, signal)
      await t.throwsAsync(found, { code: 'LEDGER_LIES' }, message)
    }
  }
})

test('a gateway before a witness that is out of order keeps what waits, and says so', async (t) => {
  await using scratch = await scratchFolder()
  await using served = await serveWitness(scratch.path)
  await served.admit(admission)
  const history = historyOf({ size: 2 })
  await using store = await openStore(scratch.path, history)
  await using session = await connectTo(served.url)
  let left = 6
  const failing: typeof session = {
    ...session,
    async send(prepared, until) {
      left -= 1
      if (left < 0) return session.send(prepared, until)
      await using server = await strangeServer((response) => response.writeHead(503).end())
      const publicKey = bytesToHex(witness.publicKey)
      await using broken = await connectTo(server.url, { publicKey })
      return await broken.send(prepared, until)
    },
  }
  const { events } = await anchorAll({ history, store, session: failing })
  t.deepEqual(anchoredSizes(events), [2])
  t.deepEqual(troubles(events), ['unknown', 'over'])
})

async function strangeServer(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume()
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
