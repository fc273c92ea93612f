import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openHttpPeer } from '../anchor-client/ledgers/http-peer.ts'

test('a question that is given up before it is asked ends quietly, and the next one is answered', async (t) => {
  let heard = 0
  const server = createServer((_, response) => {
    heard += 1
    response.end('yes')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  using peer = openHttpPeer({ url: `http://127.0.0.1:${port}`, timeoutMs: 60_000 })
  const failures: unknown[] = []
  const listen = (error: unknown) => failures.push(error)
  process.on('uncaughtException', listen)
  t.teardown(() => process.off('uncaughtException', listen))

  const question = { headers: {}, maxBytes: 100 }
  await t.throwsAsync(peer.ask(question, AbortSignal.abort()), { message: 'stopped' })
  await sleep(100)
  t.deepEqual(failures, [], 'the gateway goes on')
  t.is(heard, 0)
  const { signal } = new AbortController()
  t.like(await peer.ask(question, signal), { status: 200, isWhole: true })
})
