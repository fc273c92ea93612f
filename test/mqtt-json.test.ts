import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test from 'ava'
import { generate, parser } from 'mqtt-packet'
import { utf8 } from '../anchor-client/evidence/bytes.ts'
import type { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { loadConfig } from '../config/load.ts'
import { registry } from '../config/registry.ts'
import type { Sample } from '../drivers/driver.ts'
import { readingsIn } from '../drivers/json-readings.ts'
import { mqttJson } from '../drivers/mqtt-json.ts'
import { openMqttFrames } from '../drivers/transports/mqtt-frames.ts'
import { filtersOverlap, matchesTopic, topicFilter } from '../drivers/transports/mqtt-topics.ts'
import { driverSuite, started, until } from './driver-suite.ts'
import { newGateway, startGateway, until as untilSo } from './helpers/gateway.ts'
import { exported, isReading } from './helpers/gateway-site.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'
import { type BrokerOptions, scriptedBroker, thirdBroker } from './helpers/third-broker.ts'

const topic = 'zigbee2mqtt/fridge'
const temperature = { at: '/temperature', unit: 'Cel' }
const fridge = { topic, readings: { temperature } }

async function openBench(of: BrokerOptions = {}, more: object = {}) {
  const broker = await thirdBroker(of)
  let says: NodeJS.Timeout | undefined
  const every = (payload: string) => {
    clearInterval(says)
    says = setInterval(() => broker.publish(topic, payload).catch(() => undefined), 20)
  }
  return {
    broker,
    options: mqttJson.options.parse({
      ...{ url: broker.url, publishers: { fridge }, patienceMs: 600_000 },
      ...more,
    }),
    speak: async () => every('{"temperature": 4.250, "battery": 87, "linkquality": 103}'),
    garble: async () => every('{"temperature": 4.'),
    hush: async () => clearInterval(says),
    unplug: () => broker.unplug(),
    replug: () => broker.replug(),
    opened: async () => broker.connections(),
    async [Symbol.asyncDispose]() {
      clearInterval(says)
      await broker[Symbol.asyncDispose]()
    },
  }
}

driverSuite('JSON from an MQTT broker', {
  driver: mqttJson,
  module: 'drivers/mqtt-json.ts',
  refusedFor: /no JSON/,
  openBench: () => openBench(),
})

/** A driver at work, subscribed; what it yields is committed at once, unless it is asked to hold it. */
async function reading(bench: Awaited<ReturnType<typeof openBench>>, commits = true) {
  const driver = started(mqttJson, bench.options)
  const samples: Sample[] = []
  const ended = (async () => {
    for await (const sample of driver.samples) {
      samples.push(sample)
      if (commits) sample.committed?.()
    }
  })().catch((error: unknown) => error)
  const first = bench.options.publishers.fridge?.topic ?? ''
  await until(() => bench.broker.subscriptionsOf(first) > 0)
  return {
    ...driver,
    samples,
    ended,
    count: (count: number) => until(() => samples.length >= count),
    async [Symbol.asyncDispose]() {
      driver.stop()
      await ended
    },
  }
}

test('the digits of a message are kept as they were sent, each value in a stream of its own', async (t) => {
  const readings = { temperature, battery: { at: '/battery', unit: '%' } }
  await using bench = await openBench({}, { publishers: { fridge: { topic, readings } } })
  await using driver = await reading(bench)
  await bench.broker.publish(topic, '{"temperature": 4.250, "battery": "87"}')
  await driver.count(2)
  t.deepEqual(
    driver.samples.map(({ source, kind, value, unit }) => [source, kind, value, unit]),
    [
      ['json/fridge/temperature', 'temperature', [4250, -3], 'Cel'],
      ['json/fridge/battery', 'battery', [87, 0], '%'],
    ],
  )
})

test('a message is acknowledged to the broker once all its readings are on the disk, and not before', async (t) => {
  const readings = { temperature, battery: { at: '/battery' } }
  await using bench = await openBench({}, { publishers: { fridge: { topic, readings } } })
  await using driver = await reading(bench, false)
  await bench.broker.publish(topic, '{"temperature": 4.2, "battery": 1}')
  await bench.broker.publish(topic, '{"temperature": 4.3, "battery": 2}')
  await driver.count(4)
  const [first, second, third, fourth] = driver.samples
  third?.committed?.()
  fourth?.committed?.()
  first?.committed?.()
  // What comes later has made the way there and back.
  await bench.broker.publish(topic, 'no reading')
  await until(() => driver.refused.length === 1)
  t.is(bench.broker.acknowledged.length, 0, 'the first is half on the disk, and order is kept')
  second?.committed?.()
  await until(() => bench.broker.acknowledged.length === 3)
  t.is(bench.broker.acknowledged.length, 3)
})

test('what was not on the disk when the broker went comes again', async (t) => {
  await using bench = await openBench()
  {
    await using driver = await reading(bench, false)
    await bench.broker.publish(topic, '{"temperature": 4.2}')
    await driver.count(1)
    await bench.unplug()
    t.like(await driver.ended, { code: 'SENSOR_ABSENT' })
  }
  await bench.replug()
  await using driver = await reading(bench)
  await driver.count(1)
  t.deepEqual(driver.samples[0]?.value, [42, -1])
})

test('what a broker marks as sent before is suspect, as nobody knows whether it was recorded then', async (t) => {
  await using broker = await scriptedBroker((say) => {
    for (const [messageId, dup] of [
      [7, true],
      // Once more on the same connection: that one is on its way.
      [7, true],
      [8, false],
    ] as const) {
      const payload = `{"temperature": ${messageId}}`
      say({ cmd: 'publish', topic, payload, qos: 1, dup, retain: false, messageId })
    }
  })
  await using driver = started(
    mqttJson,
    mqttJson.options.parse({ url: broker.url, publishers: { fridge } }),
  )
  const samples = []
  for (let i = 0; i < 2; i++) samples.push((await driver.samples.next()).value)
  t.deepEqual(
    samples.map((sample) => [sample?.value, sample?.quality]),
    [
      [[7, 0], 'suspect: sent again'],
      [[8, 0], undefined],
    ],
  )
  for (const sample of samples) sample?.committed?.()
  await until(() => broker.acknowledged.length === 2)
  t.deepEqual(broker.acknowledged, [7, 8])
  t.deepEqual(broker.connects, [{ clean: false, protocolVersion: 4 }])
})

test('what was published while the gateway was away is read when it is back', async (t) => {
  await using bench = await openBench()
  {
    await using _ = await reading(bench)
  }
  await until(() => bench.broker.connections() === 0)
  for (const digits of ['4.1', '4.2', '4.3']) {
    await bench.broker.publish(topic, `{"temperature": ${digits}}`)
  }
  await using driver = await reading(bench)
  await driver.count(3)
  t.deepEqual(
    driver.samples.map(({ value }) => value),
    [
      [41, -1],
      [42, -1],
      [43, -1],
    ],
  )
})

test('what the broker had kept is refused: nobody knows how old it is', async (t) => {
  await using bench = await openBench()
  await bench.broker.publish(topic, '{"temperature": 4.2}', { retain: true })
  await using driver = await reading(bench)
  await until(() => driver.refused.length > 0)
  t.regex(driver.refused[0]?.reason ?? '', /^fridge: retained/)
  // The same publisher, live, asks for it to be kept: that is fresh.
  await bench.broker.publish(topic, '{"temperature": 4.3}', { retain: true })
  await driver.count(1)
  t.deepEqual(driver.samples[0]?.value, [43, -1])
})

test('a message larger than 64 KiB is refused on record and acknowledged, and the next one is read', async (t) => {
  await using bench = await openBench()
  await using driver = await reading(bench)
  await bench.broker.publish(topic, Buffer.alloc(3_000_000, 0x20))
  await bench.broker.publish(topic, '{"temperature": 4.2}')
  await driver.count(1)
  t.is(driver.refused[0]?.reason, 'fridge: the payload is larger than 64 KiB')
  t.true((driver.refused[0]?.bytes.length ?? Number.POSITIVE_INFINITY) < 140_000)
  await until(() => bench.broker.acknowledged.length === 2)
  t.is(bench.broker.acknowledged.length, 2)
})

test('the same id again is recorded once', async (t) => {
  const publishers = { fridge: { ...fridge, id: '/id', counter: '/id' } }
  await using bench = await openBench({}, { publishers })
  await using driver = await reading(bench)
  for (const id of [7, 7, 8]) await bench.broker.publish(topic, `{"temperature": 4.2, "id": ${id}}`)
  await driver.count(2)
  t.deepEqual(
    driver.samples.map(({ counter, details }) => [counter, details]),
    [7, 8].map((id) => [id, [['publisher-id', String(id)]]]),
  )
  await until(() => bench.broker.acknowledged.length === 3)
  t.is(bench.broker.acknowledged.length, 3)
  t.deepEqual(driver.heard, ['json/fridge/temperature'], 'and yet it was heard')
})

test('a reading whose stated time is long past is suspect, and the time stays beside it', async (t) => {
  const publishers = { fridge: { ...fridge, time: { at: '/at' } } }
  await using bench = await openBench({}, { publishers })
  await using driver = await reading(bench)
  const now = new Date().toISOString()
  for (const at of ['2026-01-31T08:00:00+01:00', now]) {
    await bench.broker.publish(topic, JSON.stringify({ temperature: 4, at }))
  }
  await driver.count(2)
  t.deepEqual(
    driver.samples.map(({ quality, details }) => [quality, details]),
    [
      ['suspect: stale', [['publisher-time', '2026-01-31T08:00:00+01:00']]],
      [undefined, [['publisher-time', now]]],
    ],
  )
})

test('with a wildcard the topic itself stays in the reading, beside its certificate', async (t) => {
  const readings = {
    temperature: { at: '', unit: 'Cel', calibration: { certificate: 'K-1', offset: -0.1 } },
  }
  const publishers = { fridge: { topic: 'shellies/+/temperature/#', readings } }
  await using bench = await openBench({}, { publishers })
  await using driver = await reading(bench)
  await bench.broker.publish('shellies/ht-1/temperature/0', '20.88')
  await driver.count(1)
  const [sample] = driver.samples
  t.deepEqual(
    [sample?.value, sample?.raw],
    [
      [2078, -2],
      [2088, -2],
    ],
  )
  t.deepEqual(sample?.details, [
    ['certificate', 'K-1'],
    ['topic', 'shellies/ht-1/temperature/0'],
  ])
})

test('a publisher that says that it is gone is told once, and told again when it is back', async (t) => {
  const publishers = {
    fridge: {
      ...fridge,
      availability: { topic: 'tele/fridge/LWT', online: 'Online', offline: 'Offline' },
    },
  }
  await using bench = await openBench({}, { publishers })
  await bench.broker.publish('tele/fridge/LWT', 'Offline', { retain: true })
  await using driver = await reading(bench)
  for (const word of ['Offline', '{"state":"Online"}', 'what?']) {
    await bench.broker.publish('tele/fridge/LWT', word)
  }
  await until(() => driver.refused.length > 0)
  t.deepEqual(driver.warnings, ['fridge says that it is gone', 'fridge says that it is back'])
  t.regex(driver.refused[0]?.reason ?? '', /^fridge: its availability/)
  t.deepEqual(driver.heard, ['json/fridge/temperature'], 'what it says itself, not what was kept')
})

test('a broker that wants a password gets it from its file, and no error repeats it', async (t) => {
  await using folder = await scratchFolder()
  const file = `${folder.path}/password`
  await writeFile(file, 'open-sesame\n', { mode: 0o600 })
  const user = { name: 'kedge', password: 'open-sesame' }
  const credentials = { user: 'kedge', password: { file } }
  await using bench = await openBench({ user }, credentials)
  await using driver = await reading(bench)
  await bench.broker.publish(topic, '{"temperature": 4.2}')
  await driver.count(1)
  t.is(driver.samples.length, 1)

  await using other = await openBench({ user: { ...user, password: 'another' } }, credentials)
  const refused = await t.throwsAsync(started(mqttJson, other.options).samples.next(), {
    code: 'SENSOR_ABSENT',
  })
  t.regex((refused as KedgeError).hint ?? '', /user and password/)
  t.false(JSON.stringify([refused?.message, refused?.stack]).includes('sesame'))

  await chmod(file, 0o644)
  await t.throwsAsync(started(mqttJson, other.options).samples.next(), {
    code: 'SECRET_REFUSED',
    message: /others than its owner/,
  })
})

test('a broker behind TLS must show a certificate that the named authority signed', async (t) => {
  await using folder = await scratchFolder()
  const [key, cert] = [`${folder.path}/key.pem`, `${folder.path}/cert.pem`]
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-days', '2'],
    ...['-addext', 'subjectAltName=DNS:localhost'],
  ])
  t.is(made.code, 0, made.stderr)
  await using bench = await openBench({ tls: { key, cert } }, { ca: cert })
  await using driver = await reading(bench)
  await bench.broker.publish(topic, '{"temperature": 4.2}')
  await driver.count(1)
  t.is(driver.samples.length, 1)

  const { ca, ...withoutCa } = bench.options
  t.is(ca, cert)
  await t.throwsAsync(started(mqttJson, withoutCa).samples.next(), {
    code: 'SENSOR_ABSENT',
    message: /SELF_SIGNED/,
  })
})

