/** The witness's ear: HTTPS, with an end to everything that a stranger may send or leave open. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { maxRequestBytes } from '../../anchor-client/ledgers/witness/requests.ts'
import { witnessMediaType } from '../../anchor-client/ledgers/witness/wire.ts'
import { openLimiter, peerName, type WitnessLimits } from './limits.ts'
import type { ListenAddress } from './listen-address.ts'
import type { Question, Reply } from './replies.ts'

export interface Tls {
  readonly key: Uint8Array
  readonly cert: Uint8Array
}

interface HttpServer extends AsyncDisposable {
  readonly url: string
}

/** Judged here, as the server that is opened with it comes only after the witness's own files. */
export async function readTls(key: string, cert: string): Promise<Tls> {
  const bytesOf = (path: string) =>
    readFile(path).catch((cause: NodeJS.ErrnoException) => {
      throw new KedgeError('FILE_UNREADABLE', `cannot read ${path}: ${cause.message}`, { cause })
    })
  const tls = { key: await bytesOf(key), cert: await bytesOf(cert) }
  mustBeUsable({ key: tls.key }, `${key} is no private key for TLS`)
  mustBeUsable({ cert: tls.cert }, `${cert} is no certificate for TLS`)
  mustBeUsable(tls, `${key} is not the key of the certificate in ${cert}`)
  return tls
}

function mustBeUsable(options: SecureContextOptions, otherwise: string): void {
  try {
    createSecureContext(options)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new KedgeError('FILE_UNREADABLE', `${otherwise}: ${why}`, {
      hint: 'Name two PEM files: --tls-key its private key without a passphrase, --tls-cert the certificate.',
      cause,
    })
  }
}

/** How long answers under way may take when the witness stops. */
const longestEndMs = 3000

export async function openHttpServer(
  { host, port }: ListenAddress,
  tls: Tls | undefined,
  limits: WitnessLimits,
  reply: (question: Question) => Promise<Reply>,
  warn: (message: string) => void,
): Promise<HttpServer> {
  const { slowestMs } = limits
  const options = {
    headersTimeout: slowestMs,
    requestTimeout: slowestMs,
    keepAliveTimeout: 6 * slowestMs,
    connectionsCheckingInterval: Math.min(1000, slowestMs),
    maxHeaderSize: 8192,
  }
  const mayAsk = openLimiter(limits.peer)
  const listener = (request: http.IncomingMessage, response: http.ServerResponse) => {
    answer(request, mayAsk, reply).then(
      (said) => send(response, said),
      (error: unknown) => {
        if (!request.destroyed) warn(error instanceof Error ? error.message : String(error))
        send(response, { status: 503, line: 'out of order for now' })
      },
    )
  }
  const server = tls
    ? https.createServer(secureOptions(options, tls), listener)
    : http.createServer(options, listener)
  server.maxConnections = limits.connections
  // A reader that takes nothing of its answer is no reader.
  server.setTimeout(6 * slowestMs, (socket) => socket.destroy())
  countPeers(server, limits.connectionsOfPeer)
  server.listen(port, host)
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new KedgeError('LISTEN_REFUSED', `cannot listen on ${host}:${port}: ${cause.message}`, {
      hint: 'Another program may listen there; name another port with --listen.',
      cause,
    })
  })
  server.on('error', (error) => warn(error.message))
  const bound = server.address() as AddressInfo
  const named = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${named}:${bound.port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const late = setTimeout(() => server.closeAllConnections(), longestEndMs)
      await closed
      clearTimeout(late)
    },
  }
}

function secureOptions(options: https.ServerOptions, { key, cert }: Tls): https.ServerOptions {
  const secure = { ...options, key: Buffer.from(key), cert: Buffer.from(cert) }
  return { ...secure, minVersion: 'TLSv1.2', handshakeTimeout: options.headersTimeout ?? 10_000 }
}

/** One peer that opens connections and says nothing must leave room for the others. */
function countPeers(server: Server, most: number): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const peer = peerName(socket.remoteAddress)
    const count = (open.get(peer) ?? 0) + 1
    open.set(peer, count)
    socket.on('close', () => {
      const left = (open.get(peer) ?? 1) - 1
      if (left > 0) open.set(peer, left)
      else open.delete(peer)
    })
    if (count > most) socket.destroy()
  })
}

async function answer(
  request: http.IncomingMessage,
  mayAsk: (peer: string) => boolean,
  reply: (question: Question) => Promise<Reply>,
): Promise<Reply> {
  if (!mayAsk(peerName(request.socket.remoteAddress))) {
    return { status: 429, line: 'too many requests: wait' }
  }
  const { method = '', url = '' } = request
  const target = URL.canParse(url, 'http://witness') ? new URL(url, 'http://witness') : undefined
  if (target === undefined) return { status: 400, line: 'this is no address' }
  const body = await bodyOf(request)
  if (body === null) return { status: 413, line: `at most ${maxRequestBytes} bytes` }
  return reply({ method, path: target.pathname, parameters: target.searchParams, body })
}

async function bodyOf(request: http.IncomingMessage): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    length += piece.length
    if (length > maxRequestBytes) return null
    pieces.push(piece)
  }
  return Uint8Array.from(Buffer.concat(pieces))
}

function send(response: http.ServerResponse, said: Reply): void {
  const isBytes = said instanceof Uint8Array
  const body = isBytes ? said : Buffer.from(`${said.line}\n`)
  const status = isBytes ? 200 : said.status
  response.writeHead(status, {
    'content-type': isBytes ? witnessMediaType : 'text/plain; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 429 && { 'retry-after': '1' }),
    // What is left of a body that is too long is not waited for.
    ...(status === 413 && { connection: 'close' }),
  })
  response.end(body, () => {
    if (status === 413) response.socket?.destroy()
  })
}
