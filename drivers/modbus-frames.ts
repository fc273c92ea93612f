/** Modbus on a wire: RTU with the slave before and a CRC-16 behind, TCP with a header of seven bytes. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'

interface ModbusFrame {
  /** The slave. */
  readonly unit: number
  readonly pdu: Uint8Array
}

interface TcpFrame extends ModbusFrame {
  readonly transaction: number
}

/** The longest frame of either kind. */
const longestFrame = 260

export function rtuFrame({ unit, pdu }: ModbusFrame): Uint8Array {
  const body = Uint8Array.of(unit, ...pdu)
  const crc = modbusCrc16(body)
  return Uint8Array.of(...body, crc & 0xff, crc >> 8)
}

export const tcpFrame = ({ transaction, unit, pdu }: TcpFrame): Uint8Array => {
  const length = pdu.length + 1
  const header = [transaction >> 8, transaction & 0xff, 0, 0, length >> 8, length & 0xff, unit]
  return Uint8Array.of(...header, ...pdu)
}

/** A whole frame; what is none is SENSOR_GARBLED, with the reason, as below. */
export function parseRtu(bytes: Uint8Array): ModbusFrame {
  if (bytes.length < 4) throw garbled(`half a frame: ${bytes.length} bytes`)
  if (bytes.length > 256) throw garbled(`${bytes.length} bytes, more than Modbus allows`)
  const [low = 0, high = 0] = bytes.subarray(-2)
  if (modbusCrc16(bytes.subarray(0, -2)) !== ((high << 8) | low)) {
    throw garbled('bad checksum (CRC-16)')
  }
  return { unit: bytes[0] as number, pdu: bytes.slice(1, -2) }
}

export function parseTcp(bytes: Uint8Array): TcpFrame {
  if (bytes.length < 8) throw garbled(`half a frame: ${bytes.length} bytes`)
  const length = lengthOfTcp(bytes)
  if (length === null) throw garbled('no header of Modbus TCP')
  if (length !== bytes.length)
    throw garbled(`${bytes.length} bytes where the header says ${length}`)
  const [high = 0, low = 0] = bytes
  return { transaction: (high << 8) | low, unit: bytes[6] as number, pdu: bytes.slice(7) }
}

/** What the first six bytes say that the whole frame has; null where they are no header. */
export function lengthOfTcp(bytes: Uint8Array): number | null {
  const [, , protocolHigh, protocolLow, high = 0, low = 0] = bytes
  const length = 6 + ((high << 8) | low)
  const isHeader = protocolHigh === 0 && protocolLow === 0
  return isHeader && length >= 8 && length <= longestFrame ? length : null
}

/** Polynomial 8005, reflected, from all ones. */
export function modbusCrc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