test('a topic that the broker does not grant is told by name', async (t) => {
  await using bench = await openBench({ forbidden: [topic] })
  const error = await t.throwsAsync(started(mqttJson, bench.options).samples.next(), {
    code: 'SENSOR_ABSENT',
    message: /does not grant/,
  })
  t.truthy((error as KedgeError).hint)
})

test('a broker that never answers the subscription is told as absent, not waited for', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const ear = parser().on('packet', ({ cmd }) => {
      if (cmd === 'connect') {
        socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))
      }
    })
    socket.on('data', (chunk) => ear.parse(chunk)).on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = mqttJson.options.parse({ url, publishers: { fridge }, patienceMs: 200 })
  const { samples, stop } = started(mqttJson, options)
  const late = setTimeout(stop, 60_000)
  await t.throwsAsync(samples.next(), {
    code: 'SENSOR_ABSENT',
    message: /did not answer the subscription within 200 ms/,
  })
  clearTimeout(late)
  for (const socket of sockets) socket.destroy()
  server.close()
})

test('a gateway records what the broker brings, and acknowledges it then', async (t) => {
  await using broker = await thirdBroker()
  const config = `
site: bench
gateway: mqtt-1
devices:
  kitchen:
    driver: mqtt-json
    url: ${broker.url}
    source: kitchen
    publishers:
      fridge:
        topic: ${topic}
        id: /id
        readings: { temperature: { at: /temperature, unit: Cel, least: -40, most: 60 } }
`
  await using site = await newGateway(config)
  await using gateway = await startGateway(site.data, config)
  await until(() => broker.subscriptionsOf(topic) > 0)
  await broker.publish(topic, '{"temperature": 4.250, "id": "a"}')
  await broker.publish(topic, '{"temperature": 85, "id": "b"}')
  await until(() => broker.acknowledged.length === 2)
  const lines = await untilSo(async () => {
    const all = (await exported(site.data, 'kitchen/fridge/temperature')).filter(isReading)
    return all.length > 0 && all
  })
  t.like(lines[0], { value: '4.250', unit: 'Cel', publisherId: 'a' })
  t.is(lines.length, 1)
  const refusal = await gateway.event('refused')
  t.is(refusal.reason, 'fridge: temperature: outside of what the configuration allows')
})

