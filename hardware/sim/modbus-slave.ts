/** A transmitter that speaks Modbus: it answers what it is asked for, by RTU or TCP, and says what it cannot. */
import type { DevicePort } from './device-port.ts'
import type { Spoil } from './spoil.ts'

interface ModbusSlave {
  /** What arrives instead of what it says; null for no fault. */
  spoil(how: Spoil | null): void
  /** Function codes that it was asked with. */
  readonly asked: readonly number[]
}

interface SlaveSurroundings {
  readonly framing: 'rtu' | 'tcp'
  /** By number of the slave, then of the function, then of the address: 16 bits, or 0 and 1. */
  readonly memory: Readonly<
    Record<number, Readonly<Record<number, Readonly<Record<number, number>>>>>
  >
}

const unknownFunction = 1
const unknownAddress = 2
const unknownValue = 3

export function modbusSlave(port: DevicePort, { framing, memory }: SlaveSurroundings): ModbusSlave {
  let spoil: Spoil | null = null
  let heard = Buffer.alloc(0)
  const asked: number[] = []

  const reply = (slave: number, question: Buffer): Buffer | null => {
    const holds = memory[slave]
    const code = question[0] ?? 0
    if (holds === undefined) return null
    asked.push(code)
    const fails = (why: number) => Buffer.of(code + 128, why)
    const cells = holds[code]
    if (cells === undefined || code < 1 || code > 4) return fails(unknownFunction)
    const [first, count] = [question.readUInt16BE(1), question.readUInt16BE(3)]
    if (count === 0 || count > (code < 3 ? 2000 : 125)) return fails(unknownValue)
    const values: number[] = []
    for (let at = first; at < first + count; at++) {
      const value = cells[at]
      if (value === undefined) return fails(unknownAddress)
      values.push(value)
    }
    return Buffer.concat([Buffer.of(code), code < 3 ? packed(values) : words(values)])
  }

  port.listen((bytes) => {
    heard = Buffer.concat([heard, bytes]).subarray(-1024)
    // Both forms of a question to read have a fixed length.
    const length = framing === 'rtu' ? 8 : 12
    while (heard.length >= length) {
      const question = heard.subarray(0, length)
      const isRight =
        framing === 'rtu'
          ? crcByTable(question.subarray(0, 6)) === question.readUInt16LE(6)
          : question.readUInt32BE(2) === 6
      heard = heard.subarray(isRight ? length : 1)
      if (!isRight) continue
      const slave = question[framing === 'rtu' ? 0 : 6] ?? 0
      const said = reply(slave, framing === 'rtu' ? question.subarray(1, 6) : question.subarray(7))
      if (said === null) continue
      const framed = framing === 'rtu' ? onSerial(slave, said) : onNetwork(question, said)
      port.say(spoil ? spoil(framed) : framed)
    }
  })
  return {
    asked,
    spoil: (how) => {
      spoil = how
    },
  }
}

/** One bit of the checksum of an RTU frame fell over. */
export const badChecksum: Spoil = (frame) => frame.with(-1, (frame.at(-1) ?? 0) ^ 0x40)

/** Another transaction of Modbus TCP than the one that was asked. */
export const otherTransaction: Spoil = (frame) => frame.with(0, (frame[0] ?? 0) ^ 0x80)

export function onSerial(slave: number, said: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.of(slave), said])
  const crc = Buffer.alloc(2)
  crc.writeUInt16LE(crcByTable(body))
  return Uint8Array.from(Buffer.concat([body, crc]))
}

function onNetwork(question: Buffer, said: Buffer): Uint8Array {
  const header = Buffer.from(question.subarray(0, 7))
  header.writeUInt16BE(said.length + 1, 4)
  return Uint8Array.from(Buffer.concat([header, said]))
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(1 + values.length * 2)
  bytes[0] = values.length * 2
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 1 + i * 2)
  return bytes
}

function packed(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(1 + Math.ceil(values.length / 8))
  bytes[0] = bytes.length - 1
  for (const [i, value] of values.entries()) {
    const at = 1 + Math.floor(i / 8)
    bytes[at] = (bytes[at] ?? 0) + value * 2 ** (i % 8)
  }
  return bytes
}

/** A byte at a time, by the table that serial-line guides print. */
const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let entry = byte
  for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ ((entry % 2) * 0xa001)
  return entry
})

function crcByTable(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) % 256] ?? 0)
  return crc
}
