import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import type { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { bleThermometer } from '../drivers/ble-thermometer.ts'
import type { Sample } from '../drivers/driver.ts'
import { type Heard, openSimulatedBluez } from '../hardware/sim/bluez.ts'
import { type BusRules, openPrivateBus } from '../hardware/sim/bluez-bus.ts'
import {
  bthomeBytes,
  bthomeObjectsOf,
  pvvxBytes,
  ruuviBytes,
  sealedBthomeBytes,
} from '../hardware/sim/bluez-tags.ts'
import { driverSuite, started, until } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { vectors } from './helpers/vectors.ts'

const isHere = spawnSync('dbus-daemon', ['--version']).status === 0
if (!isHere) console.error('skipped: Bluetooth sensors need dbus-daemon, which is not installed')
const testOnBus = isHere || process.env.KEDGE_REQUIRE_TOOLS ? test : test.skip

const tag = 'CB:B8:33:4C:88:4F'
const neighbour = 'CB:B8:33:4C:88:50'
const fridge = { celsius: 4.5, humidity: 61 }
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

type Speech = (round: number) => Heard | null

const ruuviSays: Speech = (round) => ({
  manufacturer: { 1177: ruuviBytes(tag, round, fridge) },
  rssiDbm: -60 - (round % 20),
})
const pvvxSays: Speech = (round) => ({ service: { '181a': pvvxBytes(tag, round, fridge) } })

/** A thermometer in the air, which says something every few milliseconds to whoever discovers. */
async function openAir(speech: Speech = ruuviSays, given: object = {}, rules: BusRules = {}) {
  const folder = await scratchFolder()
  const bus = await openPrivateBus(folder.path, rules)
  const bluez = await openSimulatedBluez(bus)
  let say: Speech = () => null
  let round = 0
  const beat = setInterval(() => {
    const heard = say(round)
    if (heard && bluez.advertise(tag, heard)) round++
  }, 10)
  return {
    bus,
    bluez,
    folder: folder.path,
    options: bleThermometer.options.parse({
      ...{ address: tag, format: 'ruuvi', bus: bus.address, everyMs: 20, silentMs: 20_000 },
      ...given,
    }),
    say(what: Speech) {
      round = 0
      say = what
    },
    speak: async () => {
      say = speech
    },
    hush: async () => {
      say = () => null
    },
    unplug: () => bluez.leave(),
    replug: () => bluez.join(),
    opened: () => bus.strangers(),
    async [Symbol.asyncDispose]() {
      clearInterval(beat)
      await bluez[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** What is refused in each format, none of which has a checksum of its own when it is open. */
for (const [format, speech, garbled, refusedFor] of [
  [
    'ruuvi',
    ruuviSays,
    (round: number) => ({ manufacturer: { 1177: ruuviBytes(tag, round, null) } }),
    /not available/,
  ],
  ['pvvx', pvvxSays, () => ({ service: { '181a': new Uint8Array(15) } }), /all zeros/],
  [
    'bthome',
    (round: number) => ({
      service: { fcd2: bthomeBytes(bthomeObjectsOf(fridge, round)) },
    }),
    () => ({ service: { fcd2: bytesOf('40000902ca') } }),
    /half a frame/,
  ],
] as const) {
  if (isHere || process.env.KEDGE_REQUIRE_TOOLS) {
    driverSuite(`thermometer by Bluetooth, ${format}`, {
      driver: bleThermometer,
      module: 'drivers/ble-thermometer.ts',
      refusedFor,
      openBench: async () => {
        const kinds = ['temperature', 'humidity']
        const air = await openAir(speech, { format, kinds })
        return { ...air, garble: async () => air.say(garbled) }
      },
    })
  }
}

async function take(reading: ReturnType<typeof started>, count: number): Promise<Sample[]> {
  const taken: Sample[] = []
  while (taken.length < count) {
    const { value, done } = await reading.samples.next()
    if (done) break
    taken.push(value)
  }
  return taken
}

testOnBus(
  'a RuuviTag is recorded with all it measures, its own counter and how well it was heard',
  async (t) => {
    await using air = await openAir()
    const { cases } = vectors('drivers/ruuvi-rawv2.json') as {
      cases: readonly {
        name: string
        hex: string
        t: number
        rh: number
        pPa: number
        seq: number
      }[]
    }
    const published = cases.find(({ name }) => name === 'valid') as (typeof cases)[number]
    air.say(() => ({ manufacturer: { 1177: bytesOf(published.hex) }, rssiDbm: -71 }))
    await using reading = started(bleThermometer, { ...air.options, source: 'fridge' })
    const samples = await take(reading, 4)
    const details = [
      ['radio', 'open'],
      ['rssi-dbm', [-71, 0]],
    ] as const
    t.deepEqual(
      samples.map(({ value, ...rest }) => [decimalText(value as [number, number]), rest]),
      (
        [
          ['24.300', 'temperature', 'Cel'],
          ['53.4900', 'humidity', '%'],
          ['100044', 'pressure', 'Pa'],
          ['2.977', 'battery', 'V'],
        ] as const
      ).map(([value, kind, unit]) => {
        return [value, { source: `fridge/${kind}`, kind, unit, counter: published.seq, details }]
      }),
    )
  },
)

testOnBus('an advertisement that is sent over and over is one reading', async (t) => {
  await using air = await openAir(ruuviSays, { kinds: ['temperature'] })
  let measurement = 0
  let sent = 0
  air.say(() => {
    sent += 1
    return { manufacturer: { 1177: ruuviBytes(tag, measurement, fridge) }, rssiDbm: -60 }
  })
  await using reading = started(bleThermometer, air.options)
  for (; measurement < 3; measurement++) {
    t.is((await take(reading, 1))[0]?.counter, measurement)
    const before = sent
    await until(() => sent > before + 10)
  }
})

testOnBus(
  'a sensor that repeats one measurement for ever is heard, and gives no value',
  async (t) => {
    const once = { manufacturer: { 1177: ruuviBytes(tag, 9, fridge) } }
    await using air = await openAir(() => once, { kinds: ['temperature', 'humidity'] })
    await air.speak()
    await using reading = started(bleThermometer, { ...air.options, source: 'fridge' })
    await take(reading, 2)
    const next = reading.samples.next()
    await until(() => reading.heard.length > 20)
    t.deepEqual([...new Set(reading.heard)], ['fridge/temperature', 'fridge/humidity'])
    reading.stop()
    t.true((await next).done)
  },
)

testOnBus('without a counter nobody can tell, and the period decides', async (t) => {
  const speech: Speech = () => ({ service: { fcd2: bytesOf('4002ca0903bf13') } })
  await using air = await openAir(speech, { format: 'bthome', kinds: ['temperature'] })
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const values = (await take(reading, 3)).map(({ value, counter }) => [value, counter])
  t.deepEqual(values, Array(3).fill([[2506, -2], undefined]))
})

testOnBus(
  'a sensor that advertises more often than asked is recorded as often as asked',
  async (t) => {
    await using air = await openAir(ruuviSays, { kinds: ['temperature'], everyMs: 3_600_000 })
    let said = 0
    air.say((round) => {
      said = round
      return ruuviSays(round)
    })
    await using reading = started(bleThermometer, air.options)
    t.is((await take(reading, 1)).length, 1)
    const next = reading.samples.next()
    const before = said
    await until(() => said > before + 20)
    reading.stop()
    t.deepEqual(await next, { done: true, value: undefined })
  },
)

testOnBus('what BlueZ remembers of yesterday is no reading', async (t) => {
  await using air = await openAir(ruuviSays, { kinds: ['temperature'] })
  air.bluez.remember(tag, {
    manufacturer: { 1177: ruuviBytes(tag, 7, { celsius: 21, humidity: 40 }) },
  })
  await using reading = started(bleThermometer, air.options)
  const next = reading.samples.next()
  await until(() => air.bluez.discovering().size > 0)
  await setTimeout(100)
  await air.speak()
  t.deepEqual((await next).value?.value, [4500, -3])
  t.false(air.bluez.calls.includes('GetManagedObjects'))
})

testOnBus('the first word of a tag that nobody knew before counts', async (t) => {
  await using air = await openAir(ruuviSays, { kinds: ['temperature'] })
  air.say((round) => (round === 0 ? ruuviSays(0) : null))
  await using reading = started(bleThermometer, air.options)
  t.is((await take(reading, 1))[0]?.counter, 0)
})

testOnBus(
  'it listens and no more: Low Energy, every advertisement, nobody is connected',
  async (t) => {
    await using air = await openAir()
    await air.speak()
    await using reading = started(bleThermometer, air.options)
    await take(reading, 1)
    t.deepEqual(air.bluez.calls, ['SetDiscoveryFilter', 'StartDiscovery'])
    const [filter] = air.bluez.discovering().values()
    t.deepEqual(Object.fromEntries(filter ?? []), { Transport: 'le', DuplicateData: true })
  },
)

testOnBus('the tag of a neighbour is left alone', async (t) => {
  await using air = await openAir(ruuviSays, { kinds: ['temperature'] })
  const other = setInterval(() => {
    air.bluez.advertise(neighbour, {
      manufacturer: { 1177: ruuviBytes(neighbour, 1, { celsius: 30, humidity: 1 }) },
    })
  }, 5)
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const values = (await take(reading, 5)).map(({ value }) => value)
  clearInterval(other)
  t.deepEqual(values, Array(5).fill([4500, -3]))
  t.deepEqual(reading.refused, [])
})

testOnBus('a frame that names another sender is refused', async (t) => {
  for (const [format, speech] of [
    ['ruuvi', { manufacturer: { 1177: ruuviBytes(neighbour, 1, fridge) } }],
    ['pvvx', { service: { '181a': pvvxBytes(neighbour, 1, fridge) } }],
  ] as const) {
    await using air = await openAir(() => speech, { format })
    await air.speak()
    await using reading = started(bleThermometer, air.options)
    const next = reading.samples.next()
    await until(() => reading.refused.length > 0)
    t.is(reading.refused[0]?.reason, `it names ${neighbour} as its sender, not ${tag}`)
    reading.stop()
    t.true((await next).done)
  }
})

testOnBus(
  'what the tag marks as not available is refused by name, and the rest is recorded',
  async (t) => {
    await using air = await openAir()
    air.say((round) => ({ manufacturer: { 1177: ruuviBytes(tag, round, null) }, rssiDbm: 127 }))
    await using reading = started(bleThermometer, air.options)
    const [pressure] = await take(reading, 1)
    t.is(pressure?.kind, 'pressure')
    t.deepEqual(pressure?.details, [['radio', 'open']], 'a strength of 127 is none')
    t.deepEqual(
      reading.refused.map(({ reason }) => reason),
      ['temperature', 'humidity'].map((kind) => `${kind}: not available, says the sensor`),
    )
  },
)

testOnBus(
  'a tag that cannot measure says so with every frame, and stands on record once in a period',
  async (t) => {
    await using air = await openAir(ruuviSays, { kinds: ['temperature'], everyMs: 3_600_000 })
    let said = 0
    air.say((round) => {
      said = round
      return { manufacturer: { 1177: ruuviBytes(tag, round, null) } }
    })
    await using reading = started(bleThermometer, air.options)
    const next = reading.samples.next()
    await until(() => said > 20)
    t.is(reading.refused.length, 1)
    reading.stop()
    await next
  },
)

testOnBus('a battery is recorded with its voltage or its charge, once an hour', async (t) => {
  await using air = await openAir(pvvxSays, { format: 'pvvx' })
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const samples = await take(reading, 12)
  const batteries = samples.filter(({ kind }) => kind === 'battery')
  t.is(batteries.length, 1)
  t.like(batteries[0], { value: [78, 0], unit: '%' })
  t.deepEqual(batteries[0]?.details?.[0], ['millivolt', [2950, 0]])
  const promises = bleThermometer.sources(air.options).map(({ promise }) => promise)
  t.deepEqual(promises.at(-1), { type: 'period', ms: 3_600_000, toleranceMs: 3_600_000 })
})

testOnBus('a thermometer with a certificate is corrected, and its own word stays', async (t) => {
  const calibration = { temperature: { certificate: 'DKD-1', offset: -0.2 } }
  await using air = await openAir(ruuviSays, { kinds: ['temperature'], calibration })
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const [sample] = await take(reading, 1)
  t.deepEqual(
    [sample?.value, sample?.raw],
    [
      [4300, -3],
      [4500, -3],
    ],
  )
})

const key = randomBytes(16)
const keyHex = key.toString('hex')

async function openSealed(speech: Speech, { mode = 0o600, content = keyHex } = {}) {
  const air = await openAir(speech, { format: 'bthome', kinds: ['temperature'] })
  const file = join(air.folder, 'key')
  await writeFile(file, `${content}\n`, { mode })
  return { ...air, options: { ...air.options, key: { file } } }
}

const sealed = (round: number, by: Uint8Array = key) => ({
  service: { fcd2: sealedBthomeBytes(tag, by, round + 1, bthomeObjectsOf(fridge, null)) },
})

testOnBus('an encrypted thermometer is read with its key, and said to be', async (t) => {
  await using air = await openSealed((round) => sealed(round))
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const [sample] = await take(reading, 1)
  t.like(sample, { value: [450, -2], counter: 1 })
  t.deepEqual(sample?.details, [['radio', 'encrypted']])
})

testOnBus('with another key, or none at all, an encrypted frame is refused', async (t) => {
  for (const [given, reason] of [
    [{ env: 'KEDGE_TEST_BTHOME_KEY' }, /^bad checksum/],
    [undefined, /^encrypted, and no key is known/],
  ] as const) {
    process.env.KEDGE_TEST_BTHOME_KEY = '00112233445566778899aabbccddeeff'
    await using air = await openSealed((round) => sealed(round))
    await air.speak()
    await using reading = started(bleThermometer, { ...air.options, key: given })
    const next = reading.samples.next()
    await until(() => reading.refused.length > 0)
    t.regex(reading.refused[0]?.reason ?? '', reason)
    t.false(JSON.stringify(reading.refused).includes('aabbccddeeff'))
    reading.stop()
    t.true((await next).done)
  }
})

testOnBus('where a key is set an open frame is nobody knows whose', async (t) => {
  await using air = await openSealed((round) => ({
    service: { fcd2: bthomeBytes(bthomeObjectsOf({ celsius: 5, humidity: 50 }, round)) },
  }))
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const next = reading.samples.next()
  await until(() => reading.refused.length > 0)
  t.is(reading.refused[0]?.reason, 'not encrypted, although it has a key')
  reading.stop()
  await next
})

testOnBus('an encrypted frame of before that somebody sends again is refused', async (t) => {
  await using air = await openSealed((round) => sealed(round))
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  const before = await take(reading, 12)
  air.say(() => sealed(0))
  const next = reading.samples.next()
  await until(() => reading.refused.length > 0)
  t.regex(reading.refused[0]?.reason ?? '', /^counter 1 after \d+: a frame of before, sent again$/)
  t.true(
    before.every(({ counter }, i) => i === 0 || (counter ?? 0) > (before[i - 1]?.counter ?? 0)),
  )
  reading.stop()
  await next
})

for (const [what, options, reason] of [
  ['open to others', { mode: 0o644 }, /others than its owner/],
  ['no key', { content: 'not a key, but a secret' }, /32 hexadecimal digits/],
] as const) {
  testOnBus(`a key file that is ${what} is refused, and not repeated`, async (t) => {
    await using air = await openSealed((round) => sealed(round), options)
    await using reading = started(bleThermometer, air.options)
    const error = await t.throwsAsync(reading.samples.next(), {
      code: 'SECRET_REFUSED',
      message: reason,
    })
    t.false(`${error?.message}${(error as KedgeError).hint}`.includes('a secret,'))
    t.false(error?.message.includes(keyHex))
  })
}

testOnBus('a sensor that is not heard any more counts as gone', async (t) => {
  await using air = await openAir(ruuviSays, { silentMs: 1000 })
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  await take(reading, 4)
  await air.hush()
  const error = await t.throwsAsync(
    async () => {
      for await (const _ of reading.samples);
    },
    { code: 'SENSOR_ABSENT', message: `${tag} was not heard for 1000 ms` },
  )
  t.truthy((error as KedgeError).hint)
})

testOnBus('a sensor that is set to another format is told, and what it says instead', async (t) => {
  await using air = await openAir(pvvxSays, { silentMs: 1000 })
  await air.speak()
  await using reading = started(bleThermometer, air.options)
  await t.throwsAsync(reading.samples.next(), {
    code: 'SENSOR_GARBLED',
    message: `${tag} advertises no ruuvi, but service 181a`,
  })
})

type Air = Awaited<ReturnType<typeof openAir>>
const isOff = 'the Bluetooth adapter hci0 is switched off'
const isNone = 'there is no Bluetooth adapter hci0'
const isGone = 'BlueZ was stopped or started anew'

for (const [what, change, then, later] of [
  ['the adapter is switched off', (air: Air) => air.bluez.power(false), isOff, isOff],
  ['the adapter is drawn', (air: Air) => air.bluez.takeAdapter(), isNone, isNone],
  ['BlueZ is stopped', (air: Air) => air.bluez.leave(), isGone, 'BlueZ is not running'],
  // Who is thrown out first is a matter of luck.
  [
    'the message bus is stopped',
    (air: Air) => air.bus.stop(),
    /^the D-Bus at .* was closed$|^BlueZ was stopped/,
    /^no D-Bus answers at /,
  ],
] as const) {
  testOnBus(`when ${what}, a person is told so, then and at the next try`, async (t) => {
    await using air = await openAir()
    await air.speak()
    await using reading = started(bleThermometer, air.options)
    await take(reading, 1)
    await change(air)
    await using again = started(bleThermometer, air.options)
    for (const [samples, message] of [
      [reading.samples, then],
      [again.samples, later],
    ] as const) {
      const error = await t.throwsAsync(
        async () => {
          for await (const _ of samples);
        },
        { code: 'SENSOR_ABSENT', message },
      )
      t.truthy((error as KedgeError).hint)
    }
  })
}

testOnBus('after a restart of BlueZ it is read again', async (t) => {
  await using air = await openAir()
  await air.speak()
  for (let round = 0; round < 2; round++) {
    await using reading = started(bleThermometer, air.options)
    t.is((await take(reading, 1)).length, 1)
    await air.bluez.leave()
    await air.bluez.join()
    await t.throwsAsync(
      async () => {
        for await (const _ of reading.samples);
      },
      { message: isGone },
    )
  }
})

testOnBus('who may not speak to BlueZ is told which group lets him', async (t) => {
  const denied = '<deny send_destination="org.bluez"/>'
  await using air = await openAir(ruuviSays, {}, { denied })
  await using reading = started(bleThermometer, air.options)
  const error = await t.throwsAsync(reading.samples.next(), {
    code: 'SENSOR_ABSENT',
    message: 'this user may not speak to BlueZ',
  })
  t.regex((error as KedgeError).hint ?? '', /group bluetooth/)
})

testOnBus('another program on the bus cannot put a temperature into BlueZ’s mouth', async (t) => {
  await using air = await openAir(ruuviSays, { kinds: ['temperature'] })
  await using reading = started(bleThermometer, air.options)
  const next = reading.samples.next()
  await until(() => air.bluez.discovering().size > 0)
  const [victim] = air.bluez.discovering().keys()
  await using forger = await air.bus.join()
  const path = `/org/bluez/hci0/dev_${tag.replaceAll(':', '_')}`
  const lie = ruuviBytes(tag, 1, { celsius: 2, humidity: 50 })
  for (const [member, body] of [
    [
      'PropertiesChanged',
      [
        'org.bluez.Device1',
        [['ManufacturerData', ['a{qv}', [[0x0499, ['ay', Array.from(lie)]]]]]],
        [],
      ],
    ],
    ['NameOwnerChanged', ['org.bluez', '', '']],
  ] as const) {
    const isLie = member === 'PropertiesChanged'
    forger.connection.message({
      type: 4,
      serial: 4000 + body.length,
      destination: victim,
      path: isLie ? path : '/org/freedesktop/DBus',
      interface: isLie ? 'org.freedesktop.DBus.Properties' : 'org.freedesktop.DBus',
      member,
      signature: isLie ? 'sa{sv}as' : 'sss',
      body,
    })
  }
  await setTimeout(100)
  await air.speak()
  t.deepEqual((await next).value?.value, [4500, -3])
})

test('without a message bus, or with a wrong address of one, a person is told', async (t) => {
  const folder = await scratchFolder()
  for (const [bus, message] of [
    [`unix:path=${folder.path}/none`, `no D-Bus answers at ${folder.path}/none`],
    ['unix:tmpdir=/tmp', 'the address of the D-Bus names no socket of this computer'],
  ] as const) {
    const options = bleThermometer.options.parse({ address: tag, format: 'ruuvi', bus })
    await using reading = started(bleThermometer, options)
    const error = await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT', message })
    t.truthy((error as KedgeError).hint)
  }
  await folder[Symbol.asyncDispose]()
})

testOnBus('the bus is found where the environment says', async (t) => {
  await using air = await openAir()
  await air.speak()
  process.env.DBUS_SYSTEM_BUS_ADDRESS = air.bus.address
  t.teardown(() => void delete process.env.DBUS_SYSTEM_BUS_ADDRESS)
  await using reading = started(bleThermometer, { ...air.options, bus: undefined })
  t.is((await take(reading, 1)).length, 1)
})

test('addresses are taken in either case, and nothing else is an address', (t) => {
  const given = (address: string) => bleThermometer.options.safeParse({ address, format: 'pvvx' })
  t.is(given('a4:c1:38:8d:18:b2').data?.address, 'A4:C1:38:8D:18:B2')
  const { data } = given('A4:C1:38:8D:18:B2')
  t.deepEqual(
    data && bleThermometer.sources(data).map(({ source }) => source),
    ['temperature', 'humidity', 'battery'].map((kind) => `ble/a4c1388d18b2/${kind}`),
  )
  for (const address of ['A4C1388D18B2', 'A4:C1:38:8D:18', '../../hci0', '']) {
    t.false(given(address).success)
  }
})
