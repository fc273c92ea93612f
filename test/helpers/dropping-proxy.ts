import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What happens to a connection: it passes, the answer is lost, or it is cut in the middle; or nothing comes at all. */
export type Fate = 'pass' | 'drop answer' | 'half an answer' | 'silence'

/** Stands before a server, and forwards every byte that is asked, whatever becomes of the answer. */
export async function droppingProxy(port: number, fateOf: (connection: number) => Fate) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((client) => {
    const fate = fateOf(connections++)
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        if (fate !== 'silence') {
          client.destroy()
          upstream.destroy()
        }
      })
    }
    client.pipe(upstream)
    upstream.on('data', (bytes: Buffer) => {
      if (fate === 'pass') client.write(bytes)
      if (fate === 'drop answer') client.destroy()
      if (fate === 'half an answer') client.end(bytes.subarray(0, bytes.length >> 1))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
