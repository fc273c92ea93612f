/** Stands before a node, reads what it is asked, and may lose the answers, or see the node die of them. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `drop question`: the node never hears of it; `drop answer`: it has done what it was asked, and nobody is told. */
export type Fate = 'pass' | 'drop question' | 'drop answer' | 'half an answer'

/** Whether the node has heard of the question when something happens to it. */
export type Moment = 'before' | 'amid' | 'after'

export interface RpcProxy extends AsyncDisposable {
  readonly url: string
  /** How often this method was asked for. */
  asked(method: string): number
  /** At the next question of this method, in this moment; resolves when it is done. */
  strike(method: string, moment: Moment, blow: () => Promise<void>): Promise<void>
}

/** @param fateOf by the method and the count of all questions */
export async function rpcProxy(
  target: () => string,
  fateOf: (method: string, count: number) => Fate = () => 'pass',
): Promise<RpcProxy> {
  const counts = new Map<string, number>()
  let strike: Strike | null = null
  let count = 0
  const server = createServer((request, response) => {
    void forward(request, response).catch(() => response.destroy())
  })

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request)
    const { method } = JSON.parse(body)
    counts.set(method, (counts.get(method) ?? 0) + 1)
    const fate = fateOf(method, count++)
    const struck = strike?.method === method ? strike : null
    if (struck) strike = null
    if (struck?.moment === 'before') await struck.blow()
    if (fate === 'drop question') {
      response.destroy()
      return
    }
    const headers = { 'content-type': 'application/json', connection: 'close' }
    const asked = fetch(target(), { method: 'POST', headers, body })
    const blow = struck?.moment === 'amid' ? struck.blow() : null
    const answer = await asked.catch(() => null)
    const bytes = Buffer.from((await answer?.text().catch(() => '')) ?? '')
    await blow
    if (struck?.moment === 'after') await struck.blow()
    if (answer === null || bytes.length === 0 || fate === 'drop answer' || struck) {
      response.destroy()
      return
    }
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
    })
    if (fate === 'pass') response.end(bytes)
    else response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: (method) => counts.get(method) ?? 0,
    strike: (method, moment, blow) =>
      new Promise((resolve, reject) => {
        const struck = async () => {
          await blow().then(resolve, reject)
        }
        strike = { method, moment, blow: struck }
      }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Strike {
  readonly method: string
  readonly moment: Moment
  blow(): Promise<void>
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString()
}
