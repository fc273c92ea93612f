/** A UHF reader module: answers commands of the M100 protocol with the tags before its antenna. */
import type { DevicePort } from './device-port.ts'
import type { Spoil } from './spoil.ts'

interface UhfReader extends Disposable {
  /** What arrives instead of what it says; null for no fault. */
  spoil(how: Spoil | null): void
  /** What it was told to keep to: codes as they came. */
  readonly settings: { region: number | null; power: number | null }
}

interface UhfSurroundings {
  inField(): readonly Uint8Array[]
  random(): number
}

const answer = 0x01
const notice = 0x02
const failure = 0xff
const noTag = 0x15
const unknownCommand = 0x17

export function uhfReader(port: DevicePort, { inField, random }: UhfSurroundings): UhfReader {
  const settings: UhfReader['settings'] = { region: null, power: null }
  let spoil: Spoil | null = null
  let heard: number[] = []
  let round: NodeJS.Timeout | undefined

  const say = (...frame: Parameters<typeof frameOf>) => {
    const bytes = frameOf(...frame)
    port.say(spoil ? spoil(bytes) : bytes)
  }
  const inventory = () => {
    const tags = inField()
    for (const epc of tags) say(notice, 0x22, noticeOf(epc, -45 - Math.floor(random() * 25)))
    if (tags.length === 0) say(answer, failure, [noTag])
  }
  const stop = () => clearInterval(round)
  const obey = (code: number, [first = 0, second = 0, third = 0]: readonly number[]) => {
    switch (code) {
      case 0x03:
        return say(answer, code, [first, ...Buffer.from(versions[first] ?? '', 'latin1')])
      case 0x07:
        settings.region = first
        return say(answer, code, [0])
      case 0x08:
        return say(answer, code, [settings.region ?? 1])
      case 0x22:
        return inventory()
      case 0x27: {
        let left = (second << 8) | third
        stop()
        round = setInterval(() => (left-- > 0 ? inventory() : stop()), 50)
        return
      }
      case 0x28:
        stop()
        return say(answer, code, [0])
      case 0xb6:
        settings.power = (first << 8) | second
        return say(answer, code, [0])
      case 0xb7:
        return say(answer, code, [(settings.power ?? 2000) >> 8, (settings.power ?? 2000) & 0xff])
      default:
        return say(answer, failure, [unknownCommand])
    }
  }
  port.listen((bytes) => {
    heard.push(...bytes)
    for (;;) {
      const start = heard.indexOf(0xbb)
      heard = start < 0 ? [] : heard.slice(start)
      const length = 7 + (((heard[3] ?? 0) << 8) | (heard[4] ?? 0))
      if (heard.length < 7 || (length <= 64 && heard.length < length)) return
      const command = heard.slice(0, length)
      const isWhole = length <= 64 && command.at(-1) === 0x7e && command[1] === 0
      const isRight = isWhole && checksum(command.slice(1, -2)) === command.at(-2)
      heard = heard.slice(isRight ? length : 1)
      if (isRight) obey(command[2] ?? 0, command.slice(5, -2))
    }
  })
  return {
    settings,
    spoil: (how) => {
      spoil = how
    },
    [Symbol.dispose]: stop,
  }
}

/** The fault of a single bit in the checksum of a frame. */
export const badChecksum: Spoil = (frame) => frame.with(-2, (frame.at(-2) ?? 0) ^ 1)

const versions = ['M100 V1.00', 'V2.3.5', 'KEDGE SIMULATOR']

export function frameOf(type: number, code: number, parameters: readonly number[]): Uint8Array {
  const body = [type, code, parameters.length >> 8, parameters.length & 0xff, ...parameters]
  return Uint8Array.from([0xbb, ...body, checksum(body), 0x7e])
}

function checksum(body: readonly number[]): number {
  let total = 0
  for (const byte of body) total += byte
  return total % 256
}

/** Signal in dBm, protocol control word, EPC, and the checksum that the tag itself sent. */
function noticeOf(epc: Uint8Array, dbm: number): readonly number[] {
  const sent = [(epc.length / 2) << 3, 0, ...epc]
  const crc = gen2Crc(sent)
  return [dbm & 0xff, ...sent, crc >> 8, crc & 0xff]
}

/** CRC-16 of the air interface, by the byte: polynomial 1021, from FFFF, inverted at the end. */
function gen2Crc(bytes: readonly number[]): number {
  let crc = 0xffff
  for (const byte of bytes) {
    let high = (crc >> 8) ^ byte
    high ^= high >> 4
    crc = ((crc << 8) ^ (high << 12) ^ (high << 5) ^ high) & 0xffff
  }
  return crc ^ 0xffff
}
