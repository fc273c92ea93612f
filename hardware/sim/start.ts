/** Starts the simulated devices in a process of their own, so that they are as far away as real ones. */
import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { PortMeans } from './device-port.ts'
import { linksIn, takeLink } from './link.ts'
import type { Beginning, FromSimulators, Ready, ToSimulators } from './messages.ts'
import { fridgeAddress, takeSensor } from './one-wire.ts'
import type { Scenario } from './scenario.ts'

interface SimulatorOptions {
  /** Gets `dev/uhf`, `dev/gnss`, `w1/` and `gpio/`. */
  readonly folder: string
  /** Aborted, the devices go away. */
  readonly signal: AbortSignal
  readonly onSay: (line: string) => void
  /** What happens to them once `play` is called. */
  readonly scenario?: Scenario | null
  /** Which tags come when, and how the temperature wanders. */
  readonly seed?: number
  /** What serial ports are made of; the best that this machine has if not given. */
  readonly means?: PortMeans
}

interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

export interface Simulators extends AsyncDisposable {
  readonly pid: number
  /** Paths of the stable links, or `tcp://127.0.0.1:PORT`. */
  readonly ports: { readonly uhf: string; readonly gnss: string }
  /** Folder of the 1-Wire bus. */
  readonly w1: string
  /** What the serial ports are made of, in one line. */
  readonly transport: string
  /** From now on the wearable speaks to this broker. */
  publishTo(brokerUrl: string): void
  /** The scenario begins. */
  play(): void
  /** Never rejects. */
  readonly ended: Promise<Ended>
}

/** Comes back when every device is there; rejects when they cannot be, or `signal` is aborted before. */
export async function startSimulators(options: SimulatorOptions): Promise<Simulators> {
  const { folder, signal, onSay, scenario = null, seed = 1, means = null } = options
  signal.throwIfAborted()
  // By its path, so that it is found from any folder.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), [], {
    execArgv: ['--import', tsx],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4096)
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  let isAsked = false
  const stop = async () => {
    isAsked = true
    signal.removeEventListener('abort', onAbort)
    if (child.connected) child.disconnect()
    const late = setTimeout(() => child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(late)
  }
  const onAbort = () => void stop()
  signal.addEventListener('abort', onAbort)
  void ended.then(({ code, signal }) => {
    // Killed, they leave a thermometer that shows its last value for ever, and names of terminals
    // that the next one who opens a terminal will get.
    takeSensor(`${folder}/w1`, fridgeAddress)
    for (const link of linksIn(folder)) takeLink(link)
    if (isAsked) return
    onSay(`the simulators ended by themselves (${code ?? signal}) ${lastOf(complaint)}`)
  })

  try {
    const { pid } = child
    const ready = await begin(child, ended, onSay, { folder, seed, broker: null, scenario, means })
    signal.throwIfAborted()
    if (pid === undefined) throw failed('no process')
    onSay(ready.transport)
    return {
      ...ready,
      pid,
      publishTo: (broker) => send(child, { broker }),
      play: () => send(child, { play: true }),
      ended,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    signal.throwIfAborted()
    throw error
  }
}

function begin(
  child: ChildProcess,
  ended: Promise<Ended>,
  onSay: (line: string) => void,
  beginning: Beginning,
): Promise<Ready> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromSimulators) => {
      if ('say' in message) onSay(message.say)
      else if ('ready' in message) resolve(message.ready)
      else reject(failed(message.failed))
    })
    void ended.then(() => reject(failed('their process ended')))
    send(child, { begin: beginning })
  })
}

/** A child that is just ending hears nothing more, which `ended` tells. */
const send = (child: ChildProcess, message: ToSimulators) =>
  void (child.connected && child.send(message, () => {}))

const failed = (why: string) =>
  new KedgeError('SENSOR_ABSENT', `the simulated devices did not start: ${why}`)

const lastOf = (text: string) => text.trim().split('\n').at(-1) ?? ''
