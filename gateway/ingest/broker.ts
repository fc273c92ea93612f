/** The gateway's own MQTT broker: publishers only, and no PUBACK before what they sent is on disk. */
import { createServer, type Server } from 'node:net'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Listen } from '../../config/forms.ts'
import { reasons } from './answers.ts'
import { type Connection, openConnection, type Route, type Surroundings } from './connection.ts'
import { type Limits, usualLimits } from './limits.ts'
import { openRoom } from './room.ts'
import { openWarnings } from './warnings.ts'

export interface Publication {
  /** What stood after `ingest/`. */
  readonly source: string
  readonly payload: Uint8Array
}

export interface BrokerHost {
  /** Resolves once it is on disk: stored, or refused and recorded. */
  take(publication: Publication): Promise<void>
  /** What becomes of topics other than `ingest/NAME`; without it they are refused. */
  route?(topic: string): Route
  warn(message: string): void
}

export interface Broker extends AsyncDisposable {
  readonly port: number
  /** `mqtt://127.0.0.1:1883` */
  readonly url: string
  /** Publishers that are there. */
  readonly connected: number
}

export async function openBroker(
  listen: Listen,
  host: BrokerHost,
  limits: Limits = usualLimits,
): Promise<Broker> {
  const connections = new Set<Connection>()
  const publishers = new Map<string, Connection>()
  const warn = openWarnings(limits, (message) => host.warn(message))

  const surroundings: Surroundings = {
    limits,
    room: openRoom(limits.allBacklogsBytes),
    // An error thrown at once is a publication that was not stored, like any other.
    take: (source) => async (payload) => host.take({ source, payload }),
    route: (topic) => host.route?.(topic) ?? 'refuse',
    claim(clientId, connection) {
      const older = publishers.get(clientId)
      publishers.set(clientId, connection)
      if (older !== undefined) {
        older.end(reasons.takenOver)
        warn('taken over', clientId)
      }
      void connection.closed.then(() => {
        if (publishers.get(clientId) === connection) publishers.delete(clientId)
      })
    },
    warn,
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = openConnection(socket, surroundings)
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
  })
  server.maxConnections = limits.connections
  server.on('drop', () => warn('crowded', null))
  await listening(server, listen)
  server.on('error', (error) =>
    host.warn(`the MQTT broker cannot take a connection: ${error.message}`),
  )

  let sweptMs = performance.now()
  const sweeping = setInterval(() => {
    const nowMs = performance.now()
    const lateMs = nowMs - sweptMs - limits.sweepMs
    sweptMs = nowMs
    // After a standstill of this process what was sent meanwhile is read first, and then judged.
    if (lateMs > limits.sweepMs) return
    for (const connection of connections) connection.sweep(nowMs)
  }, limits.sweepMs)

  async function close(): Promise<void> {
    const isClosed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of connections) connection.end(reasons.stopping)
    await isClosed
    clearInterval(sweeping)
  }

  const { port, address, family } = server.address() as {
    port: number
    address: string
    family: string
  }
  let closing: Promise<void> | undefined
  return {
    port,
    url: `mqtt://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    get connected() {
      return publishers.size
    },
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

async function listening(server: Server, { host, port }: Listen): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  }).catch((cause) => {
    throw refusal(cause, host, port)
  })
}

function refusal(cause: NodeJS.ErrnoException, host: string, port: number): KedgeError {
  const [why, hint] = whys[cause.code ?? ''] ?? [
    cause.message,
    'Give ingest.mqtt.listen an address of this machine.',
  ]
  return new KedgeError(
    'LISTEN_REFUSED',
    `the MQTT broker cannot listen on ${host}:${port}: ${why}`,
    {
      cause,
      hint,
    },
  )
}

const whys: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  EADDRINUSE: [
    'another program does',
    'Stop that program, or give ingest.mqtt.listen another port; port 0 takes a free one.',
  ],
  EACCES: [
    'only the administrator may take this port',
    'Give ingest.mqtt.listen a port from 1024 up, such as 1883.',
  ],
}
