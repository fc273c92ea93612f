import { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openSerial } from '../drivers/transports/serial.ts'
import { wireOver } from '../drivers/transports/wire.ts'
import { openDevicePorts } from '../hardware/sim/device-port.ts'
import { scratchFolder } from './helpers/scratch.ts'

const patient = () => ({ silentMs: 600_000, signal: new AbortController().signal })

/** What came of it within five seconds. */
const soon = (promise: Promise<unknown>) =>
  Promise.race([promise, sleep(5000, 'nothing', { ref: false })])

test('a port that hung up before anybody read from it is gone at once', async (t) => {
  await using scratch = await scratchFolder()
  const { ports, transport } = await openDevicePorts([
    { link: `${scratch.path}/line`, onFault: (what) => t.fail(what) },
  ])
  await using port = ports[0] as (typeof ports)[number]
  if (port.name.startsWith('tcp:')) {
    t.pass(`skipped: ${transport}`)
    return
  }
  await using wire = await openSerial(port.name, { ...patient(), baudRate: 9600 })
  await port.unplug()
  const chunks = wire[Symbol.asyncIterator]()
  const failure = t.throwsAsync(chunks.next(), { code: 'SENSOR_ABSENT', message: /unplugged/ })
  t.not(await soon(failure), 'nothing')
})

test('a port that is unplugged in the middle of a write is gone, for whoever writes, too', async (t) => {
  const deaf = () => new Duplex({ read() {}, write() {} })
  const device = deaf()
  await using wire = wireOver(device, 'the line', patient(), async () => {})
  const writing = wire.write(Uint8Array.of(1))
  device.destroy()
  const failure = t.throwsAsync(writing, {
    code: 'SENSOR_ABSENT',
    message: /the line was unplugged/,
  })
  t.not(await soon(failure), 'nothing')
  const late = t.throwsAsync(wire.write(Uint8Array.of(1)), { code: 'SENSOR_ABSENT' })
  t.not(await soon(late), 'nothing')
})