const mapping = (readings: object, more: object = {}) =>
  mqttJson.options.parse({
    url: 'mqtt://localhost',
    publishers: { one: { topic, readings: readings as never, ...more } },
  }).publishers.one as NonNullable<ReturnType<typeof mqttJson.options.parse>['publishers']['one']>

const read = (text: string, readings: object, more?: object) =>
  readingsIn(utf8(text), mapping(readings, more))

for (const [what, text, form, expected] of [
  ['digits in quotes', '{"v":"21.50"}', {}, '21.50'],
  ['an exponent', '{"v":2.15e1}', {}, '21.5'],
  ['a step of a tenth', '{"v":-45}', { scale: 0.1 }, '-4.5'],
  ['a value three levels down', '{"a":{"b":[0,{"c/d":7}]}}', { at: '/a/b/1/c~1d' }, '7'],
  ['a float of JavaScript, rounded', '{"v":21.200000000000003}', { places: 2 }, '21.20'],
  ['halves away from zero', '{"v":-0.125}', { places: 2 }, '-0.13'],
  ['a negative zero', '{"v":-0.001}', { places: 2 }, '0.00'],
] as const) {
  test(`${what}: ${expected}`, (t) => {
    const mapped = read(text, { v: { at: '/v', ...form } })
    if (typeof mapped === 'string') return t.fail(mapped)
    const value = mapped.readings[0]?.value as readonly [number, number]
    t.is(decimalText(value), expected)
    t.deepEqual(mapped.refused, [])
  })
}

