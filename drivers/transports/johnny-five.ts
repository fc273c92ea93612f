/** The package johnny-five on a port of ours: it opens nothing, prints nothing, listens to no signal and ends no program. */
import { EventEmitter } from 'node:events'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** What is used of the package. */
export interface Board extends EventEmitter {
  readonly timer: NodeJS.Timeout | null
  readonly io: FirmataIo
  pinMode(pin: number, mode: number): void
  analogRead(channel: number, listener: (counts: number) => void): void
  digitalRead(pin: number, listener: (level: number) => void): void
}

interface FirmataIo extends EventEmitter {
  readonly reportVersionTimeoutId: NodeJS.Timeout | undefined
  readonly versionReceived: boolean
  readonly analogPins: readonly number[]
  readonly pins: readonly { readonly supportedModes: readonly number[] }[]
  readonly RESOLUTION: { readonly ADC: number | null }
  setSamplingInterval(ms: number): void
}

export interface HeldBoard extends Disposable {
  readonly board: Board
  /** One whole message of the board. */
  give(bytes: Uint8Array): void
}

/** A board that writes with `write`. */
export async function boardOver(
  path: string,
  write: (bytes: Uint8Array) => void,
): Promise<HeldBoard> {
  const { Board } = await importJohnnyFive()
  const { cache } = Board
  const port = Object.assign(new EventEmitter(), {
    path,
    write: (bytes: Uint8Array | readonly number[]) => write(Uint8Array.from(bytes)),
  })
  const board = new Board({ port, repl: false, debug: false, sigint: false })
  board.on('error', () => {})
  // Deadlines and questions are ours.
  if (board.timer) clearTimeout(board.timer)
  clearTimeout(board.io.reportVersionTimeoutId)
  return {
    board,
    give(bytes) {
      try {
        port.emit('data', bytes)
      } catch (cause) {
        throw new KedgeError('SENSOR_GARBLED', 'the board contradicts itself about its pins', {
          cause,
        })
      }
    },
    [Symbol.dispose]() {
      board.io.removeAllListeners()
      board.removeAllListeners()
      port.removeAllListeners()
      // The package keeps every board that there ever was.
      const at = cache.indexOf(board)
      if (at >= 0) cache.splice(at, 1)
    },
  }
}

interface JohnnyFive {
  readonly Board: { new (options: object): Board; readonly cache: Board[] }
}

async function importJohnnyFive(): Promise<JohnnyFive> {
  // Without types of its own.
  const name: string = 'johnny-five'
  const imported = await import(name).catch((cause) => {
    throw new KedgeError('SENSOR_ABSENT', 'Firmata boards need the package johnny-five', {
      cause,
      hint: 'Run npm ci.',
    })
  })
  return imported.default ?? imported
}
