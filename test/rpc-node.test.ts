import { once, setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { z } from 'zod'
import { NoAnswer, RpcRefusal, TooLong } from '../anchor-client/ledgers/evm/rpc/failures.ts'
import { openRpcNode } from '../anchor-client/ledgers/evm/rpc/node.ts'
import { count } from '../anchor-client/ledgers/evm/rpc/values.ts'
import type { NodeAddress } from '../anchor-client/ledgers/evm/rpc/wire.ts'

const { signal } = new AbortController()
// One signal for all tests, each of which asks several things at once.
setMaxListeners(0, signal)
const secret = 'Bearer only-the-operator-knows'

type Serve = (request: IncomingMessage, response: ServerResponse, id: number) => void

/** A node before a server of this test. */
async function nodeOn(serve: Serve, told: Partial<NodeAddress> = {}) {
  const server = createServer(async (request, response) => {
    const parts: Uint8Array[] = []
    for await (const part of request) parts.push(part)
    serve(request, response, JSON.parse(Buffer.concat(parts).toString()).id)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/key-in-the-path`
  const node = openRpcNode({ url, timeoutMs: 20_000, maxBytes: 10_000, ...told })
  return {
    node,
    ask: () => node.ask({ method: 'eth_blockNumber', params: [], answer: count }, signal),
    server,
    async [Symbol.asyncDispose]() {
      node[Symbol.dispose]()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const json = (response: ServerResponse, body: unknown, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

const answered = (response: ServerResponse, id: number, result: unknown) =>
  json(response, { jsonrpc: '2.0', id, result })

test('an answer is what the node says, also after it has closed an idle connection', async (t) => {
  await using on = await nodeOn((_, response, id) => answered(response, id, '0x10'))
  t.is(await on.ask(), 16)
  on.server.closeIdleConnections()
  t.is(await on.ask(), 16)
})

const outages: Record<string, Serve> = {
  'a portal page': (_, response) => response.end('<html>pay first</html>'),
  'a redirection': (_, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/' })
    response.end()
  },
  'too many requests': (_, response) => json(response, {}, 429),
  'a gateway out of order': (_, response) => {
    response.statusCode = 502
    response.end('bad gateway')
  },
  'a door that is shut': (_, response) => {
    response.statusCode = 401
    response.end()
  },
  'half an answer': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
    response.write('{"jsonrpc":"2.0",', () => response.destroy())
  },
  'no JSON': (_, response) => json(response, '{"jsonrpc":'),
  'bytes that are no text': (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(Uint8Array.of(0x22, 0xff, 0x22))
  },
  'the answer to another question': (_, response, id) => answered(response, id + 1, '0x10'),
  'an answer in another form': (_, response, id) => answered(response, id, 16),
  'a number that loses digits': (_, response, id) => answered(response, id, '0x20000000000001'),
  'neither result nor error': (_, response, id) => json(response, { jsonrpc: '2.0', id }),
  'a node that is starting': (_, response, id) =>
    json(response, {
      jsonrpc: '2.0',
      id,
      error: { code: -32000, message: 'transaction indexing is in progress' },
    }),
}

for (const [what, serve] of Object.entries(outages)) {
  test(`${what} is no answer, and no more than that`, async (t) => {
    await using on = await nodeOn(serve, { authorization: secret })
    const error = await t.throwsAsync(on.ask(), { instanceOf: NoAnswer })
    t.regex(error?.message ?? '', /127\.0\.0\.1:\d+/)
    t.notRegex(error?.message ?? '', /only-the-operator|key-in-the-path/)
  })
}

test('an answer that is too long is not read to its end, and is told from an outage', async (t) => {
  await using on = await nodeOn((_, response, id) =>
    answered(response, id, `0x${'00'.repeat(1_000_000)}`),
  )
  await t.throwsAsync(on.ask(), { instanceOf: TooLong })
})

test('a node that never answers is an outage after a while, and a stop ends the waiting', async (t) => {
  await using on = await nodeOn(() => undefined, { timeoutMs: 100 })
  await t.throwsAsync(on.ask(), { instanceOf: NoAnswer, message: /no answer in time/ })
  const stop = new AbortController()
  const asked = on.node.ask({ method: 'x', params: [], answer: z.any() }, stop.signal)
  stop.abort(new Error('stopped by hand'))
  await t.throwsAsync(asked, { message: 'stopped by hand' })
})

test('what a node refuses is its word, with the reason that the contract gave', async (t) => {
  const bodies = [
    { code: 3, message: 'execution reverted', data: '0x08c379a0ff' },
    { code: -32000, message: 'execution reverted', data: { data: '0x08c379a0ff' } },
    { code: -32015, message: 'VM execution error.', data: 'Reverted 0x08c379a0ff' },
  ]
  for (const error of bodies) {
    for (const status of [200, 400, 500]) {
      await using on = await nodeOn((_, response, id) =>
        json(response, { jsonrpc: '2.0', id, error }, status),
      )
      const refusal = await t.throwsAsync(on.ask(), { instanceOf: RpcRefusal })
      t.deepEqual(refusal?.reverted, Uint8Array.of(0x08, 0xc3, 0x79, 0xa0, 0xff), error.message)
    }
  }
})

test('who asks is told in a header, and words of a node bring no line of their own', async (t) => {
  let seen: string | undefined
  await using on = await nodeOn(
    (request, response, id) => {
      seen = request.headers.authorization
      const message = `no\n${'x'.repeat(5000)}`
      json(response, { jsonrpc: '2.0', id, error: { code: -32000, message } })
    },
    { authorization: secret },
  )
  const refusal = await t.throwsAsync(on.ask(), { instanceOf: RpcRefusal })
  t.is(seen, secret)
  t.is(refusal?.message.length, 200)
  t.false(refusal?.message.includes('\n'))
})
