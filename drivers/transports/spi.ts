/** One device on an SPI bus, through the optional package spi-device. */
import { z } from 'zod'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** What is used of the package. */
interface SpiPackage {
  open(bus: number, device: number, options: object, done: (error: unknown) => void): SpiPort
}

interface SpiPort {
  transfer(message: readonly object[], done: (error: unknown) => void): void
  close(done: (error: unknown) => void): void
}

export interface Spi extends AsyncDisposable {
  /** What the chip says while it is told these bytes: as many. */
  transfer(bytes: Uint8Array): Promise<Uint8Array>
}

export interface SpiOptions {
  readonly bus: number
  readonly device: number
  readonly speedHz: number
}

export const spiOptions = ({ speedHz }: { speedHz: number }) => ({
  bus: z.int().min(0).max(255).default(0).describe('Number of the bus: 0 and 0 are /dev/spidev0.0'),
  device: z.int().min(0).max(255).default(0).describe('Number of the device: its chip select'),
  speedHz: z
    .int()
    .min(10_000)
    .max(50_000_000)
    .default(speedHz)
    .describe('Speed of the bus; long wires want less'),
})

export const importSpiDevice = async (): Promise<SpiPackage> => {
  // Not known to the type checker: the package may be absent.
  const name: string = 'spi-device'
  const imported = await import(name).catch((cause) => {
    throw new KedgeError('SENSOR_ABSENT', 'devices on SPI need the package spi-device', {
      cause,
      hint: 'Run npm install spi-device; it needs a C++ compiler.',
    })
  })
  return imported.default ?? imported
}

/** The kernel takes no more in one go. */
const mostBytes = 4096

export async function openSpi(
  load: () => Promise<SpiPackage>,
  { bus, device, speedHz }: SpiOptions,
): Promise<Spi> {
  const spi = await load()
  const path = `/dev/spidev${bus}.${device}`
  const port = await new Promise<SpiPort>((resolve, reject) => {
    const options = { mode: 0, maxSpeedHz: speedHz }
    const opened: SpiPort = spi.open(bus, device, options, (cause) =>
      cause ? reject(refusal(path, cause)) : resolve(opened),
    )
  })
  return {
    async transfer(bytes) {
      if (bytes.length > mostBytes) throw new TypeError(`${bytes.length} bytes are too many`)
      // In memory of its own: the addon writes there while this program goes on.
      const sendBuffer = Buffer.from(bytes)
      const receiveBuffer = Buffer.alloc(bytes.length)
      const one = { sendBuffer, receiveBuffer, byteLength: bytes.length, speedHz }
      await new Promise<void>((resolve, reject) => {
        port.transfer([one], (cause) => (cause ? reject(refusal(path, cause)) : resolve()))
      })
      return Uint8Array.from(receiveBuffer)
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        port.close(() => resolve())
      }),
  }
}

function refusal(path: string, cause: unknown): KedgeError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const hint =
    code === 'EACCES'
      ? 'Put the user of the gateway into the group spi.'
      : 'Switch the bus on: dtparam=spi=on in config.txt.'
  return new KedgeError('SENSOR_ABSENT', `${path} cannot be used: ${code || String(cause)}`, {
    cause,
    hint,
  })
}