test('a word of the configuration stands for true or false', (t) => {
  const contact = { door: { at: '/s', kind: 'contact', states: { OPEN: true, CLOSED: false } } }
  t.like(read('{"s":"CLOSED"}', contact), { readings: [{ kind: 'contact', value: false }] })
  t.like(read('{"s":"AJAR"}', contact), {
    readings: [],
    refused: [{ name: 'door', why: 'none of the states that the configuration names' }],
  })
  t.like(read('{"s":true}', { door: { at: '/s' } }), { readings: [{ value: true }] })
})

for (const [what, text, form, reason] of [
  ['null', '{"v":null}', {}, 'v: null: no value'],
  ['a mark for no value', '{"v":-127.0}', { noValue: [-127] }, 'v: its mark for no value'],
  ['what is too cold', '{"v":-41}', { least: -40 }, 'v: outside of what the configuration allows'],
  ['what is too warm', '{"v":800}', { most: 80 }, 'v: outside of what the configuration allows'],
  ['text', '{"v":"warm"}', {}, 'v: no number'],
  ['an object', '{"v":{}}', {}, 'v: no number'],
  ['more digits than are exact', '{"v":21.200000000000003}', {}, 'v: it has more than 15 digits'],
  ['a number beyond all bounds', '{"v":1e300}', { places: 1 }, 'v: a number beyond all bounds'],
] as const) {
  test(`${what} is refused, never a reading, and its neighbour is taken`, (t) => {
    const mapped = read(`{"n":1,${text.slice(1)}`, { v: { at: '/v', ...form }, n: { at: '/n' } })
    if (typeof mapped === 'string') return t.fail(mapped)
    t.deepEqual(
      mapped.refused.map(({ name, why }) => `${name}: ${why}`),
      [reason],
    )
    t.deepEqual(
      mapped.readings.map(({ name }) => name),
      ['n'],
    )
  })
}

