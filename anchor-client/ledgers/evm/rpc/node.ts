import { z } from 'zod'
import { hexToBytes } from '../../../evidence/bytes.ts'
import { NoAnswer, RpcRefusal } from './failures.ts'
import { type NodeAddress, openRpcWire } from './wire.ts'

/** One node's JSON-RPC. An answer is read with the schema of what was asked, and believed no further. */
export interface RpcNode extends Disposable {
  readonly name: string
  /** Throws `NoAnswer` or `RpcRefusal`. */
  ask<T>(asked: RpcQuestion<T>, signal: AbortSignal): Promise<T>
}

interface RpcQuestion<T> {
  readonly method: string
  readonly params: readonly unknown[]
  readonly answer: z.ZodType<T>
}

export function openRpcNode(address: NodeAddress): RpcNode {
  const wire = openRpcWire(address)
  let last = 0
  return {
    name: wire.name,
    async ask({ method, params, answer }, signal) {
      last += 1
      const id = last
      const text = await wire.post(JSON.stringify({ jsonrpc: '2.0', id, method, params }), signal)
      const said = envelope.safeParse(parsed(text)).data
      if (said === undefined || (said.id !== id && said.id !== null)) {
        throw new NoAnswer(`${wire.name} does not answer ${method} as a node does`)
      }
      if ('error' in said) throw refusalOf(wire.name, method, said.error)
      const { success, data } = answer.safeParse(said.result)
      if (!success) throw new NoAnswer(`${wire.name} answers ${method} in no form that we know`)
      return data
    },
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  }
}

const failure = z.object({
  code: z.int(),
  message: z.string().catch(''),
  data: z.unknown().optional(),
})

const envelope = z.union([
  z.object({ id: z.union([z.int(), z.null()]), error: failure }),
  z.object({ id: z.int(), result: z.unknown() }),
])

/** Brackets in brackets cost a parser a hundred times their length. */
const mostDepth = 64

function isDeep(text: string): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const sign = text.charCodeAt(i)
    if (sign === 0x5b || sign === 0x7b) depth += 1
    else if (sign === 0x5d || sign === 0x7d) depth -= 1
    if (depth > mostDepth) return true
  }
  return false
}

function parsed(text: string): unknown {
  if (isDeep(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusalOf(name: string, method: string, { code, message, data }: z.infer<typeof failure>) {
  const words = [...message.slice(0, 200)].map((sign) => (sign < ' ' ? ' ' : sign)).join('')
  // The node has just begun, is busy, or counts our questions: it has not said no.
  if (passing.test(words)) {
    return new NoAnswer(`${name} cannot answer ${method} for now: ${words}`)
  }
  return new RpcRefusal(code, words, revertedIn(data))
}

const passing =
  /indexing is in progress|rate limit|too many requests|request timed? ?out|syncing|not ready|starting|temporarily/i

/** Where nodes put what the contract gave as its reason: plain, or in an object. */
function revertedIn(data: unknown): Uint8Array | null {
  const hex = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
  if (typeof hex !== 'string') return null
  const [, digits] = /^(?:Reverted )?0x((?:[0-9a-fA-F]{2}){0,4096})$/.exec(hex) ?? []
  return digits === undefined ? null : hexToBytes(digits.toLowerCase())
}
