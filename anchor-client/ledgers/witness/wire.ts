import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { KedgeError } from '../../evidence/errors.ts'
import { type HttpAnswer, openHttpPeer } from '../http-peer.ts'
import type { Unknown } from '../ledger.ts'

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

export function openWire({ url, timeoutMs, ca, ...pinned }: WitnessAddress): WitnessWire {
  const fingerprint = pinned.fingerprint?.replaceAll(':', '').toLowerCase()
  const peer = openHttpPeer({
    url,
    timeoutMs,
    tls: {
      // A resumed session need not bring the certificate again.
      maxCachedSessions: 0,
      ...(ca !== undefined && { ca }),
      ...(fingerprint !== undefined && { rejectUnauthorized: false }),
    },
    mistrust: (response) =>
      fingerprint === undefined || fingerprintOf(response.socket) === fingerprint
        ? null
        : stranger(peer.host, 'its certificate is not the one with the pinned fingerprint'),
  })
  return {
    async ask({ path, body, maxBytes }, signal) {
      const headers = {
        accept: witnessMediaType,
        ...(body && { 'content-type': witnessMediaType }),
      }
      try {
        return judged(peer.host, await peer.ask({ path, headers, body, maxBytes }, signal))
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof KedgeError) throw error
        const { code = '', message } = error as NodeJS.ErrnoException
        if (certificateFaults.test(code)) throw stranger(peer.host, message)
        return { state: 'unknown', why: `${peer.host} cannot be reached: ${message || code}` }
      }
    },
    [Symbol.dispose]: () => peer[Symbol.dispose](),
  }
}

/** What says that somebody else is there, however often one asks. */
const certificateFaults = /CERT|ERR_TLS|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED/

const stranger = (host: string, why: string): KedgeError =>
  new KedgeError('LEDGER_MISMATCH', `${host} is not known to be the witness: ${why}`, {
    hint: 'Check ca and fingerprint of this witness in the configuration, and the clock.',
  })

function fingerprintOf(socket: IncomingMessage['socket']): string | undefined {
  const { fingerprint256 } = (socket as TLSSocket).getPeerCertificate?.() ?? {}
  return fingerprint256?.replaceAll(':', '').toLowerCase()
}

/** An answer of a witness, or what says that none is to be had for now. */
function judged(
  host: string,
  { status, contentType, isWhole, bytes }: HttpAnswer,
): Uint8Array | Unknown {
  const unknown = (why: string): Unknown => ({ state: 'unknown', why: `${host} ${why}` })
  if (!isWhole) return unknown('broke off its answer')
  if (contentType === witnessMediaType && status === 200) return bytes
  if (status === 429) return unknown('asks to wait: too many requests')
  if (status >= 500) return unknown(`is out of order (${status})`)
  // A portal of the network, a proxy, another server: the witness itself has not spoken.
  return unknown(`is answered by something else than a witness (${status})`)
}
