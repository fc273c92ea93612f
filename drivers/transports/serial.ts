import { read } from 'node:fs'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Wire, type WireOptions, wireOver } from './wire.ts'

export interface SerialOptions extends WireOptions {
  readonly baudRate: number
  readonly parity?: 'none' | 'even' | 'odd'
}

/** A serial port, a USB adapter or a virtual port, 8 data bits, without parity if none is named. */
export async function openSerial(path: string, options: SerialOptions): Promise<Wire> {
  const { SerialPort } = await import('serialport').catch((cause) => {
    throw new KedgeError('SENSOR_ABSENT', 'serial ports need the package serialport', {
      cause,
      hint: 'Run npm ci.',
    })
  })
  const { baudRate, parity = 'none' } = options
  const port = new SerialPort({ path, baudRate, parity, autoOpen: false })
  await new Promise<void>((resolve, reject) => {
    port.open((cause) => (cause ? reject(refusal(path, cause)) : resolve()))
  })
  noticeHangUp(port.port as Binding | undefined)
  const closed = new Promise<void>((resolve) => {
    port.once('close', () => resolve()).once('error', () => resolve())
  })
  // An unplugged port says `close`, and its stream would wait for ever.
  port.once('close', (error: Error | null) => port.destroy(error ?? undefined))
  return wireOver(port, path, options, async () => {
    // The port stays open when its stream ends.
    if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()))
    else await closed
  })
}

/** What serialport reads by. */
interface Binding {
  readonly fd: number | null
  readonly poller: { once(event: 'readable', then: (error: Error | null) => void): void }
  read(
    buffer: Buffer,
    offset: number,
    length: number,
  ): Promise<{ buffer: Buffer; bytesRead: number }>
}

/** Of a port that has hung up there are no bytes, again and again: serialport's own reading would ask for ever. */
function noticeHangUp(binding: Binding | undefined): void {
  if (binding === undefined) return
  const readable = () =>
    new Promise<void>((resolve, reject) => {
      binding.poller.once('readable', (error) => (error ? reject(error) : resolve()))
    })
  binding.read = async (buffer, offset, length) => {
    while (binding.fd !== null) {
      const bytesRead = await readSome(binding.fd, buffer, offset, length)
      if (bytesRead === 0) throw new Error('it has hung up')
      if (bytesRead !== null) return { buffer, bytesRead }
      // Closed meanwhile: to wait for what is closed ends the process.
      if (binding.fd === null) break
      await readable()
    }
    throw canceled()
  }
}

/** Null where there is nothing to be had so far. */
const readSome = (fd: number, buffer: Buffer, offset: number, length: number) =>
  new Promise<number | null>((resolve, reject) => {
    read(fd, buffer, offset, length, null, (error, bytesRead) => {
      if (error === null) resolve(bytesRead)
      else if (error.code === 'EAGAIN' || error.code === 'EINTR') resolve(null)
      else reject(error)
    })
  })

/** As serialport's own says it: we closed it ourselves. */
const canceled = () => Object.assign(new Error('the port is not open'), { canceled: true })

function refusal(path: string, cause: Error): KedgeError {
  const hint = /denied/i.test(cause.message)
    ? 'Put the user of the gateway into the group dialout.'
    : /lock/i.test(cause.message)
      ? 'Another program uses this port: stop it.'
      : 'Check the cable, and the name under /dev/serial/by-id.'
  return new KedgeError('SENSOR_ABSENT', `cannot open ${path}: ${cause.message}`, { cause, hint })
}
