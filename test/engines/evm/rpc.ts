/** JSON-RPC as the words of a node's documentation are: Kedge's own client is not trusted with what it is held against. */

export class RpcError extends Error {
  readonly code: number
  readonly details: unknown
  constructor(code: number, message: string, details: unknown) {
    super(message)
    this.code = code
    this.details = details
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what a node answers is looked at key by key
export type Rpc = <T = any>(method: string, ...params: readonly unknown[]) => Promise<T>

const patienceMs = 60_000

export const rpcTo =
  (url: string): Rpc =>
  async (method, ...params) => {
    const response = await fetch(url, {
      method: 'POST',
      // A server that was killed takes its idle connections with it.
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(patienceMs),
    })
    const { result, error } = (await response.json()) as Answer
    if (error) throw new RpcError(error.code, `${method}: ${error.message}`, error.data)
    // biome-ignore lint/suspicious/noExplicitAny: as above
    return result as any
  }

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export const quantity = (value: number | bigint): string => `0x${value.toString(16)}`

export const heightOf = async (rpc: Rpc): Promise<number> => Number(await rpc('eth_blockNumber'))
