/** An Arduino that speaks Firmata, on a serial port or TCP. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { openWire } from './any-wire.ts'
import { askFirmware, chunksOf, earOf, type FirmataEvent, shakeHands } from './firmata-ear.ts'
import { boardOver, type HeldBoard } from './johnny-five.ts'

interface FirmataBoard extends AsyncDisposable {
  /** The highest count of its converter: 1023 for 10 bits. */
  readonly mostCounts: number
  /** From now on it says the counts of A0, A1 and so on. */
  reportAnalog(channel: number): void
  reportDigital(pin: number, pull: 'up' | 'none'): void
  /** Time between its reports of counts. */
  sampleEvery(ms: number): void
  /** Something that it must answer. */
  ask(): void
  /** What it says, as it arrives together; nothing at all whenever it was quiet for `quietMs`. */
  events(quietMs: number): AsyncGenerator<readonly FirmataEvent[], void>
}

interface FirmataOptions {
  readonly port: string
  readonly baudRate: number
  readonly silentMs: number
}

const modes = { none: 0x00, up: 0x0b } as const

export async function openFirmata(
  options: FirmataOptions,
  signal: AbortSignal,
  refuse: (reason: string, bytes: Uint8Array) => void,
): Promise<FirmataBoard> {
  const { port } = options
  const wire = await openWire(port, { ...options, signal })
  let held: HeldBoard | null = null
  const close = async () => {
    held?.[Symbol.dispose]()
    await wire[Symbol.asyncDispose]()
  }
  // Whoever reads is told that the wire is gone.
  const write = (bytes: Uint8Array) => void wire.write(bytes).catch(() => {})
  try {
    held = await boardOver(port, write)
    const { board } = held
    const ear = earOf(held, port, refuse)
    // One for all: the wire is read through once.
    const chunks = wire[Symbol.asyncIterator]()
    await shakeHands(options, chunks, ear, { signal, write, board })
    const mostCounts = board.io.RESOLUTION.ADC ?? 1023
    if (!(mostCounts >= 1 && mostCounts <= 16_383)) {
      throw new KedgeError(
        'SENSOR_GARBLED',
        `the board at ${port} has a converter of no known kind`,
      )
    }
    return {
      mostCounts,
      reportAnalog(channel) {
        const { length } = board.io.analogPins
        if (channel >= length) throw noPin(port, `A${channel}`, `it has ${length} analog pins`)
        board.analogRead(channel, (counts) => ear.counts(channel, counts))
      },
      reportDigital(pin, pull) {
        const mode = modes[pull]
        if (!board.io.pins[pin]?.supportedModes.includes(mode)) {
          throw noPin(port, String(pin), 'it cannot read there, or has no resistor')
        }
        board.pinMode(pin, mode)
        board.digitalRead(pin, (level) => ear.level(pin, level === 1))
      },
      // More does not go into its 14 bits, and would be another number.
      sampleEvery: (ms) => board.io.setSamplingInterval(Math.min(Math.max(ms, 10), 16_383)),
      ask: () => write(askFirmware),
      async *events(quietMs) {
        for await (const chunk of chunksOf(chunks, () => quietMs)) {
          yield chunk === null ? [] : ear.hear(chunk)
        }
      },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const noPin = (port: string, pin: string, why: string) =>
  new KedgeError('SENSOR_ABSENT', `the board at ${port} has no such pin ${pin}: ${why}`, {
    hint: 'Check the pins in the configuration against the board.',
  })
