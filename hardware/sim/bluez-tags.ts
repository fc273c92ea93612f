/** Thermometers that advertise: the bytes of a RuuviTag, of a Xiaomi with pvvx's firmware, and of a BTHome v2 device. */
import { createCipheriv } from 'node:crypto'

export interface Climate {
  readonly celsius: number
  readonly humidity: number
}

const addressBytes = (address: string) => Buffer.from(address.replaceAll(':', ''), 'hex')

/** Manufacturer data of company 0x0499: format 5, big-endian. */
export function ruuviBytes(address: string, sequence: number, climate: Climate | null): Uint8Array {
  const bytes = Buffer.alloc(24, 0xff)
  bytes[0] = 5
  bytes.writeInt16BE(climate ? Math.round(climate.celsius * 200) : -0x8000, 1)
  if (climate) bytes.writeUInt16BE(Math.round(climate.humidity * 400), 3)
  bytes.writeUInt16BE(101_325 - 50_000, 5)
  for (const at of [7, 9, 11]) bytes.writeInt16BE(at === 11 ? 1000 : 0, at)
  bytes.writeUInt16BE(((2977 - 1600) << 5) | ((4 + 40) / 2), 13)
  bytes[15] = 0
  bytes.writeUInt16BE(sequence % 65_535, 16)
  addressBytes(address).copy(bytes, 18)
  return Uint8Array.from(bytes)
}

/** Service data of 181A: pvvx's own form, little-endian. */
export function pvvxBytes(address: string, counter: number, climate: Climate): Uint8Array {
  const bytes = Buffer.alloc(15)
  addressBytes(address).reverse().copy(bytes)
  bytes.writeInt16LE(Math.round(climate.celsius * 100), 6)
  bytes.writeUInt16LE(Math.round(climate.humidity * 100), 8)
  bytes.writeUInt16LE(2950, 10)
  bytes[12] = 78
  bytes[13] = counter % 256
  return Uint8Array.from(bytes)
}

/** What of BTHome is sealed, or stands open behind the byte 0x40. */
export function bthomeObjectsOf(climate: Climate, packet: number | null): Uint8Array {
  const bytes = Buffer.from([0x01, 93, 0x02, 0, 0, 0x03, 0, 0])
  bytes.writeInt16LE(Math.round(climate.celsius * 100), 3)
  bytes.writeUInt16LE(Math.round(climate.humidity * 100), 6)
  return Uint8Array.from(packet === null ? bytes : [0x00, packet % 256, ...bytes])
}

/** Service data of FCD2. */
export const bthomeBytes = (objects: Uint8Array) => Uint8Array.of(0x40, ...objects)

/** The same, sealed by AES-128-CCM under the address of its sender and a counter. */
export function sealedBthomeBytes(
  address: string,
  key: Uint8Array,
  counter: number,
  objects: Uint8Array,
): Uint8Array {
  const count = Buffer.alloc(4)
  count.writeUInt32LE(counter)
  const nonce = Buffer.concat([addressBytes(address), Buffer.from('d2fc41', 'hex'), count])
  const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: 4 })
  const sealed = Buffer.concat([cipher.update(objects), cipher.final()])
  return Uint8Array.from([0x41, ...sealed, ...count, ...cipher.getAuthTag()])
}