for (const [what, text, more, reason] of [
  ['no JSON', 'online', {}, /no JSON/],
  ['a key twice', '{"v":1,"v":2}', {}, /twice/],
  ['JSON nine levels deep', '[[[[[[[[[1]]]]]]]]]', {}, /at most 8 levels/],
  ['nothing that is named', '{"w":1}', {}, /nothing of what/],
  [
    'no UTF-8',
    Buffer.from('7b2276223a22ff227d', 'hex').toString('latin1'),
    {},
    /nothing|no number|UTF-8/,
  ],
  ['no id', '{"v":1}', { id: '/id' }, /the id/],
  ['a counter that is no number', '{"v":1,"c":"x"}', { counter: '/c' }, /the counter/],
  [
    'a time that does not exist',
    '{"v":1,"t":"2026-02-30T00:00:00Z"}',
    { time: { at: '/t' } },
    /rfc3339/,
  ],
] as const) {
  test(`a message with ${what} is refused as a whole`, (t) => {
    const mapped = read(text, { x: { at: '/v', states: { on: true } } }, more)
    if (typeof mapped === 'string') t.regex(mapped, reason)
    else t.regex(mapped.refused[0]?.why ?? '', /none of the states/)
  })
}

test('times as seconds and milliseconds are understood', (t) => {
  const at = (form: string, text: string) => {
    const mapped = read(`{"v":1,"t":${text}}`, { v: { at: '/v' } }, { time: { at: '/t', form } })
    return typeof mapped === 'string' ? mapped : mapped.time
  }
  t.deepEqual(at('unix-s', '1769843000.25'), { text: '1769843000.25', unixMs: 1_769_843_000_250 })
  t.deepEqual(at('unix-ms', '1769843000250'), { text: '1769843000250', unixMs: 1_769_843_000_250 })
  t.is(at('unix-s', '1e300'), 'the time is no unix-s time that exists')
})

