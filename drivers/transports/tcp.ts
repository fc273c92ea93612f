import { once } from 'node:events'
import { connect } from 'node:net'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Wire, type WireOptions, wireOver } from './wire.ts'

/** A device behind `tcp://host:port`: a serial server, or a receiver with a network socket. */
export async function openTcp(address: string, options: WireOptions): Promise<Wire> {
  const { hostname, port } = new URL(address)
  // An IPv6 address stands in brackets in a URL only.
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect({ host, port: Number(port), noDelay: true, keepAlive: true })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const tooLate = () => socket.destroy(new Error(`no connection within ${options.silentMs} ms`))
  const deadline = setTimeout(tooLate, options.silentMs)
  try {
    await once(socket, 'connect', { signal: options.signal })
  } catch (cause) {
    socket.destroy()
    throw new KedgeError('SENSOR_ABSENT', `nothing answers at ${address}`, {
      cause,
      hint: 'Check the address, and that the device is switched on.',
    })
  } finally {
    clearTimeout(deadline)
  }
  return wireOver(socket, address, options, () => closed)
}
