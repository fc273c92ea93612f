import * as http from 'node:http'
import * as https from 'node:https'

/** Questions over HTTP(S) to one address: in time, bounded, on kept connections. Follows nobody elsewhere. */
export interface HttpPeer extends Disposable {
  /** The host alone, for messages: a path may hold what only the operator may know. */
  readonly host: string
  /** Throws what the network says, or `AnswerTooLong`; nothing of an answer is judged here but its length. */
  ask(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer>
}

export interface HttpQuestion {
  /** Below the peer's address, with its query; the address itself where there is none. */
  readonly path?: string
  readonly headers: Readonly<Record<string, string>>
  /** Posted, where there is one. */
  readonly body?: Uint8Array | undefined
  readonly maxBytes: number
}

export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  /** False where it broke off. */
  readonly isWhole: boolean
  readonly bytes: Uint8Array
}

export interface HttpAddress {
  readonly url: string
  readonly timeoutMs: number
  /** Of the connection; `ca` and the like. */
  readonly tls?: https.AgentOptions
  /** Why this is not whom we mean, before anything of the answer is read; or null. */
  mistrust?(response: http.IncomingMessage): Error | null
}

/** There is an answer, and more of it than is read here. */
export class AnswerTooLong extends Error {}

class StaleConnection extends Error {}

export function openHttpPeer({ url, timeoutMs, tls, mistrust }: HttpAddress): HttpPeer {
  const base = new URL(url)
  const isTls = base.protocol === 'https:'
  const kept = { keepAlive: true, maxSockets: 4 }
  const agent = isTls ? new https.Agent({ ...kept, ...tls }) : new http.Agent(kept)

  const exchange = (question: HttpQuestion, signal: AbortSignal) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      // Before there is a request: one that is destroyed while nobody listens to it ends the process.
      if (signal.aborted) return reject(stopped())
      const { path, headers, body, maxBytes } = question
      const request = (isTls ? https : http).request(
        path === undefined ? base : new URL(path, base),
        {
          agent,
          method: body === undefined ? 'GET' : 'POST',
          headers: { ...headers, ...(body && { 'content-length': body.length }) },
        },
      )
      const late = setTimeout(() => end(new Error('no answer in time')), timeoutMs)
      const stop = () => end(stopped())
      const end = (outcome: unknown) => {
        clearTimeout(late)
        signal.removeEventListener('abort', stop)
        reject(outcome)
        request.destroy()
      }
      const done = (answer: HttpAnswer) => {
        clearTimeout(late)
        signal.removeEventListener('abort', stop)
        resolve(answer)
      }
      signal.addEventListener('abort', stop, { once: true })
      request.on('error', (error: NodeJS.ErrnoException) =>
        end(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error),
      )
      request.on('response', (response) => {
        response.on('error', end)
        const stranger = mistrust?.(response)
        if (stranger) return end(stranger)
        bounded(response, maxBytes).then((bytes) => done(answerOf(response, bytes)), end)
      })
      request.end(body)
    })

  return {
    host: base.host,
    ask: (question, signal) =>
      exchange(question, signal).catch((error: unknown) => {
        // A peer that was started anew has closed what was kept open: nobody heard this.
        if (error instanceof StaleConnection) return exchange(question, signal)
        throw error
      }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

const stopped = () => new Error('stopped')

const answerOf = (
  { statusCode = 0, headers, complete }: http.IncomingMessage,
  bytes: Uint8Array,
): HttpAnswer => ({
  status: statusCode,
  contentType: headers['content-type'] ?? '',
  isWhole: complete,
  bytes,
})

async function bounded(response: http.IncomingMessage, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of response) {
    length += piece.length
    if (length > most) throw new AnswerTooLong(`an answer of more than ${most} bytes`)
    pieces.push(piece)
  }
  // A copy of its own: what is read from it are views.
  return Uint8Array.from(Buffer.concat(pieces))
}
