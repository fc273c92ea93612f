/** A connection to the system's message bus, as much of it as listening needs: calls one after the other, then signals. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { named, socketPath, standardAddress } from './dbus-address.ts'
import { byteQueue } from './dbus-arrivals.ts'
import {
  type Call,
  decodeMessage,
  encodeCall,
  headBytes,
  lengthOf,
  type Message,
} from './dbus-messages.ts'
import type { DBusValue } from './dbus-values.ts'

export type Answer =
  | { readonly values: readonly DBusValue[]; readonly error?: undefined }
  /** The name of an error, such as org.bluez.Error.NotReady. */
  | { readonly error: string; readonly text: string }

export interface DBus extends AsyncDisposable {
  /** Signals that arrive meanwhile are kept. */
  call(call: Call): Promise<Answer>
  /** The next signal, or null where none comes in time. */
  signal(withinMs: number): Promise<Message | null>
}

export interface DBusOptions {
  /** Such as `unix:path=/run/dbus/system_bus_socket`; what the environment says if not given. */
  readonly address?: string | undefined
  readonly signal: AbortSignal
  /** A service that systemd must start first may take some seconds. */
  readonly answerMs?: number
}

const maxKept = 256
/** Beyond the end, for who was busy itself and finds its answer behind what came before it. */
const lateMs = 1000

export async function openDBus({ address, signal, answerMs = 25_000 }: DBusOptions): Promise<DBus> {
  const path = socketPath(address ?? process.env.DBUS_SYSTEM_BUS_ADDRESS ?? standardAddress)
  const socket = connect({ path })
  const cut = () => socket.destroy()
  signal.addEventListener('abort', cut)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // The reader is told by the iterator; an error that comes later has no other listener.
  socket.on('error', () => {})
  const close = async () => {
    signal.removeEventListener('abort', cut)
    socket.destroy()
    await closed
  }
  try {
    await once(socket, 'connect', { signal }).catch((cause) => {
      throw refused(path, cause)
    })
    const bus = busOver(socket, path, answerMs)
    await bus.introduce()
    return { call: bus.call, signal: bus.signal, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function busOver(socket: Socket, path: string, answerMs: number) {
  const iterator = socket[Symbol.asyncIterator]()
  const arrived = byteQueue()
  const kept: Message[] = []
  let reading: Promise<IteratorResult<Uint8Array>> | undefined
  /** Of the message that is arriving, once its head is there. */
  let length: number | null = null
  let serial = 0

  /** Waits for more bytes; false where none come in time. */
  async function more(withinMs: number): Promise<boolean> {
    reading ??= iterator.next()
    // Nobody may be waiting any more when the socket is closed.
    reading.catch(() => {})
    const next = await inTime(reading, withinMs).catch((cause) => {
      throw lost(path, cause)
    })
    if (next === null) return false
    reading = undefined
    if (next.done) throw lost(path)
    arrived.push(next.value)
    return true
  }

  async function message(withinMs: number): Promise<Message | null> {
    const endMs = performance.now() + withinMs
    for (;;) {
      const head = length === null ? arrived.peek(headBytes) : null
      if (head) length = lengthOf(head)
      const bytes = length === null ? null : arrived.take(length)
      if (bytes) length = null
      const decoded = bytes && decodeMessage(bytes)
      if (decoded) return decoded
      if (!bytes && !(await more(endMs - performance.now()))) return null
    }
  }

  /** The next message before `endMs`: what keeps coming and is not what one waits for must not hold one up for ever. */
  const messageBy = async (endMs: number) => {
    const leftMs = endMs - performance.now()
    return leftMs < -lateMs ? null : message(leftMs)
  }

  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      socket.write(bytes, (error) => (error ? reject(lost(path, error)) : resolve()))
    })

  async function call(call: Call): Promise<Answer> {
    serial += 1
    await write(encodeCall(serial, call))
    const endMs = performance.now() + answerMs
    for (;;) {
      const said = await messageBy(endMs)
      if (said === null) return { error: 'org.freedesktop.DBus.Error.NoReply', text: '' }
      // Beyond the bound something is lost that silence will tell.
      if (said.type === 'signal' && kept.length < maxKept) kept.push(said)
      if (said.replySerial !== serial) continue
      if (said.type === 'return') return { values: said.body }
      if (said.type !== 'error') continue
      const [text] = said.body
      return { error: said.errorName ?? '', text: typeof text === 'string' ? text : '' }
    }
  }

  return {
    call,
    async signal(withinMs: number): Promise<Message | null> {
      const endMs = performance.now() + withinMs
      for (;;) {
        const said = kept.shift() ?? (await messageBy(endMs))
        if (said === null || said.type === 'signal') return said
      }
    },
    /** Who we are, by the socket's own word for it, and the name that the bus gives in return. */
    async introduce(): Promise<void> {
      const user = Buffer.from(String(process.getuid?.() ?? ''), 'latin1').toString('hex')
      await write(Buffer.from(`\0AUTH EXTERNAL ${user}\r\n`, 'latin1'))
      let line = arrived.line()
      while (line === null) {
        if (!(await more(answerMs))) throw unanswered(path)
        line = arrived.line()
      }
      if (!/^OK [0-9a-f]{32}$/.test(line)) throw notAllowed(path)
      await write(Buffer.from('BEGIN\r\n', 'latin1'))
      const hello = await call({ ...theBus, member: 'Hello' })
      if (hello.error?.endsWith('.NoReply')) throw unanswered(path)
      if (hello.error !== undefined) throw notAllowed(path)
    },
  }
}

/** Where calls to the bus itself go. */
export const theBus = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const

/** Who was busy itself finds the time over before it looks at the socket: a second wait lets it look. */
async function inTime<T>(promise: Promise<T>, withinMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(
      () => {
        timer = setTimeout(() => resolve(null), 20)
      },
      Math.max(0, withinMs),
    )
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function refused(path: string, cause: NodeJS.ErrnoException): KedgeError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM') return notAllowed(path, cause)
  return new KedgeError('SENSOR_ABSENT', `no D-Bus answers at ${named(path)}`, {
    cause,
    hint: 'Install BlueZ, which brings it: apt install bluez.',
  })
}

const notAllowed = (path: string, cause?: unknown) =>
  new KedgeError('SENSOR_ABSENT', `the D-Bus at ${named(path)} does not let this user in`, {
    cause,
    hint: 'Let the gateway run as a user who may use the system bus.',
  })

const lost = (path: string, cause?: unknown) =>
  new KedgeError('SENSOR_ABSENT', `the D-Bus at ${named(path)} was closed`, {
    cause,
    hint: 'See systemctl status dbus.',
  })

const unanswered = (path: string) =>
  new KedgeError('SENSOR_ABSENT', `the D-Bus at ${named(path)} does not answer`, {
    hint: 'See systemctl status dbus.',
  })
