// The transport over the unmodified package spi-device: its calls of the kernel are answered by a model of a chip.
import test from 'ava'
import { z } from 'zod'
import type { KedgeError } from '../anchor-client/evidence/errors.ts'
import { importSpiDevice, openSpi, spiOptions } from '../drivers/transports/spi.ts'
import { registerChip } from '../hardware/sim/spi-register.ts'
import { until } from './driver-suite.ts'
import { type BusProgram, busIsMissing, busProgram } from './helpers/bus-program.ts'

const why = busIsMissing('spi-device')
if (why !== null) console.log(`the tests on the real spi-device are skipped: ${why}`)
const runs = why === null || process.env.KEDGE_REQUIRE_TOOLS
const onBus = runs ? test : test.skip

let program: BusProgram
if (runs) {
  test.before('the shim is compiled', async () => {
    program = await busProgram()
  })
  test.after.always(() => program?.[Symbol.asyncDispose]())
}

const speedHz = 1_000_000
const written = (register: number, ...bytes: readonly number[]) =>
  Uint8Array.of(register << 1, ...bytes)

onBus(
  'a register is written and read back over SPI, in mode 0 and at the speed that was asked for',
  async (t) => {
    const chip = registerChip()
    program.server.putSpi(0, 0, chip)
    const port = await program.spi({ bus: 0, device: 0, speedHz })
    await port.transfer(written(0x0b, 0x5a))
    t.is(chip.memory[0x0b], 0x5a)
    chip.memory[0x37] = 0x92
    const said = await port.transfer(Uint8Array.of(0x80 | (0x37 << 1), 0x80 | (0x0b << 1), 0))
    t.deepEqual([...said], [0, 0x92, 0x5a])
    t.deepEqual([chip.mode, chip.speedHz], [0, speedHz])
    t.is(program.server.opened('/dev/spidev0.0'), 1)
    await port.close()
    await until(() => program.server.opened('/dev/spidev0.0') === 0)
    t.is(program.server.opened('/dev/spidev0.0'), 0)
  },
)

onBus('two devices on one bus do not hear each other', async (t) => {
  const [one, other] = [registerChip(), registerChip()]
  program.server.putSpi(1, 0, one)
  program.server.putSpi(1, 1, other)
  const ports = [
    await program.spi({ bus: 1, device: 0, speedHz }),
    await program.spi({ bus: 1, device: 1, speedHz }),
  ]
  await Promise.all(ports.map((port, i) => port.transfer(written(3, 10 + i))))
  t.deepEqual([one.memory[3], other.memory[3]], [10, 11])
  await Promise.all(ports.map((port) => port.close()))
})

onBus('as many bytes as the kernel takes go in one transfer, and more are refused', async (t) => {
  program.server.putSpi(2, 0, {
    exchange: (sent) => sent.map((byte) => byte ^ 0xff),
    heard: () => {},
  })
  const port = await program.spi({ bus: 2, device: 0, speedHz })
  const most = Uint8Array.from({ length: 4096 }, (_, i) => i % 251)
  t.deepEqual(
    await port.transfer(most),
    most.map((byte) => byte ^ 0xff),
  )
  await t.throwsAsync(port.transfer(new Uint8Array(4097)), { message: /4097 bytes are too many/ })
  await port.close()
})

onBus('a device that is drawn ends by name, and is opened again when it is back', async (t) => {
  const path = '/dev/spidev3.0'
  program.server.putSpi(3, 0, registerChip())
  const port = await program.spi({ bus: 3, device: 0, speedHz })
  await port.transfer(written(1, 1))
  program.server.unplug(path)
  await t.throwsAsync(port.transfer(written(1, 2)), {
    code: 'SENSOR_ABSENT',
    message: /spidev3\.0/,
  })
  await port.close()
  await t.throwsAsync(program.spi({ bus: 3, device: 0, speedHz }), { code: 'SENSOR_ABSENT' })
  program.server.replug(path)
  const again = await program.spi({ bus: 3, device: 0, speedHz })
  t.is((await again.transfer(written(1, 3))).length, 2)
  await again.close()
})

test('without its package, or without its bus, a device on SPI is absent, and a person is told why', async (t) => {
  const options = z.strictObject(spiOptions({ speedHz })).parse({ bus: 250 })
  const error = await t.throwsAsync(openSpi(importSpiDevice, options), {
    code: 'SENSOR_ABSENT',
  })
  t.regex(error?.message ?? '', /need the package spi-device|spidev250\.0 cannot be used: ENOENT/)
  t.truthy((error as KedgeError).hint)
})
