import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Rpc, rpcTo } from '../engines/evm/rpc.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a node answers is altered key by key
export type Answer = any

/** What the node says instead of the truth: undefined for what it leaves as it is. Thrown, it is an error of JSON-RPC. */
export type Lie = (asked: Asked, truth: Rpc) => Promise<Answer> | undefined

export interface Asked {
  readonly method: string
  readonly params: readonly Answer[]
  /** What the node behind says to just this. */
  truth(): Promise<Answer>
}

export class RpcFailure extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Stands before a true node, and lies as long as it is told to. */
export async function lyingNode(url: string) {
  const rpc = rpcTo(url)
  let lie: Lie = () => undefined
  const counts = new Map<string, number>()

  async function answerTo(request: IncomingMessage): Promise<object> {
    const { id, method, params } = JSON.parse(await textOf(request))
    counts.set(method, (counts.get(method) ?? 0) + 1)
    try {
      const truth = () => rpc(method, ...params)
      const result = await (lie({ method, params, truth }, rpc) ?? truth())
      return { jsonrpc: '2.0', id, result }
    } catch (error) {
      const {
        code = -32603,
        message,
        details,
      } = error as Error & { code?: number; details?: unknown }
      // The client of this helper puts the method before the words of the node.
      const words = message.replace(new RegExp(`^${method}: `), '')
      return { jsonrpc: '2.0', id, error: { code, message: words, data: details } }
    }
  }

  const server = createServer((request, response) => {
    answerTo(request).then(
      (answer) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(answer))
      },
      () => response.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tell(next: Lie): void {
      lie = next
    },
    beHonest(): void {
      lie = () => undefined
    },
    asked: (method: string) => counts.get(method) ?? 0,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Alters the answers to one method. */
export const altering =
  (method: string, alter: (answer: Answer, asked: Asked) => Answer): Lie =>
  (asked) =>
    asked.method === method ? asked.truth().then((answer) => alter(answer, asked)) : undefined

/** As a node that does not offer these methods. */
export const without =
  (...methods: readonly string[]): Lie =>
  ({ method }) => {
    if (!methods.includes(method)) return undefined
    return Promise.reject(new RpcFailure(-32601, `the method ${method} does not exist`))
  }

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString()
}
