/** A broker of somebody else: aedes, with what a test wants to know of it. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Aedes } from 'aedes'
import { generate, type Packet, parser } from 'mqtt-packet'

export interface BrokerOptions {
  /** Let in nobody else. */
  readonly user?: { readonly name: string; readonly password: string }
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Topics that nobody may subscribe to. */
  readonly forbidden?: readonly string[]
}

export async function thirdBroker({ user, tls, forbidden = [] }: BrokerOptions = {}) {
  const aedes = await Aedes.createBroker({
    concurrency: 1000,
    authenticate: (_, name, password, done) =>
      done(null, user === undefined || (name === user.name && String(password) === user.password)),
    authorizeSubscribe: (_, wanted, done) =>
      done(null, forbidden.includes(wanted.topic) ? null : wanted),
  })
  const sockets = new Set<Socket>()
  const welcome = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    aedes.handle(socket)
  }
  const open = async (port: number) => {
    const made = tls
      ? createTlsServer(
          { key: await readFile(tls.key), cert: await readFile(tls.cert) },
          welcome as never,
        )
      : createServer(welcome)
    made.listen(port, '127.0.0.1')
    await once(made, 'listening')
    return made
  }
  let server = await open(0)
  const { port } = server.address() as { port: number }

  /** What was acknowledged to the broker, by whom. */
  const acknowledged: { readonly clientId: string; readonly topic: string }[] = []
  aedes.on('ack', (packet, client) => {
    const { topic = '' } = (packet ?? {}) as { topic?: string }
    acknowledged.push({ clientId: client.id, topic })
  })

  /** Those that are in force, by filter. */
  const subscribed = new Map<string, Set<string>>()
  aedes.on('subscribe', (wanted, { id }) => {
    for (const { topic } of wanted) {
      const clients = subscribed.get(topic) ?? new Set()
      subscribed.set(topic, clients.add(id))
    }
  })
  aedes.on('clientDisconnect', ({ id }) => {
    for (const clients of subscribed.values()) clients.delete(id)
  })

  return {
    aedes,
    port,
    url: `${tls ? 'mqtts' : 'mqtt'}://${tls ? 'localhost' : '127.0.0.1'}:${port}`,
    acknowledged,
    publish: (
      topic: string,
      payload: string | Buffer,
      told: { readonly qos?: 0 | 1 | 2; readonly retain?: boolean } = {},
    ) =>
      new Promise<void>((resolve, reject) => {
        const packet = {
          ...{ cmd: 'publish' as const, topic, payload, dup: false },
          ...{ qos: told.qos ?? (1 as const), retain: told.retain ?? false },
        }
        aedes.publish(packet as never, (error) => (error ? reject(error) : resolve()))
      }),
    /** Connections that are open. */
    connections: () => sockets.size,
    /** How many clients that are there have subscribed to this filter. */
    subscriptionsOf: (filter: string) => subscribed.get(filter)?.size ?? 0,
    async unplug() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    async replug() {
      server = await open(port)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** One that says what a test likes as soon as somebody has subscribed. */
export async function scriptedBroker(script: (say: (packet: Packet) => void) => void) {
  const acknowledged: (number | undefined)[] = []
  const connects: { clean: boolean | undefined; protocolVersion: number | undefined }[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const say = (packet: Packet) => void socket.write(generate(packet))
    const ear = parser()
    ear.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        connects.push({ clean: packet.clean, protocolVersion: packet.protocolVersion })
        say({ cmd: 'connack', returnCode: 0, sessionPresent: true })
      } else if (packet.cmd === 'subscribe') {
        say({
          ...{ cmd: 'suback', messageId: packet.messageId as number },
          granted: packet.subscriptions.map(() => 1),
        } as Packet)
        script(say)
      } else if (packet.cmd === 'puback') acknowledged.push(packet.messageId)
    })
    socket.on('data', (chunk) => ear.parse(chunk))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    acknowledged,
    connects,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
