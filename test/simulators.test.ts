import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { mkdir, open, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test from 'ava'
import { coldDs18b20 } from '../drivers/cold-ds18b20.ts'
import { decodeEpc, encodeEpc } from '../drivers/epc.ts'
import { gnssNmea } from '../drivers/gnss-nmea.ts'
import { rfidUhfM100 } from '../drivers/rfid-uhf-m100.ts'
import { chanceFrom } from '../hardware/sim/chance.ts'
import { openDevicePorts, type PortMeans } from '../hardware/sim/device-port.ts'
import * as gnss from '../hardware/sim/gnss-receiver.ts'
import {
  crcNo,
  fileOf,
  flippedBit,
  fridgeAddress,
  oneWireSensor,
} from '../hardware/sim/one-wire.ts'
import { half, type Spoil, silent, withNoise } from '../hardware/sim/spoil.ts'
import { startSimulators } from '../hardware/sim/start.ts'
import { comingAndGoing, demoTags } from '../hardware/sim/tags.ts'
import * as uhf from '../hardware/sim/uhf-reader.ts'
import { descriptorsInto, driverSuite, started, until } from './driver-suite.ts'
import { openBroker } from './helpers/receiving-broker.ts'
import { scratchFolder } from './helpers/scratch.ts'

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The simulated devices in their own process, as the demo has them. */
async function openDevices(means?: PortMeans, folder?: string) {
  const scratch = folder === undefined ? await scratchFolder() : null
  const stop = new AbortController()
  const said: string[] = []
  const simulators = await startSimulators({
    folder: folder ?? `${scratch?.path}/demo`,
    signal: stop.signal,
    onSay: (line) => said.push(line),
    ...(means && { means }),
  })
  return {
    simulators,
    said,
    stop,
    async [Symbol.asyncDispose]() {
      await simulators[Symbol.asyncDispose]()
      await scratch?.[Symbol.asyncDispose]()
    },
  }
}

const reader = (port: string) =>
  rfidUhfM100.options.parse({ port, everyMs: 50, seenAgainMs: 500, silentMs: 600_000 })
const receiver = (port: string) => gnssNmea.options.parse({ port, everyMs: 0, silentMs: 600_000 })
const fridge = (bus: string) =>
  coldDs18b20.options.parse({ bus, address: fridgeAddress, everyMs: 1000 })

for (const means of [undefined, 'tcp'] as const) {
  test(`each driver reads its simulated device by the bytes of a real one (${means ?? 'best ports'})`, async (t) => {
    await using devices = await openDevices(means)
    const { ports, w1, transport } = devices.simulators
    t.regex(transport, means === 'tcp' ? /TCP on loopback/ : /^serial ports: /)
    t.true(devices.said.includes(transport))
    await using tags = started(rfidUhfM100, reader(ports.uhf))
    await using places = started(gnssNmea, receiver(ports.gnss))
    await using temperatures = started(coldDs18b20, fridge(w1))

    const tag = (await tags.samples.next()).value
    t.true(demoTags.map(hexOf).includes(String(tag?.value)))
    const place = (await places.samples.next()).value
    t.is(place?.kind, 'position')
    t.is(place?.quality, undefined)
    t.regex(JSON.stringify(place?.value), /"lat",\[313[34]\d{5},-7\].*"lon",\[1215[89]\d{5},-7\]/)
    const temperature = (await temperatures.samples.next()).value
    t.regex(JSON.stringify(temperature?.value), /^\[[3-6]\d{4},-4\]$/, 'about 5 °C')
    for (const { refused } of [tags, places, temperatures]) t.deepEqual(refused, [])
  })
}

test('the simulated receiver has the time of this machine', async (t) => {
  await using devices = await openDevices()
  await using places = started(gnssNmea, receiver(devices.simulators.ports.gnss))
  const before = Date.now()
  for (let i = 0; i < 10 && places.fixes.length < 2; i++) await places.samples.next()
  const [fix, next] = places.fixes
  t.true((fix?.unixMs ?? 0) > before - 2000 && (fix?.unixMs ?? 0) <= Date.now())
  t.is((fix?.unixMs ?? 1) % 1000, 0)
  t.is(((next?.unixMs ?? 1) - (fix?.unixMs ?? 0)) % 1000, 0)
})

test('every simulated tag carries a number that GS1 allows: boxes, pallets and crates', (t) => {
  const schemes = demoTags.map((tag) => {
    const epc = decodeEpc(hexOf(tag))
    t.is(encodeEpc(epc).toLowerCase(), hexOf(tag))
    return epc.scheme
  })
  t.deepEqual([...new Set(schemes)].sort(), ['GRAI-96', 'SGTIN-96', 'SSCC-96'])
  t.is(new Set(demoTags.map(hexOf)).size, demoTags.length)
})

test('simulated tags come and go: the first is there at once, and each is there and away', (t) => {
  const present = comingAndGoing(demoTags, chanceFrom(7))
  t.true(
    present(0)
      .map(hexOf)
      .includes(hexOf(demoTags[0] ?? new Uint8Array())),
  )
  const counts = new Map(demoTags.map((tag) => [hexOf(tag), 0]))
  for (let second = 0; second < 600; second++) {
    for (const tag of present(second * 1000).map(hexOf)) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  }
  for (const [tag, seconds] of counts) t.true(seconds > 20 && seconds < 580, `${tag}: ${seconds}`)
})

test('a simulated thermometer keeps its sign and its checksum', (t) => {
  t.is(
    fileOf(23.125),
    '72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n',
  )
  t.is(fileOf(-10.125).slice(0, 27), '5e ff 4b 46 7f ff 02 10 b6 ')
})

/** A simulated device on a line of its own. */
async function openLine(
  attach: (
    port: Parameters<typeof uhf.uhfReader>[0],
  ) => Disposable & { spoil(how: Spoil | null): void },
  means?: PortMeans,
) {
  const scratch = await scratchFolder()
  const link = `${scratch.path}/device`
  const { ports } = await openDevicePorts([{ link, onFault: () => {} }], means)
  const [port] = ports
  if (port === undefined) throw new Error('no port')
  const model = attach(port)
  return {
    port,
    model,
    async [Symbol.asyncDispose]() {
      model[Symbol.dispose]()
      await port[Symbol.asyncDispose]()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

const attachReader = (port: Parameters<typeof uhf.uhfReader>[0]) =>
  uhf.uhfReader(port, { inField: () => demoTags.slice(0, 2), random: chanceFrom(1) })
const attachReceiver = (port: Parameters<typeof uhf.uhfReader>[0]) =>
  gnss.gnssReceiver(port, { now: Date.now, random: chanceFrom(1), everyMs: 100 })

const noise = withNoise(chanceFrom(3), 300)
const onlyNoise: Spoil = (said) => noise(silent(said))

test('noise between frames costs no tag', async (t) => {
  await using line = await openLine(attachReader)
  line.model.spoil(noise)
  await using reading = started(rfidUhfM100, { ...reader(line.port.name), seenAgainMs: 0 })
  for (let i = 0; i < 5; i++) {
    t.true(demoTags.map(hexOf).includes(String((await reading.samples.next()).value?.value)))
  }
  t.true(reading.refused.length > 0)
})

for (const [what, spoil] of [
  ['garbage', onlyNoise],
  ['half of what was said', half],
] as const) {
  for (const means of [undefined, 'tcp'] as const) {
    const where = means ?? 'best ports'
    test(`UHF: ${what} is refused and counted, and the next good frame is read (${where})`, async (t) => {
      await using line = await openLine(attachReader, means)
      await using reading = started(rfidUhfM100, reader(line.port.name))
      line.model.spoil(spoil)
      const next = reading.samples.next()
      await until(() => reading.refused.length > 0)
      t.true(reading.refused.length > 0)
      line.model.spoil(null)
      t.true(demoTags.map(hexOf).includes(String((await next).value?.value)))
    })

    test(`GNSS: ${what} is refused and counted, and the next good sentence is read (${where})`, async (t) => {
      await using line = await openLine(attachReceiver, means)
      await using reading = started(gnssNmea, receiver(line.port.name))
      line.model.spoil(spoil)
      const next = reading.samples.next()
      await until(() => reading.refused.length > 0)
      t.true(reading.refused.length > 0)
      line.model.spoil(null)
      t.is((await next).value?.kind, 'position')
    })
  }
}

driverSuite('GNSS on a serial port', {
  driver: gnssNmea,
  module: 'drivers/gnss-nmea.ts',
  openBench: async () => {
    const line = await openLine(attachReceiver)
    return {
      options: receiver(line.port.name),
      speak: async () => line.model.spoil(null),
      garble: async () => line.model.spoil(gnss.badChecksum),
      hush: async () => line.model.spoil(() => new Uint8Array()),
      unplug: () => line.port.unplug(),
      replug: () => line.port.replug(),
      opened: async () => Number(line.port.isOpen()),
      [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
    }
  },
})

async function openSensor() {
  const scratch = await scratchFolder()
  const bus = `${scratch.path}/w1`
  const faults: string[] = []
  const sensor = oneWireSensor({
    bus,
    address: fridgeAddress,
    everyMs: 20,
    celsius: () => 4.5,
    onFault: (what) => faults.push(what),
  })
  return {
    sensor,
    faults,
    options: { ...fridge(bus), everyMs: 20 },
    folder: scratch.path,
    async [Symbol.asyncDispose]() {
      sensor[Symbol.dispose]()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

driverSuite('DS18B20 as it is simulated', {
  driver: coldDs18b20,
  module: 'drivers/cold-ds18b20.ts',
  openBench: async () => {
    const { sensor, options, folder, ...bench } = await openSensor()
    return {
      ...bench,
      options,
      speak: async () => sensor.spoil(null),
      garble: async () => sensor.spoil(flippedBit),
      hush: async () => sensor.spoil(() => ''),
      unplug: async () => sensor.unplug(),
      replug: async () => sensor.replug(),
      opened: () => descriptorsInto(folder),
    }
  },
})

for (const [what, spoil, reason] of [
  ['what the kernel calls a bad checksum', crcNo, /CRC NO/],
  ['a bit that fell over', flippedBit, /bad checksum/],
  ['half a file', (text: string) => text.slice(0, 20), /not the text/],
] as const) {
  test(`DS18B20: ${what} is refused and counted, and the next good file is read`, async (t) => {
    await using bench = await openSensor()
    bench.sensor.spoil(spoil)
    await using reading = started(coldDs18b20, bench.options)
    const next = reading.samples.next()
    await until(() => reading.refused.length > 0)
    t.regex(reading.refused[0]?.reason ?? '', reason)
    bench.sensor.spoil(null)
    t.deepEqual((await next).value?.value, [45_000, -4])
  })
}

test('a reader of the 1-Wire file never sees half of it, whatever is written meanwhile', async (t) => {
  await using bench = await openSensor()
  const file = `${bench.options.bus}/${fridgeAddress}/w1_slave`
  await using early = await open(file)
  bench.sensor.spoil(() => fileOf(9.75))
  t.is(await early.readFile('latin1'), fileOf(4.5))
  t.is(await readFile(file, 'latin1'), fileOf(9.75))
})

test('a 1-Wire folder that was taken away comes back by itself', async (t) => {
  await using bench = await openSensor()
  const file = `${bench.options.bus}/${fridgeAddress}/w1_slave`
  rmSync(bench.options.bus, { recursive: true })
  await until(() => readFile(file).then(Boolean, () => false))
  t.is(await readFile(file, 'latin1'), fileOf(4.5))
  t.deepEqual(bench.faults, [])
})

test('ports keep their names over a restart, and stale links of a killed run are replaced', async (t) => {
  await using scratch = await scratchFolder()
  const link = `${scratch.path}/dev/uhf`
  await mkdir(`${scratch.path}/dev`)
  await symlink('/dev/pts/no-such-terminal', link)
  const names: string[] = []
  for (const end of ['killed', 'asked to end']) {
    await using devices = await openDevices(undefined, scratch.path)
    const { ports, pid } = devices.simulators
    const isTcp = ports.uhf.startsWith('tcp:')
    if (!isTcp) {
      names.push(ports.uhf, ports.gnss)
      t.not(await readlink(link), '/dev/pts/no-such-terminal', end)
    }
    {
      await using tags = started(rfidUhfM100, reader(ports.uhf))
      t.is((await tags.samples.next()).value?.kind, 'tag')
    }
    if (end === 'killed') {
      process.kill(pid, 'SIGKILL')
      t.deepEqual(await devices.simulators.ended, { code: null, signal: 'SIGKILL' })
    }
  }
  t.deepEqual(names.slice(0, 2), names.slice(2))
})

test('simulators that are killed are told, and no thermometer shows its last value for ever', async (t) => {
  await using devices = await openDevices()
  const { w1, ports, pid, ended } = devices.simulators
  await using temperatures = started(coldDs18b20, fridge(w1))
  await using tags = started(rfidUhfM100, reader(ports.uhf))
  t.false((await temperatures.samples.next()).done)
  t.false((await tags.samples.next()).done)
  process.kill(pid, 'SIGKILL')
  await ended
  t.regex(devices.said.join('\n'), /ended by themselves \(SIGKILL\)/)
  await t.throwsAsync(readlink(ports.uhf), { code: 'ENOENT' }, 'no name is left behind')
  for (const { samples } of [temperatures, tags]) {
    await t.throwsAsync(
      async () => {
        for await (const _ of samples);
      },
      { code: 'SENSOR_ABSENT' },
    )
  }
})

test('Ctrl-C reaches the simulators too, and they wait for the gateway to stop', async (t) => {
  await using devices = await openDevices()
  const { pid, ports, ended } = devices.simulators
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  await using tags = started(rfidUhfM100, reader(ports.uhf))
  for (let i = 0; i < 2; i++) t.false((await tags.samples.next()).done)
  await devices.simulators[Symbol.asyncDispose]()
  t.deepEqual(await ended, { code: 0, signal: null })
  t.false(isAlive(pid))
  t.false(devices.said.join().includes('by themselves'), 'an end that was asked for is no news')
})

test('an abort ends the simulators', async (t) => {
  await using devices = await openDevices()
  devices.stop.abort()
  t.deepEqual(await devices.simulators.ended, { code: 0, signal: null })
})

test('told to stop before they began, the simulators do not start', async (t) => {
  await using scratch = await scratchFolder()
  const options = { folder: scratch.path, onSay: () => t.fail() }
  const early = startSimulators({ ...options, signal: AbortSignal.abort() })
  await t.throwsAsync(early, { any: true, name: 'AbortError' })
  const stop = new AbortController()
  const starting = startSimulators({ ...options, signal: stop.signal })
  stop.abort()
  await t.throwsAsync(starting, { any: true, name: 'AbortError' })
})

test('where no pseudo-terminal can be made the ports are TCP, and the reasons are said', async (t) => {
  await using scratch = await scratchFolder()
  // Neither package may put its link where a folder stands.
  const link = `${scratch.path}/uhf`
  await mkdir(`${link}/taken`, { recursive: true })
  const { ports, transport } = await openDevicePorts([{ link, onFault: () => t.fail() }])
  t.regex(
    transport,
    /^serial ports: TCP on loopback \(no pseudo-terminals by @lydell\/node-pty: .+; no pseudo-terminals by socat: .+\)$/,
  )
  t.regex(ports[0]?.name ?? '', /^tcp:\/\/127\.0\.0\.1:\d+$/)
  await ports[0]?.[Symbol.asyncDispose]()
})

test('simulators without a place for their devices say why they do not start', async (t) => {
  await using scratch = await scratchFolder()
  await writeFile(`${scratch.path}/file`, '')
  const { signal } = new AbortController()
  const starting = startSimulators({ folder: `${scratch.path}/file`, signal, onSay: () => {} })
  await t.throwsAsync(starting, {
    code: 'SENSOR_ABSENT',
    message: /did not start: .*(EEXIST|ENOTDIR)/,
  })
})

const startModule = new URL('../hardware/sim/start.ts', import.meta.url).href
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

test('the simulators end when their parent is killed, from whatever folder it was started', async (t) => {
  await using scratch = await scratchFolder()
  const script = `const { startSimulators } = await import('${startModule}')
    const { signal } = new AbortController()
    const devices = await startSimulators({ folder: '${scratch.path}', signal, onSay() {} })
    console.log(JSON.stringify({ pid: devices.pid, ports: devices.ports }))`
  const parent = spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', script], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { pid, ports } = JSON.parse(await firstLine(parent)) as {
    pid: number
    ports: { uhf: string }
  }
  {
    await using tags = started(rfidUhfM100, reader(ports.uhf))
    t.is((await tags.samples.next()).value?.kind, 'tag')
  }
  t.true(isAlive(pid))
  parent.kill('SIGKILL')
  await until(() => !isAlive(pid))
  t.false(isAlive(pid))
  await using tags = started(rfidUhfM100, reader(ports.uhf))
  await t.throwsAsync(tags.samples.next(), { code: 'SENSOR_ABSENT' })
})

test('by hand, the simulators print what a program may open, and end by a signal', async (t) => {
  await using scratch = await scratchFolder()
  const main = fileURLToPath(new URL('../hardware/sim/main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', tsx, main, scratch.path, '--ports', 'tcp'], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  await until(() => lines.length === 4)
  const port = (lines[1] ?? '').replace(/^uhf: +/, '')
  {
    await using tags = started(rfidUhfM100, reader(port))
    t.is((await tags.samples.next()).value?.kind, 'tag', lines.join('\n'))
  }
  child.kill('SIGTERM')
  t.is(await new Promise((resolve) => child.once('exit', resolve)), 0)
})

test('a wearable sends two vitals with ids that never come again, also after a restart', async (t) => {
  await using broker = await openBroker()
  for (let round = 0; round < 2; round++) {
    await using devices = await openDevices('tcp')
    const before = broker.received.length
    devices.simulators.publishTo(broker.url)
    await until(() => broker.received.length >= before + 4)
  }
  t.true(broker.received.length >= 8)
  for (const { topic, qos, payload } of broker.received) {
    t.is(topic, 'ingest/wearable')
    t.is(qos, 1)
    const said = JSON.parse(payload) as Record<string, unknown>
    t.deepEqual(Object.keys(said), ['kind', 'value', 'unit', 'id', 'time'])
    t.is(said.unit, said.kind === 'spo2' ? '%' : '/min')
    t.true(Number.isInteger(said.value))
    t.regex(String(said.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  }
  const ids = broker.received.map(({ payload }) => JSON.parse(payload).id)
  t.is(new Set(ids).size, ids.length)
  const kinds = broker.received.map(({ payload }) => JSON.parse(payload).kind)
  t.deepEqual([...new Set(kinds)].sort(), ['heart-rate', 'spo2'])
})

test('a wearable comes back to its broker by itself', async (t) => {
  await using broker = await openBroker()
  await using devices = await openDevices('tcp')
  devices.simulators.publishTo(broker.url)
  await until(() => broker.received.length >= 2)
  await broker.close()
  const before = broker.received.length
  await setTimeout(1200)
  t.is(broker.received.length, before)
  await broker.open()
  await until(() => broker.received.length > before)
  t.true(broker.received.length > before)
  t.regex(devices.said.join('\n'), /lost the broker/)
})

const hasSocat = spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0
;(hasSocat ? test : test.skip)(
  'ports that socat makes are read, unplugged and plugged in again',
  async (t) => {
    await using line = await openLine(attachReader, 'socat')
    // Who closes such a port finds it again a moment later: it is tried again, as the gateway does.
    const firstOf = async (reading: ReturnType<typeof started<typeof rfidUhfM100.options>>) =>
      reading.samples.next().then(
        ({ value }) => value?.kind,
        () => null,
      )
    for (const end of ['closed', 'unplugged', 'closed']) {
      const kinds: (string | null | undefined)[] = []
      await until(async () => {
        await using reading = started(rfidUhfM100, reader(line.port.name))
        kinds.push(await firstOf(reading))
        const isRead = kinds.at(-1) === 'tag'
        if (!isRead || end === 'closed') return isRead
        await line.port.unplug()
        while ((await firstOf(reading)) === 'tag');
        t.true((await reading.samples.next()).done, 'it ended when it was unplugged')
        await line.port.replug()
        return true
      })
      t.is(kinds.at(-1), 'tag', end)
      // Until socat has gone its name may lead to somebody else's terminal.
      if (end === 'closed') await until(() => !line.port.isOpen())
    }
  },
)

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface(child.stdout as NodeJS.ReadableStream)
  const { value } = await lines[Symbol.asyncIterator]().next()
  return String(value)
}

/** A process that has ended, and that nobody has asked about yet, is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch (error) {
    // Where there is no /proc, the signal alone tells.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux'
  }
}
