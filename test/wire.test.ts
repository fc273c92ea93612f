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
    t.log(`skipped: ${transport}`)
    t.pass()
    return
  }
  await using wire = await openSerial(port.name, { ...patient(), baudRate: 9600 })
  await port.unplug()
  const chunks = wire[Symbol.asyncIterator]()
  const failure = t.throwsAsync(chunks.next(), { code: 'SENSOR_ABSENT', message: /unplugged/ })
  t.not(await soon(failure), 'nothing')
})

test('however many writes are under way, they are told of the end of the wire together', async (t) => {
  const device = new Duplex({ read() {}, write() {} })
  await using wire = wireOver(device, 'the board', patient(), async () => {})
  const before = device.listenerCount('close')
  const writing = Array.from({ length: 20 }, () => wire.write(Uint8Array.of(1)))
  // More than ten listeners, and Node warns of a leak.
  t.is(device.listenerCount('close'), before)
  device.destroy()
  const ends = await soon(Promise.allSettled(writing))
  t.true(Array.isArray(ends) && ends.every(({ status }) => status === 'rejected'))
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
