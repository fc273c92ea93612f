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

function refusal(path: string, cause: Error): KedgeError {
  const hint = /denied/i.test(cause.message)
    ? 'Put the user of the gateway into the group dialout.'
    : /lock/i.test(cause.message)
      ? 'Another program uses this port: stop it.'
      : 'Check the cable, and the name under /dev/serial/by-id.'
  return new KedgeError('SENSOR_ABSENT', `cannot open ${path}: ${cause.message}`, { cause, hint })
}
