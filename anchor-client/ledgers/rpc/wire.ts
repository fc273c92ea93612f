import * as http from 'node:http'
import * as https from 'node:https'
import { NoAnswer, TooLong } from './failures.ts'

/** Posts JSON to one node over HTTP(S), and gives back the text of its answer. Follows nobody elsewhere. */
interface RpcWire extends Disposable {
  /** The host alone, for messages: a path may hold what only the operator may know. */
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
  const target = new URL(url)
  const isTls = target.protocol === 'https:'
  const kept = { keepAlive: true, maxSockets: 4 }
  const agent = isTls
    ? new https.Agent({ ...kept, ...(ca !== undefined && { ca }) })
    : new http.Agent(kept)
  const name = target.host

  async function post(body: string, signal: AbortSignal): Promise<string> {
    const asked = () => exchange(body, signal)
    try {
      return await asked().catch((error: unknown) => {
        // A node that was started anew has closed what was kept open: nobody heard this.
        if (error instanceof StaleConnection) return asked()
        throw error
      })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof NoAnswer) throw error
      const { code, message } = error as NodeJS.ErrnoException
      throw new NoAnswer(`${name} cannot be reached: ${message || code}`)
    }
  }

  const exchange = (body: string, signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      const bytes = Buffer.from(body)
      const request = (isTls ? https : http).request(target, {
        agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'content-length': bytes.length,
          ...(authorization !== undefined && { authorization }),
        },
      })
      const late = setTimeout(() => end(new Error('no answer in time')), timeoutMs)
      const stop = () => end(new Error('stopped'))
      const end = (outcome: unknown) => {
        clearTimeout(late)
        signal.removeEventListener('abort', stop)
        if (typeof outcome === 'string') return resolve(outcome)
        reject(outcome)
        request.destroy()
      }
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) return stop()
      request.on('error', (error: NodeJS.ErrnoException) =>
        end(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error),
      )
      request.on('response', (response) => {
        response.on('error', end)
        bounded(response, maxBytes).then((text) => end(judged(name, response, text)), end)
      })
      request.end(bytes)
    })

  return { name, post, [Symbol.dispose]: () => agent.destroy() }
}

class StaleConnection extends Error {}

async function bounded(response: http.IncomingMessage, most: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of response) {
    length += piece.length
    if (length > most) throw new TooLong(`an answer of more than ${most} bytes`)
    pieces.push(piece)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
}

/** The text of a node's answer, or what says that none is to be had for now. */
function judged(
  name: string,
  { statusCode = 0, headers, complete }: http.IncomingMessage,
  text: string,
): string | NoAnswer {
  const isJson = /^application\/json\b/.test(headers['content-type'] ?? '')
  if (!complete) return new NoAnswer(`${name} broke off its answer`)
  // Some nodes give an error of their own with a status of 400 or 500 and say in JSON what it is.
  if (isJson && (statusCode === 200 || /^\s*\{\s*"(?:jsonrpc|id|error)"/.test(text))) return text
  if (statusCode === 429) return new NoAnswer(`${name} asks to wait: too many requests`)
  if (statusCode === 401 || statusCode === 403) {
    return new NoAnswer(`${name} wants to know who asks (${statusCode}): see authorization`)
  }
  if (statusCode >= 500) return new NoAnswer(`${name} is out of order (${statusCode})`)
  // A portal of the network, a proxy, another server: the node itself has not spoken.
  return new NoAnswer(`${name} is answered by something else than a node (${statusCode})`)
}
