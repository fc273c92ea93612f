/** The far side of bus-shim.c: buses and chips for programs that run the real packages i2c-bus and spi-device. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { endianness } from 'node:os'
import type { I2cChip } from './i2c-bus.ts'

/** What a chip on SPI answers while these bytes are clocked in, from one selection to the next. */
export interface SpiChip {
  exchange(sent: Uint8Array): Uint8Array
  /** Mode and speed that it was last spoken to with. */
  heard(mode: number, speedHz: number): void
}

export interface BusServer extends AsyncDisposable {
  readonly socketPath: string
  putI2c(bus: number, chips: Readonly<Record<number, I2cChip>>): void
  putSpi(bus: number, device: number, chip: SpiChip): void
  /** How often a device node is open. */
  opened(path: string): number
  /** The node is gone for those who have it open, and for whoever comes. */
  unplug(path: string): void
  replug(path: string): void
}

/** As Linux numbers them. */
const errors = { ENOENT: -2, EINVAL: -22, EOPNOTSUPP: -95, EREMOTEIO: -121 }

export async function openBusServer(socketPath: string): Promise<BusServer> {
  const i2c = new Map<string, Readonly<Record<number, I2cChip>>>()
  const spi = new Map<string, SpiChip>()
  const gone = new Set<string>()
  const open = new Map<Socket, string>()

  const answer = (socket: Socket, what: number, question: Buffer): Buffer | number => {
    if (what === 1) {
      const path = question.toString()
      if (gone.has(path) || !(i2c.has(path) || spi.has(path))) return errors.ENOENT
      open.set(socket, path)
      return 0
    }
    const path = open.get(socket) ?? ''
    if (what === 2) return transferI2c(i2c.get(path), question)
    if (what === 3) return transferSpi(spi.get(path), question)
    return errors.EOPNOTSUPP
  }

  const server = createServer((socket) => {
    let heard = Buffer.alloc(0)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    socket.on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes])
      while (heard.length >= 5 && heard.length >= 5 + heard.readUInt32LE(1)) {
        const length = heard.readUInt32LE(1)
        const said = answer(socket, heard.readUInt8(0), heard.subarray(5, 5 + length))
        heard = heard.subarray(5 + length)
        const bytesSaid = typeof said === 'number' ? Buffer.alloc(0) : said
        const head = Buffer.alloc(8)
        head.writeInt32LE(typeof said === 'number' ? said : 0, 0)
        head.writeUInt32LE(bytesSaid.length, 4)
        socket.write(Buffer.concat([head, bytesSaid]))
      }
    })
  })
  if (endianness() !== 'LE') throw new TypeError('the shim speaks in the order of its machine')
  server.listen(socketPath)
  await once(server, 'listening')

  return {
    socketPath,
    putI2c: (bus, chips) => void i2c.set(`/dev/i2c-${bus}`, chips),
    putSpi: (bus, device, chip) => void spi.set(`/dev/spidev${bus}.${device}`, chip),
    opened: (path) => [...open.values()].filter((one) => one === path).length,
    unplug(path) {
      gone.add(path)
      for (const [socket, at] of open) if (at === path) socket.destroy()
    },
    replug: (path) => void gone.delete(path),
    async [Symbol.asyncDispose]() {
      for (const socket of open.keys()) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** One transfer from start to stop; a chip that does not acknowledge ends it. */
function transferI2c(
  chips: Readonly<Record<number, I2cChip>> | undefined,
  question: Buffer,
): Buffer | number {
  const count = question.readUInt32LE(0)
  const read: Uint8Array[] = []
  let at = 4
  for (let i = 0; i < count; i++) {
    const [address, flags, length] = [0, 2, 4].map((more) => question.readUInt16LE(at + more))
    at += 6
    const chip = chips?.[address ?? 0]
    if (chip === undefined || length === undefined) return errors.EREMOTEIO
    if (((flags ?? 0) & 1) === 1) {
      const said = chip.read(length)
      if (said === null) return errors.EREMOTEIO
      // Whoever asks for more than the chip has reads a bus that is pulled up.
      const padded = new Uint8Array(length).fill(0xff)
      padded.set(said.subarray(0, length))
      read.push(padded)
    } else {
      if (!chip.write(Uint8Array.from(question.subarray(at, at + length)))) return errors.EREMOTEIO
      at += length
    }
  }
  return Buffer.concat(read)
}

/** Parts of one message: the chip stays selected from one to the next unless it is let go. */
function transferSpi(chip: SpiChip | undefined, question: Buffer): Buffer | number {
  if (chip === undefined) return errors.EINVAL
  const [mode, count] = [question.readUInt8(0), question.readUInt32LE(1)]
  const said: Uint8Array[] = []
  let selected: Uint8Array[] = []
  let at = 5
  for (let i = 0; i < count; i++) {
    const [speedHz, length] = [question.readUInt32LE(at), question.readUInt32LE(at + 4)]
    const isLetGo = question.readUInt8(at + 9) === 1 || i === count - 1
    if (question.readUInt8(at + 8) !== 8) return errors.EINVAL
    selected.push(question.subarray(at + 10, at + 10 + length))
    at += 10 + length
    chip.heard(mode, speedHz)
    if (!isLetGo) continue
    said.push(chip.exchange(Uint8Array.from(Buffer.concat(selected))))
    selected = []
  }
  return Buffer.concat(said)
}
