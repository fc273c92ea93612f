import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { openBroker } from '../../gateway/ingest/broker.ts'
import { type Limits, usualLimits } from '../../gateway/ingest/limits.ts'

/** A publication that waits until the test says what becomes of it. */
interface Held {
  readonly source: string
  readonly text: string
  readonly bytes: number
  store(): void
  fail(): void
}

interface Asked {
  /** Whether everything is stored at once; else it is held. */
  readonly storesAtOnce?: boolean
  readonly limits?: Partial<Limits>
}

/** The broker itself, on a free port of its own, and what reached its host. */
export async function brokerUnderTest({ storesAtOnce = false, limits = {} }: Asked = {}) {
  const held: Held[] = []
  const warnings: string[] = []
  const watchers = new Set<() => void>()
  const broker = await openBroker(
    { host: '127.0.0.1', port: 0 },
    {
      warn: (message) => warnings.push(message),
      take: ({ source, payload }) =>
        new Promise((resolve, reject) => {
          const fail = () => reject(new Error('the disk is full'))
          const text = Buffer.from(payload).toString()
          held.push({ source, text, bytes: payload.length, store: resolve, fail })
          if (storesAtOnce) resolve()
          for (const look of watchers) look()
        }),
    },
    { ...usualLimits, ...patience, ...limits },
  )
  return {
    broker,
    port: broker.port,
    url: broker.url,
    held,
    warnings,
    /** Until so many publications have reached the host since the start. */
    arrived: (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (held.length < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
}

/** A busy machine is not late; whoever tests a deadline sets it. */
const patience = { sweepMs: 20, connectMs: 600_000, endMs: 600_000, lingerMs: 600_000 }

/** A bare socket that says whatever a test likes, and understands what it is told. */
export async function rawPublisher(port: number, { protocolVersion = 4 } = {}) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const told: Packet[] = []
  const ear = parser({ protocolVersion })
  const watchers = new Set<() => void>()
  const look = () => {
    for (const watcher of watchers) watcher()
  }
  ear.on('packet', (packet) => told.push(packet))
  socket.on('data', (chunk) => {
    ear.parse(chunk)
    look()
  })
  // A connection that is cut says so by `close`.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => {
    // What was said before the end was heard by then.
    socket.once('end', () => socket.end())
    socket.once('close', () => resolve())
  })
  await once(socket, 'connect')

  const send = (...packets: readonly (Packet | Uint8Array)[]): void => {
    const bytes = packets.map((packet) =>
      packet instanceof Uint8Array ? packet : generate(packet, { protocolVersion }),
    )
    socket.write(Buffer.concat(bytes))
  }
  /** Until so many packets were received, or the connection is closed. */
  const heard = (count: number) =>
    Promise.race([
      closed,
      new Promise<void>((resolve) => {
        watchers.add(() => told.length >= count && resolve())
        look()
      }),
    ])
  return {
    socket,
    send,
    heard,
    closed,
    told,
    /** Packet ids of those answers, in the order in which they came. */
    ids: (cmd: Packet['cmd']) =>
      told.filter((packet) => packet.cmd === cmd).map(({ messageId }) => messageId),
    async join(told: Record<string, unknown> = {}) {
      send(hello({ protocolVersion, ...told }))
      await heard(1)
    },
    [Symbol.dispose]: () => void socket.destroy(),
  } satisfies { socket: Socket } & Record<PropertyKey, unknown>
}

let publishers = 0

export const hello = (told: Record<string, unknown> = {}): Packet =>
  ({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: `publisher-${publishers++}`,
    keepalive: 0,
    ...told,
  }) as Packet

export const publish = (
  messageId: number,
  payload: string | Buffer = `payload ${messageId}`,
  told: Record<string, unknown> = {},
): Packet =>
  ({
    cmd: 'publish',
    topic: 'ingest/probe-1',
    qos: 1,
    dup: false,
    retain: false,
    messageId,
    payload,
    ...told,
  }) as Packet

export const ping: Packet = { cmd: 'pingreq' }
