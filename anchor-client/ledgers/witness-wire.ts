import * as http from 'node:http'
import * as https from 'node:https'
import type { TLSSocket } from 'node:tls'
import { KedgeError } from '../evidence/errors.ts'
import type { Unknown } from './ledger.ts'

/** Questions to a witness over HTTPS, and bytes back. Nothing of what comes is believed here but its length. */
export interface WitnessWire extends Disposable {
  ask(question: Question, signal: AbortSignal): Promise<Uint8Array | Unknown>
}

export interface Question {
  /** Below the witness's address, with its query. */
  readonly path: string
  /** The bytes of a request; without them it is only a question. */
  readonly body?: Uint8Array
  readonly maxBytes: number
}

interface WitnessAddress {
  readonly url: string
  readonly timeoutMs: number
  /** Certificates (PEM) of whoever signed the witness's one, instead of those that the system trusts. */
  readonly ca?: string | undefined
  /** SHA-256 of the witness's own certificate, in hex: then it need be signed by nobody. */
  readonly fingerprint?: string | undefined
}

export const witnessMediaType = 'application/vnd.kedge.witness-v1'

export function openWire({ url, timeoutMs, ca, fingerprint }: WitnessAddress): WitnessWire {
  const base = new URL(url)
  const isTls = base.protocol === 'https:'
  const kept = { keepAlive: true, maxSockets: 4 }
  const agent = isTls
    ? new https.Agent({
        ...kept,
        // A resumed session need not bring the certificate again.
        maxCachedSessions: 0,
        ...(ca !== undefined && { ca }),
        ...(fingerprint !== undefined && { rejectUnauthorized: false }),
      })
    : new http.Agent(kept)

  async function ask(question: Question, signal: AbortSignal): Promise<Uint8Array | Unknown> {
    const asked = () => exchange(new URL(question.path, base), question, signal)
    try {
      return await asked().catch((error: unknown) => {
        // A witness that was started anew has closed what was kept open: nobody heard this.
        if (error instanceof StaleConnection) return asked()
        throw error
      })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof KedgeError) throw error
      const { code = '', message } = error as NodeJS.ErrnoException
      if (certificateFaults.test(code)) throw stranger(base, message)
      return { state: 'unknown', why: `${base.host} cannot be reached: ${message || code}` }
    }
  }

  const exchange = (target: URL, { body, maxBytes }: Question, signal: AbortSignal) =>
    new Promise<Uint8Array | Unknown>((resolve, reject) => {
      const request = (isTls ? https : http).request(target, {
        agent,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: witnessMediaType,
          ...(body && { 'content-type': witnessMediaType, 'content-length': body.length }),
        },
      })
      const late = setTimeout(() => end(new Error('no answer in time')), timeoutMs)
      const stop = () => end(new Error('stopped'))
      const end = (outcome: Error | Uint8Array | Unknown) => {
        clearTimeout(late)
        signal.removeEventListener('abort', stop)
        if (outcome instanceof Error) {
          reject(outcome)
          request.destroy()
        } else resolve(outcome)
      }
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) return stop()
      request.on('error', (error: NodeJS.ErrnoException) =>
        end(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error),
      )
      request.on('response', (response) => {
        response.on('error', end)
        if (fingerprint !== undefined && fingerprintOf(response.socket) !== fingerprint) {
          return end(stranger(base, 'its certificate is not the one with the pinned fingerprint'))
        }
        bounded(response, maxBytes).then((bytes) => end(judged(base, response, bytes)), end)
      })
      request.end(body)
    })

  return { ask, [Symbol.dispose]: () => agent.destroy() }
}

class StaleConnection extends Error {}

/** What says that somebody else is there, however often one asks. */
const certificateFaults = /CERT|ERR_TLS|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED/

const stranger = ({ host }: URL, why: string): KedgeError =>
  new KedgeError('LEDGER_MISMATCH', `${host} is not known to be the witness: ${why}`, {
    hint: 'Check ca and fingerprint of this witness in the configuration, and the clock.',
  })

function fingerprintOf(socket: http.IncomingMessage['socket']): string | undefined {
  const { fingerprint256 } = (socket as TLSSocket).getPeerCertificate?.() ?? {}
  return fingerprint256?.replaceAll(':', '').toLowerCase()
}

async function bounded(response: http.IncomingMessage, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of response) {
    length += piece.length
    if (length > most) throw new Error(`an answer of more than ${most} bytes`)
    pieces.push(piece)
  }
  // A copy of its own: what is read from it are views.
  return Uint8Array.from(Buffer.concat(pieces))
}

/** An answer of a witness, or what says that none is to be had for now. */
function judged(
  { host }: URL,
  { statusCode = 0, headers, complete }: http.IncomingMessage,
  bytes: Uint8Array,
): Uint8Array | Unknown {
  const unknown = (why: string): Unknown => ({ state: 'unknown', why: `${host} ${why}` })
  if (!complete) return unknown('broke off its answer')
  if (headers['content-type'] === witnessMediaType && statusCode === 200) return bytes
  if (statusCode === 429) return unknown('asks to wait: too many requests')
  if (statusCode >= 500) return unknown(`is out of order (${statusCode})`)
  // A portal of the network, a proxy, another server: the witness itself has not spoken.
  return unknown(`is answered by something else than a witness (${statusCode})`)
}
