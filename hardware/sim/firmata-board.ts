/** An Arduino Uno with StandardFirmata 2.5 as its serial port sees it: pins, modes, reports and what it says of itself. */
import type { DevicePort } from './device-port.ts'
import type { Spoil } from './spoil.ts'

interface FirmataPeer extends Disposable {
  /** What arrives of each message; null for no fault. */
  spoil(how: Spoil | null): void
  /** Counts at A0 to A5. */
  setCounts(channel: number, counts: number): void
  setPin(pin: number, isHigh: boolean): void
  /** It was switched off and on: it says who it is, and knows no pins any more. */
  restart(): void
  /** Until then it hears nothing, as in its boot loader. */
  deafUntil(ms: number): void
  /** Mode of a pin, as a number of the protocol. */
  modeOf(pin: number): number
  readonly everyMs: number
}

export interface PeerSurroundings {
  /** Of its converter. */
  readonly bits?: number
  readonly firmware?: string
}

const pinCount = 20
const firstAnalog = 14

export function firmataPeer(
  port: DevicePort,
  { bits = 10, firmware = 'StandardFirmata.ino' }: PeerSurroundings = {},
): FirmataPeer {
  const counts = [0, 0, 0, 0, 0, 0]
  const levels: boolean[] = Array(pinCount).fill(false)
  let modes: number[] = []
  let analogReports = new Set<number>()
  let digitalReports = new Set<number>()
  let everyMs = 19
  let timer: NodeJS.Timeout | undefined
  let spoil: Spoil | null = null
  let deafUntilMs = 0
  let said = new Map<number, string>()

  const say = (...bytes: readonly number[]) => {
    const message = Uint8Array.from(bytes)
    port.say(spoil ? spoil(message) : message)
  }
  const system = (...bytes: readonly number[]) => say(240, ...bytes, 247)
  const inSevenBits = (number: number) => [number % 128, Math.floor(number / 128) % 128]

  const tellVersion = () => say(249, 2, 5)
  const tellFirmware = () =>
    system(121, 2, 5, ...Array.from(Buffer.from(firmware), inSevenBits).flat())
  const tellAnalog = (channel: number) => say(224 + channel, ...inSevenBits(counts[channel] ?? 0))
  /** Eight pins in one message; only inputs count. */
  const tellDigital = (eight: number, always: boolean) => {
    let bitsOfPort = 0
    for (let i = 0; i < 8; i++) {
      const pin = eight * 8 + i
      const isInput = modes[pin] === 0 || modes[pin] === 11
      if (isInput && levels[pin]) bitsOfPort += 2 ** i
    }
    const message = [144 + eight, ...inSevenBits(bitsOfPort)]
    if (!always && said.get(eight) === message.join()) return
    said.set(eight, message.join())
    say(...message)
  }
  const tellPins = () => {
    const list: number[] = []
    for (let pin = 0; pin < pinCount; pin++) {
      // The two of the serial line itself are not for use.
      if (pin > 1) list.push(0, 1, 11, 1, 1, 1)
      if ([3, 5, 6, 9, 10, 11].includes(pin)) list.push(3, 8)
      if (pin >= firstAnalog) list.push(2, bits)
      if (pin > 17) list.push(6, 1)
      list.push(127)
    }
    system(108, ...list)
  }
  const tellAnalogMap = () =>
    system(106, ...levels.map((_, pin) => (pin < firstAnalog ? 127 : pin - firstAnalog)))

  const sample = () => {
    for (const channel of [...analogReports].sort()) tellAnalog(channel)
  }
  const sampleEvery = (ms: number) => {
    everyMs = Math.max(1, ms)
    clearInterval(timer)
    timer = setInterval(sample, everyMs)
  }
  const forget = () => {
    // After a reset every analog pin is one, and every other an output.
    modes = levels.map((_, pin) => (pin < firstAnalog ? 1 : 2))
    analogReports = new Set()
    digitalReports = new Set()
    said = new Map()
    sampleEvery(19)
  }
  forget()

  const obeySystem = ([what, ...rest]: readonly number[]) => {
    if (what === 121) tellFirmware()
    if (what === 107) tellPins()
    if (what === 105) tellAnalogMap()
    if (what === 122) sampleEvery((rest[0] ?? 0) + 128 * (rest[1] ?? 0))
  }
  const obey = ([command = 0, first = 0, second = 0]: readonly number[]) => {
    if (command === 255) forget()
    if (command === 249) tellVersion()
    if (command === 244) modes[first] = second
    if (command >= 192 && command < 208) {
      const channel = command - 192
      if (first === 0 || channel >= counts.length) analogReports.delete(channel)
      else {
        analogReports.add(channel)
        tellAnalog(channel)
      }
    }
    if (command >= 208 && command < 224) {
      const eight = command - 208
      if (first === 0 || eight > 2) digitalReports.delete(eight)
      else {
        digitalReports.add(eight)
        tellDigital(eight, true)
      }
    }
  }

  let heard: number[] = []
  const lengthOf = (command: number) =>
    command === 255 || command === 249 ? 1 : command >= 192 && command < 224 ? 2 : 3
  port.listen((bytes) => {
    if (performance.now() < deafUntilMs) return
    for (const byte of bytes) {
      if (byte > 127 && byte !== 247) heard = []
      heard.push(byte)
      const [command = 0] = heard
      if (command < 128) heard = []
      else if (command === 240) {
        if (byte !== 247) continue
        obeySystem(heard.slice(1, -1))
        heard = []
      } else if (heard.length === lengthOf(command)) {
        obey(heard)
        heard = []
      }
    }
  })

  return {
    spoil: (how) => {
      spoil = how
    },
    setCounts: (channel, now) => {
      counts[channel] = now
    },
    setPin: (pin, isHigh) => {
      levels[pin] = isHigh
      const eight = Math.floor(pin / 8)
      if (digitalReports.has(eight)) tellDigital(eight, false)
    },
    restart: () => {
      forget()
      tellVersion()
      tellFirmware()
    },
    deafUntil: (ms) => {
      deafUntilMs = ms
    },
    modeOf: (pin) => modes[pin] ?? 127,
    get everyMs() {
      return everyMs
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
