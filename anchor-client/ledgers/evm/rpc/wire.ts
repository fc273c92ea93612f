import { AnswerTooLong, type HttpAnswer, openHttpPeer } from '../../http-peer.ts'
import { NoAnswer, TooLong } from './failures.ts'

/** Posts JSON to one node over HTTP(S), and gives back the text of its answer. */
interface RpcWire extends Disposable {
  /** The host alone, for messages. */
  readonly name: string
  post(body: string, signal: AbortSignal): Promise<string>
}

export interface NodeAddress {
  readonly url: string
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Certificates (PEM) of whoever signed the node's one, instead of those that the system trusts. */
  readonly ca?: string | undefined
  /** The whole value of the header of that name. */
  readonly authorization?: string | undefined
}

export function openRpcWire({ url, timeoutMs, maxBytes, ca, authorization }: NodeAddress): RpcWire {
  const peer = openHttpPeer({ url, timeoutMs, tls: ca === undefined ? {} : { ca } })
  const name = peer.host
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(authorization !== undefined && { authorization }),
  }
  return {
    name,
    async post(body, signal) {
      try {
        const answer = await peer.ask({ headers, body: Buffer.from(body), maxBytes }, signal)
        return judged(name, answer)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof NoAnswer) throw error
        if (error instanceof AnswerTooLong) throw new TooLong(error.message)
        const { code, message } = error as NodeJS.ErrnoException
        throw new NoAnswer(`${name} cannot be reached: ${message || code}`)
      }
    },
    [Symbol.dispose]: () => peer[Symbol.dispose](),
  }
}

/** The text of a node's answer; throws what says that none is to be had for now. */
function judged(name: string, { status, contentType, isWhole, bytes }: HttpAnswer): string {
  if (!isWhole) throw new NoAnswer(`${name} broke off its answer`)
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const isJson = /^application\/json\b/.test(contentType)
  // Some nodes give an error of their own with a status of 400 or 500 and say in JSON what it is.
  if (isJson && (status === 200 || /^\s*\{\s*"(?:jsonrpc|id|error)"/.test(text))) return text
  if (status === 429) throw new NoAnswer(`${name} asks to wait: too many requests`)
  if (status === 401 || status === 403) {
    throw new NoAnswer(`${name} wants to know who asks (${status}): see authorization`)
  }
  if (status >= 500) throw new NoAnswer(`${name} is out of order (${status})`)
  // A portal of the network, a proxy, another server: the node itself has not spoken.
  throw new NoAnswer(`${name} is answered by something else than a node (${status})`)
}
