import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { generate, parser } from 'mqtt-packet'

interface Received {
  readonly topic: string
  readonly qos: number
  readonly payload: string
}

/** As much of an MQTT broker as a publisher sees: it takes what is published, gives receipts and keeps all of it. */
export async function openBroker() {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    const packets = parser()
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))
      } else if (packet.cmd === 'publish') {
        const { topic, qos, payload, messageId } = packet
        received.push({ topic, qos, payload: String(payload) })
        if (qos === 1) socket.write(generate({ cmd: 'puback', messageId: messageId ?? 0 }))
      } else if (packet.cmd === 'pingreq') {
        socket.write(generate({ cmd: 'pingresp' }))
      }
    })
    socket.on('data', (bytes) => packets.parse(bytes))
  })
  let port = 0
  const open = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  await open()
  return { url: `mqtt://127.0.0.1:${port}`, received, open, close, [Symbol.asyncDispose]: close }
}
