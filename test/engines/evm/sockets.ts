import { readdir, readFile, readlink } from 'node:fs/promises'

/** Where a process listens for connections and datagrams, as its system says: `127.0.0.1:8545`. Linux only. */
export async function socketsOf(pid: number): Promise<string[]> {
  const inodes = new Set<string>()
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '')
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  const sockets: string[] = []
  for (const protocol of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const table = await readFile(`/proc/${pid}/net/${protocol}`, 'utf8').catch(() => '')
    for (const line of table.split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      const isOpen = protocol.startsWith('udp') || state === listening
      if (isOpen && inodes.has(inode)) sockets.push(readable(local))
    }
  }
  return sockets
}

const listening = '0A'

/** Four bytes, the last first; of longer ones it is enough that they are not of this kind. */
function readable(local: string): string {
  const [address = '', port = ''] = local.split(':')
  if (address.length !== 8) return `[${address}]:${Number.parseInt(port, 16)}`
  const bytes = (address.match(/../g) ?? []).reverse().map((hex) => Number.parseInt(hex, 16))
  return `${bytes.join('.')}:${Number.parseInt(port, 16)}`
}