for (const [filter, topic, matches] of [
  ['a/b', 'a/b', true],
  ['a/+', 'a/b', true],
  ['a/+', 'a/b/c', false],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['+/+', '/b', true],
  ['#', '$SYS/uptime', false],
  ['a/b', 'A/b', false],
] as const) {
  test(`the filter ${filter} ${matches ? 'takes' : 'does not take'} ${topic}`, (t) => {
    t.is(matchesTopic(filter, topic), matches)
  })
}

test('two topics of which a broker could send one message twice are refused', (t) => {
  t.true(filtersOverlap('a/+/c', 'a/b/#'))
  t.true(filtersOverlap('a/b', 'a/+'))
  t.false(filtersOverlap('a/+/c', 'a/b/d'))
  const both = (other: string) =>
    mqttJson.options.safeParse({
      url: 'mqtt://localhost',
      publishers: { one: fridge, two: { ...fridge, topic: other } },
    }).success
  t.true(both('zigbee2mqtt/freezer'))
  t.true(both(topic), 'the same one is subscribed to once')
  t.false(both('zigbee2mqtt/+'))
})

for (const wrong of ['', 'a/b+', 'a/#/c', 'a#', '$share/g/a', 'a\0b', 'x'.repeat(201)]) {
  test(`${JSON.stringify(wrong.slice(0, 12))} is no topic`, (t) => {
    t.false(topicFilter.safeParse(wrong).success)
  })
}

test('packets are cut out of any pieces, and one that is too long keeps its place', (t) => {
  const long = Buffer.concat([Buffer.of(0x32, 0xac, 2), Buffer.alloc(300, 0x61)])
  const stream = Buffer.concat([Buffer.of(0xd0, 0), long, Buffer.of(0x40, 2, 0, 7)])
  for (const size of [1, 2, 3, 7, 100, 1000]) {
    const frames = openMqttFrames(200)
    const cut: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) {
      cut.push(...frames.feed(stream.subarray(at, at + size)))
    }
    t.deepEqual(
      cut.map((frame) => [frame[0], frame.length]),
      [
        [0xd0, 2],
        [0x32, 203],
        [0x40, 4],
      ],
      `${size} bytes at a time`,
    )
  }
  t.throws(() => openMqttFrames(200).feed(Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 1)))
  t.throws(() =>
    openMqttFrames(200).feed(Buffer.concat([Buffer.of(0x90, 0xac, 2), Buffer.alloc(300)])),
  )
})

test('the configuration takes a secret by its place alone', (t) => {
  const faults = (password: string) => {
    const text = `site: a\ngateway: b\ndevices:\n  c:\n    driver: mqtt-json\n    url: mqtts://broker.example:8883\n    user: k\n    password: ${password}\n    ca: ./ca.pem\n    publishers: { f: { topic: t, readings: { temperature: { at: /t } } } }\n`
    const loaded = loadConfig(utf8(text), 'kedge.yaml', '/data', registry)
    return loaded.faults?.map(({ error }) => error.message) ?? []
  }
  t.deepEqual(faults('{ file: ./password }'), [])
  const [fault = ''] = faults('open-sesame')
  t.regex(fault, /password/)
  t.false(fault.includes('sesame'))
})
