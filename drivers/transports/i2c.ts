/** One device on an I²C bus, through the optional package i2c-bus. */
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** What is used of the package. */
interface I2cPackage {
  openPromisified(bus: number): Promise<I2cPort>
}

interface I2cPort {
  i2cWrite(address: number, length: number, buffer: Buffer): Promise<unknown>
  i2cRead(address: number, length: number, buffer: Buffer): Promise<unknown>
  close(): Promise<void>
}

/** What is not acknowledged is tried again until `silentMs` are over, since a busy sensor is as silent as none. */
export interface I2c extends AsyncDisposable {
  write(...bytes: readonly number[]): Promise<void>
  read(length: number): Promise<Uint8Array>
}

interface I2cOptions {
  readonly bus: number
  readonly address: number
  readonly silentMs: number
}

export const i2cOptions = (address: { least: number; most: number }) => ({
  bus: z.int().min(0).max(255).default(1).describe('Number of the bus: 1 is /dev/i2c-1'),
  address: z
    .int()
    .min(address.least)
    .max(address.most)
    .default(address.least)
    .describe('Address on the bus, as `i2cdetect` prints it; 0x44 may be written'),
  silentMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(1000)
    .describe('A sensor that does not answer for so long counts as gone'),
})

export const importI2cBus = async (): Promise<I2cPackage> => {
  // Not known to the type checker: the package may be absent.
  const name: string = 'i2c-bus'
  const imported = await import(name).catch((cause) => {
    throw new KedgeError('SENSOR_ABSENT', 'I²C sensors need the package i2c-bus', {
      cause,
      hint: 'Run npm install i2c-bus; it needs a C++ compiler.',
    })
  })
  return imported.default ?? imported
}

export async function openI2c(
  load: () => Promise<I2cPackage>,
  { bus, address, silentMs }: I2cOptions,
  signal: AbortSignal,
): Promise<I2c> {
  const { openPromisified } = await load()
  const device = `0x${address.toString(16)} on /dev/i2c-${bus}`
  const port = await openPromisified(bus).catch((cause) => {
    throw refusal(device, cause)
  })

  /** The kernel ends a transfer by itself; the port must not be closed under it. */
  async function transfer(run: () => Promise<unknown>): Promise<void> {
    const endMs = performance.now() + silentMs
    for (;;) {
      try {
        await run()
        return
      } catch (cause) {
        if (!isSilence(cause) || performance.now() > endMs) throw refusal(device, cause)
      }
      await setTimeout(5, undefined, { signal })
    }
  }

  return {
    write: (...bytes) => transfer(() => port.i2cWrite(address, bytes.length, Buffer.from(bytes))),
    async read(length) {
      const buffer = Buffer.alloc(length)
      await transfer(() => port.i2cRead(address, length, buffer))
      return Uint8Array.from(buffer)
    },
    [Symbol.asyncDispose]: () => port.close(),
  }
}

const isSilence = (error: unknown) =>
  ['EREMOTEIO', 'ENXIO', 'EIO', 'ETIMEDOUT', 'EAGAIN'].includes(codeOf(error))

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException)?.code ?? ''

function refusal(device: string, cause: unknown): KedgeError {
  const hint =
    codeOf(cause) === 'EACCES'
      ? 'Put the user of the gateway into the group i2c.'
      : isSilence(cause)
        ? 'Check the wiring and the address with i2cdetect -y BUS.'
        : 'Switch the bus on: dtparam=i2c_arm=on in config.txt.'
  return new KedgeError('SENSOR_ABSENT', `no sensor answers at ${device}`, { cause, hint })
}
