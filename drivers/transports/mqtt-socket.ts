/** The way to a broker, TCP or TLS, as the stream of an MQTT client: publications come cut, acknowledgements wait. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { isIP, connect as overTcp, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as overTls } from 'node:tls'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { openMqttFrames } from './mqtt-frames.ts'
import { privateFile } from './secret.ts'

export interface BrokerAddress {
  readonly url: string
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export async function connectToBroker(
  { url, ca, cert, key }: BrokerAddress,
  { signal, patienceMs }: { readonly signal: AbortSignal; readonly patienceMs: number },
): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url)
  const isTls = protocol === 'mqtts:'
  // An IPv6 address stands in brackets in a URL only.
  const host = hostname.replace(/^\[|\]$/g, '')
  const to = { host, port: Number(port) || (isTls ? 8883 : 1883) }
  const socket = isTls
    ? overTls({
        ...to,
        // A name in a certificate is never an address.
        ...(isIP(host) === 0 && { servername: host }),
        ...(ca && { ca: await readPublic(ca) }),
        ...(cert && { cert: await readPublic(cert) }),
        ...(key && { key: await privateFile(key, 'key') }),
      })
    : overTcp({ ...to, noDelay: true, keepAlive: true })
  const tooLate = () => socket.destroy(new Error(`no connection within ${patienceMs} ms`))
  const deadline = setTimeout(tooLate, patienceMs)
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect', { signal })
    return socket
  } catch (cause) {
    socket.destroy()
    const { message, code } = cause as NodeJS.ErrnoException
    throw new KedgeError('SENSOR_ABSENT', `no MQTT broker answers at ${url}: ${code ?? message}`, {
      cause,
      hint: isTls
        ? 'Check the address, and ca: the broker must show a certificate that it signed for this name.'
        : 'Check the address, and that the broker runs.',
    })
  } finally {
    clearTimeout(deadline)
  }
}

async function readPublic(path: string): Promise<Buffer> {
  return readFile(path).catch((cause) => {
    throw new KedgeError('SENSOR_ABSENT', `cannot read ${path}: ${cause.code}`, {
      cause,
      hint: 'Check ca and cert of the device.',
    })
  })
}

interface BrokerStream extends Duplex {
  /** Sends the acknowledgement that was held back. */
  acknowledge(id: number): void
}

/** What the client acknowledges goes to the broker only by `acknowledge`. */
export function brokerStream(socket: Socket, maxBytes: number): BrokerStream {
  const incoming = openMqttFrames(maxBytes)
  const outgoing = openMqttFrames(maxBytes)
  const duplex = new Duplex({
    read: () => void socket.resume(),
    write(chunk, _, done) {
      const frames = outgoing.feed(chunk).filter(([first]) => first !== acknowledgement)
      if (frames.length === 0) done()
      else socket.write(Buffer.concat(frames), done)
    },
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', (chunk) => {
    try {
      for (const frame of incoming.feed(chunk)) if (!duplex.push(frame)) socket.pause()
    } catch (error) {
      duplex.destroy(error as Error)
    }
  })
  socket.once('end', () => duplex.push(null))
  socket.on('error', (error) => duplex.destroy(error))
  socket.once('close', () => duplex.destroy())
  return Object.assign(duplex, {
    acknowledge(id: number) {
      if (socket.writable) socket.write(Buffer.of(acknowledgement, 2, id >> 8, id & 0xff))
    },
  })
}

/** The first byte of PUBACK. */
const acknowledgement = 0x40
