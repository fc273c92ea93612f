/** The device's end of a serial line that does not exist, made from what this machine has. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { openPtyPort } from './pty-port.ts'
import { openSocatPort } from './socat-port.ts'
import { openTcpPort } from './tcp-port.ts'

export const portMeans = ['pty', 'socat', 'tcp'] as const
export type PortMeans = (typeof portMeans)[number]

export interface DevicePort extends AsyncDisposable {
  /** What a program opens: a path, or `tcp://127.0.0.1:PORT`. */
  readonly name: string
  /** Whether a program has it open. */
  isOpen(): boolean
  /** From now on `hear` gets what the program says. */
  listen(hear: (bytes: Uint8Array) => void): void
  /** As on a real line: what nobody listens to, or too slowly, is lost. */
  say(bytes: Uint8Array): void
  /** The program sees its port vanish, as when a cable is drawn. */
  unplug(): Promise<void>
  /** The port is back under the same name. */
  replug(): Promise<void>
}

export interface PortOptions {
  /** Where the stable link stands; TCP needs none. */
  readonly link: string
  /** Told when the port is lost without an `unplug`. */
  readonly onFault: (what: string) => void
}

const openers = { pty: openPtyPort, socat: openSocatPort, tcp: openTcpPort }

const names: Readonly<Record<PortMeans, string>> = {
  pty: 'pseudo-terminals by @lydell/node-pty',
  socat: 'pseudo-terminals by socat',
  tcp: 'TCP on loopback',
}

interface DevicePorts {
  readonly ports: readonly DevicePort[]
  /** What they are made of, and why of nothing better, in one line. */
  readonly transport: string
}

/** Opens every port by the first means that works for all of them, or by the one that was asked for. */
export async function openDevicePorts(
  ports: readonly PortOptions[],
  asked?: PortMeans,
): Promise<DevicePorts> {
  const reasons: string[] = []
  for (const means of asked ? [asked] : portMeans) {
    const opened = await Promise.allSettled(ports.map((port) => openers[means](port)))
    const failure = opened.find((one) => one.status === 'rejected')
    const open = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const why = reasons.length > 0 ? ` (${reasons.join('; ')})` : ''
    if (failure === undefined)
      return { ports: open, transport: `serial ports: ${names[means]}${why}` }
    await Promise.all(open.map((port) => port[Symbol.asyncDispose]()))
    const [reason = ''] = String(failure.reason?.message ?? failure.reason).split('\n')
    reasons.push(`no ${names[means]}: ${reason.slice(0, 120)}`)
  }
  throw new KedgeError('SENSOR_ABSENT', `no serial port can be made (${reasons.join('; ')})`)
}
