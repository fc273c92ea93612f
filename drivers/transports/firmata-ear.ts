/** The beginning of a conversation with a Firmata board, and what is heard in it. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { within } from './deadline.ts'
import {
  firmataFrames,
  queryFirmware,
  reportVersion,
  sysexEnd,
  sysexStart,
  systemReset,
} from './firmata-frames.ts'
import type { Board, HeldBoard } from './johnny-five.ts'

/** What a board said; `alive` answers `ask`. */
export type FirmataEvent =
  | {
      readonly what: 'counts'
      readonly channel: number
      readonly counts: number
      readonly bytes: Uint8Array
    }
  | { readonly what: 'level'; readonly pin: number; readonly isHigh: boolean }
  | { readonly what: 'alive' }

type Refuse = (reason: string, bytes: Uint8Array) => void

export const askFirmware = Uint8Array.of(sysexStart, queryFirmware, sysexEnd)
const askEveryMs = 1000

/** What arrives, and null when nothing did for so long. */
export async function* chunksOf(
  chunks: AsyncIterator<Uint8Array>,
  quietMs: () => number,
): AsyncGenerator<Uint8Array | null> {
  for (;;) {
    const next = chunks.next()
    // Whoever lets go in the middle of a wait does not hear of it.
    next.catch(() => {})
    let chunk = await within(quietMs(), next)
    for (; chunk === null; chunk = await within(quietMs(), next)) yield null
    if (chunk.done) return
    yield chunk.value
  }
}

/** Gives the package only what is whole, and what it can take at this moment. */
export function earOf({ board, give }: HeldBoard, port: string, refuse: Refuse) {
  const split = firmataFrames()
  const seen = new Set<string>()
  let said: FirmataEvent[] = []
  let bytes: Uint8Array = new Uint8Array()
  let isReady = false
  let faults = 0
  board.once('ready', () => {
    isReady = true
  })

  /** A second list of pins would be added to the first; and an earlier program may have left reports switched on. */
  const isWanted = (what: string): boolean => {
    if (what === 'analog' || what === 'digital') return isReady
    if (what === 'version' || what === 'firmware') return !isReady
    const isFirst = !seen.has(what)
    seen.add(what)
    return isFirst
  }

  return {
    isReady: () => isReady,
    faults: () => faults,
    counts: (channel: number, counts: number) =>
      void said.push({ what: 'counts', channel, counts, bytes }),
    level: (pin: number, isHigh: boolean) => void said.push({ what: 'level', pin, isHigh }),
    hear(chunk: Uint8Array): readonly FirmataEvent[] {
      for (const message of split(chunk)) {
        bytes = message.bytes
        if (message.what === 'fault') {
          faults++
          refuse(message.reason, bytes)
          continue
        }
        if (message.what === 'version' && isReady) throw restarted(port)
        if (message.what === 'firmware' && isReady) said.push({ what: 'alive' })
        if (isWanted(message.what)) give(bytes)
      }
      const heard = said
      said = []
      return heard
    },
  }
}

export async function shakeHands(
  { port, silentMs }: { readonly port: string; readonly silentMs: number },
  chunks: AsyncIterator<Uint8Array>,
  ear: ReturnType<typeof earOf>,
  { signal, write, board }: { signal: AbortSignal; write(bytes: Uint8Array): void; board: Board },
): Promise<void> {
  const endMs = performance.now() + silentMs
  // It may still be in its boot loader, and hear nothing of the first question.
  const ask = () => {
    if (!board.io.versionReceived) write(Uint8Array.of(reportVersion, ...askFirmware))
  }
  write(Uint8Array.of(systemReset))
  ask()
  let askedMs = performance.now()
  for await (const chunk of chunksOf(chunks, () =>
    Math.min(askEveryMs, endMs - performance.now()),
  )) {
    if (chunk !== null) ear.hear(chunk)
    if (ear.isReady()) return
    const nowMs = performance.now()
    if (nowMs >= endMs) throw noHandshake(port, ear.faults())
    if (nowMs - askedMs < askEveryMs) continue
    askedMs = nowMs
    ask()
  }
  signal.throwIfAborted()
}

const firmwareHint = 'Load StandardFirmata into the board: Examples, Firmata in the Arduino IDE.'

const noHandshake = (port: string, faults: number) =>
  faults > 0
    ? new KedgeError('SENSOR_GARBLED', `${port} says something, but it is not Firmata`, {
        hint: `Check baudRate. ${firmwareHint}`,
      })
    : new KedgeError('SENSOR_ABSENT', `no Firmata board answers at ${port}`, { hint: firmwareHint })

const restarted = (port: string) =>
  new KedgeError('SENSOR_ABSENT', `the board at ${port} was restarted`, {
    hint: 'Check its power supply.',
  })
