import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { DevicePort } from './device-port.ts'

/** A serial server on loopback. */
export async function openTcpPort(): Promise<DevicePort> {
  const sockets = new Set<Socket>()
  let hear: (bytes: Uint8Array) => void = () => {}
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay())
    socket.on('data', (bytes) => hear(bytes))
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  return {
    name: `tcp://127.0.0.1:${port}`,
    isOpen: () => sockets.size > 0,
    listen: (listener) => {
      hear = listener
    },
    say: (bytes) => {
      for (const socket of sockets) if (socket.writableLength < 65_536) socket.write(bytes)
    },
    unplug: close,
    replug: () => listen(port),
    [Symbol.asyncDispose]: close,
  }
}
