/** A process in which the shim of hardware/sim is loaded: it runs drivers and SPI transfers for the test that started it. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { coldBme280 } from '../../drivers/cold-bme280.ts'
import { coldSht } from '../../drivers/cold-sht.ts'
import type { Sample } from '../../drivers/driver.ts'
import { importSpiDevice, openSpi, type Spi } from '../../drivers/transports/spi.ts'
import type { BusAnswer, BusQuestion } from './bus-program.ts'

const drivers = { 'cold-bme280': coldBme280, 'cold-sht': coldSht }
export type DriverOnBus = keyof typeof drivers

const reads = new Map<number, { samples: AsyncGenerator<Sample, void>; stop: AbortController }>()
const ports = new Map<number, Spi>()

process.on('disconnect', () => process.exit())
process.on('message', (question: BusQuestion) => {
  void answerTo(question)
    .catch((error) => (error instanceof KedgeError ? failure(error) : failure(crash(error))))
    .then((answer) => tell(question.id, answer))
})

const tell = (id: number, answer: BusAnswer) => void process.send?.({ id, ...answer }, () => {})
const failure = ({ code, message, hint = '' }: KedgeError) => ({ error: { code, message, hint } })
const crash = (error: unknown) => new KedgeError('INTERNAL', String(error))

async function answerTo(question: BusQuestion): Promise<BusAnswer> {
  const { id } = question
  switch (question.do) {
    case 'read': {
      const stop = new AbortController()
      const driver = drivers[question.driver]
      const samples = driver.read(question.options as never, {
        signal: stop.signal,
        refuse: (reason, bytes) => tell(id, { refused: { reason, bytes: Uint8Array.from(bytes) } }),
        heard: (source) => tell(id, { heard: source }),
        clock: () => {},
        warn: (warning) => tell(id, { warning }),
      })
      reads.set(id, { samples, stop })
      return { done: true }
    }
    case 'next': {
      const next = await reads.get(id)?.samples.next()
      return next?.done === false ? { sample: next.value } : { done: true }
    }
    case 'stop':
      reads.get(id)?.stop.abort()
      return { stopped: true }
    case 'return':
      await reads.get(id)?.samples.return()
      reads.delete(id)
      return { done: true }
    case 'open-spi':
      ports.set(id, await openSpi(importSpiDevice, question.options))
      return { done: true }
    case 'transfer': {
      const port = ports.get(id)
      if (port === undefined) throw new TypeError('not open')
      return { bytes: await port.transfer(question.bytes) }
    }
    case 'close-spi':
      await ports.get(id)?.[Symbol.asyncDispose]()
      return { done: true }
    case 'smbus':
      return { bytes: await smbus(question.bus, question.address) }
  }
}

/** The calls of the package for chips with registers, on one: what each of them reads. */
async function smbus(bus: number, address: number): Promise<Uint8Array> {
  const name: string = 'i2c-bus'
  const { default: i2c } = await import(name)
  const port = await i2c.openPromisified(bus)
  try {
    await port.writeByte(address, 0x10, 0x5a)
    await port.writeI2cBlock(address, 0x11, 3, Buffer.of(1, 2, 3))
    const block = Buffer.alloc(4)
    await port.readI2cBlock(address, 0x10, 4, block)
    const word = await port.readWord(address, 0x10)
    const byte = await port.readByte(address, 0x12)
    return Uint8Array.of(...block, word & 0xff, word >> 8, byte, ...(await port.scan(0x70, 0x77)))
  } finally {
    await port.close()
  }
}
