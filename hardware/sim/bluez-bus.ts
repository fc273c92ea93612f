/** A message bus of its own, by the `dbus-daemon` of this machine, where a stand-in for BlueZ and a program meet. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** What is used of the package @homebridge/dbus-native, which has no types for it. */
export interface Peer {
  name?: string
  connection: {
    on(event: 'error' | 'end', listener: (error?: Error) => void): void
    message(message: object): void
    stream: NodeJS.EventEmitter & { destroy(): void; readonly destroyed: boolean }
  }
  signals: NodeJS.EventEmitter
  mangle(path: string, face: string, member: string): string
  invoke(message: object, done: (error: unknown, ...values: never[]) => void): void
  invokeDbus(message: object, done: (error: unknown, ...values: never[]) => void): void
  sendSignal(path: string, face: string, member: string, signature: string, body: unknown[]): void
  exportInterface(object: object, path: string, face: object): void
  exportedObjects: Record<string, unknown>
}

export interface PrivateBus extends AsyncDisposable {
  /** What a program is given as the address of the system bus. */
  readonly address: string
  /** Joins it, by a codec that is not the driver's. */
  join(): Promise<Peer & AsyncDisposable>
  /** How many have it open besides those that joined here. */
  strangers(): Promise<number>
  /** As when the computer is shut down. */
  stop(): Promise<void>
}

export interface BusRules {
  /** XML within <policy>: what nobody may do. */
  readonly denied?: string
  readonly mechanism?: 'EXTERNAL' | 'ANONYMOUS'
}

/** `folder` is for its socket, and must have a short name. */
export async function openPrivateBus(
  folder: string,
  { denied = '', mechanism = 'EXTERNAL' }: BusRules = {},
): Promise<PrivateBus> {
  const address = `unix:path=${join(folder, 'bus')}`
  const file = join(folder, 'bus.conf')
  await writeFile(
    file,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
      "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig>
      <type>session</type>
      <listen>${address}</listen>
      <auth>${mechanism}</auth>
      <policy context="default">
        <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>${denied}
      </policy>
    </busconfig>`,
  )
  const daemon = spawn('dbus-daemon', ['--nofork', '--print-address', `--config-file=${file}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = new Promise<void>((resolve) => daemon.once('close', () => resolve()))
  const absent = once(daemon, 'error').then(([cause]) => {
    throw new KedgeError('SENSOR_ABSENT', 'there is no dbus-daemon on this machine', {
      cause,
      hint: 'Install the package dbus-daemon.',
    })
  })
  const lines = createInterface({ input: daemon.stdout })
  await Promise.race([once(lines, 'line'), absent, exited])

  const joined = new Set<Peer>()
  const join_ = async () => {
    const peer = await connect(address)
    joined.add(peer)
    return Object.assign(peer, {
      async [Symbol.asyncDispose]() {
        joined.delete(peer)
        const { stream } = peer.connection
        if (stream.destroyed) return
        const closed = once(stream, 'close')
        stream.destroy()
        await closed
      },
    })
  }
  const stop = async () => {
    daemon.kill()
    await exited
  }
  return {
    address,
    join: join_,
    stop,
    async strangers() {
      if (daemon.exitCode !== null || daemon.signalCode !== null) return 0
      await using peer = await join_()
      const names = await ask<readonly string[]>(peer, 'ListNames')
      const own = new Set(Array.from(joined, ({ name }) => name))
      return names.filter((name) => name.startsWith(':') && !own.has(name)).length
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** A question to the bus itself. */
export const ask = <Value>(peer: Peer, member: string, signature = '', body: unknown[] = []) =>
  new Promise<Value>((resolve, reject) => {
    peer.invokeDbus({ member, signature, body }, (error, value) =>
      error ? reject(new Error(`${member}: ${JSON.stringify(error)}`)) : resolve(value as Value),
    )
  })

async function connect(busAddress: string): Promise<Peer> {
  // Not known to the type checker: its own types leave out what is used here.
  const name: string = '@homebridge/dbus-native'
  const imported = await import(name)
  const peer: Peer = (imported.default ?? imported).createClient({ busAddress })
  peer.connection.on('error', () => {})
  // It says hello by itself; whatever is asked first is answered after that.
  await ask(peer, 'GetId')
  return peer
}
