import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { connectAsync } from 'mqtt'
import type { Packet } from 'mqtt-packet'
import { openBroker } from '../gateway/ingest/broker.ts'
import { brokerUnderTest, hello, ping, publish, rawPublisher } from './helpers/mqtt.ts'

test('no publisher has its PUBACK before the reading is on disk', async (t) => {
  await using under = await brokerUnderTest()
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(publish(7), ping)
  await publisher.heard(2)
  t.deepEqual(
    publisher.told.map(({ cmd }) => cmd),
    ['connack', 'pingresp'],
  )
  t.deepEqual(
    under.held.map(({ source, text }) => [source, text]),
    [['probe-1', 'payload 7']],
  )

  under.held[0]?.store()
  await publisher.heard(3)
  t.deepEqual(publisher.ids('puback'), [7])
})

test('PUBACKs come in the order of the readings, whichever is on disk first', async (t) => {
  await using under = await brokerUnderTest()
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(publish(1), publish(2), publish(3), publish(4))
  await under.arrived(4)
  under.held[1]?.store()
  under.held[2]?.store()
  publisher.send(ping)
  await publisher.heard(2)
  t.deepEqual(publisher.ids('puback'), [])
  under.held[0]?.store()
  await publisher.heard(5)
  t.deepEqual(publisher.ids('puback'), [1, 2, 3])
  under.held[3]?.store()
  await publisher.heard(6)
  t.deepEqual(publisher.ids('puback'), [1, 2, 3, 4])
})

for (const protocolVersion of [4, 5] as const) {
  test(`an ordinary client of MQTT ${protocolVersion === 4 ? '3.1.1' : '5'} brings readings with every quality of service`, async (t) => {
    await using under = await brokerUnderTest({ storesAtOnce: true })
    const client = await connectAsync(under.url, { protocolVersion, username: 'u', password: 'p' })
    for (const qos of [0, 1, 2] as const) {
      await client.publishAsync('ingest/Probe_1.a-b', `qos ${qos}`, { qos, retain: qos === 1 })
    }
    await under.arrived(3)
    t.deepEqual(
      under.held.map(({ source, text }) => `${source}: ${text}`),
      ['Probe_1.a-b: qos 0', 'Probe_1.a-b: qos 1', 'Probe_1.a-b: qos 2'],
    )
    t.is(under.broker.connected, 1)
    await client.endAsync()
    t.deepEqual(under.warnings, [])
  })

  test(`properties, wills and long names of MQTT ${protocolVersion === 4 ? '3.1.1' : '5'} do no harm, and a will is never published`, async (t) => {
    await using under = await brokerUnderTest({ storesAtOnce: true })
    const client = await connectAsync(under.url, {
      protocolVersion,
      clientId: 'ü'.repeat(100),
      will: { topic: 'ingest/probe-1', payload: Buffer.from('{}'), qos: 2, retain: true },
      properties: { sessionExpiryInterval: 100, userProperties: { a: ['1', '2'], b: '3' } },
    })
    const properties = { messageExpiryInterval: 60, contentType: 'x', userProperties: { a: 'b' } }
    await client.publishAsync('ingest/probe-1', 'first', {
      qos: 1,
      ...(protocolVersion === 5 && { properties }),
    })
    client.stream.destroy()
    await new Promise<void>((resolve) => client.once('close', resolve))
    await client.endAsync(true)
    using publisher = await rawPublisher(under.port)
    await publisher.join()
    publisher.send(publish(1))
    await publisher.heard(2)
    t.deepEqual(
      under.held.map(({ text }) => text),
      ['first', 'payload 1'],
    )
  })

  test(`MQTT ${protocolVersion === 4 ? '3.1.1' : '5'}: whoever subscribes is told that nothing is published here`, async (t) => {
    await using under = await brokerUnderTest()
    using publisher = await rawPublisher(under.port, { protocolVersion })
    await publisher.join()
    const subscriptions = Array.from({ length: 200 }, (_, i) => ({
      topic: `a/${i}/#`,
      qos: 1 as const,
    }))
    publisher.send({ cmd: 'subscribe', messageId: 5, subscriptions })
    publisher.send({ cmd: 'unsubscribe', messageId: 6, unsubscriptions: ['a/1/#', 'a/2/#'] })
    await publisher.heard(3)
    const [, suback, unsuback] = publisher.told as Extract<Packet, { cmd: 'suback' }>[]
    t.deepEqual(suback?.granted, new Array(200).fill(protocolVersion === 4 ? 0x80 : 0x87))
    t.deepEqual([suback?.messageId, unsuback?.cmd, unsuback?.messageId], [5, 'unsuback', 6])
  })
}

test('a reading that cannot be stored closes the connection, so that its publisher sends it again', async (t) => {
  await using under = await brokerUnderTest()
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(publish(1), publish(2), publish(3))
  await under.arrived(3)
  under.held[2]?.store()
  under.held[1]?.fail()
  under.held[0]?.store()
  await publisher.closed
  t.deepEqual(publisher.ids('puback'), [1])
  t.is(under.warnings.length, 1)
  t.regex(under.warnings[0] ?? '', /could not be stored/)
})

test('a publisher that lost its connection sends the reading again, and is answered when it is stored', async (t) => {
  await using under = await brokerUnderTest()
  const client = await connectAsync(under.url, {
    reconnectPeriod: 1,
    clientId: 'stubborn',
    clean: false,
  })
  const published = client.publishAsync('ingest/probe-1', 'once more', { qos: 1 })
  await under.arrived(1)
  under.held[0]?.fail()
  await under.arrived(2)
  under.held[1]?.store()
  await published
  t.deepEqual(
    under.held.map(({ text }) => text),
    ['once more', 'once more'],
  )
  await client.endAsync()
})

test('the same packet with QoS 2 is taken once until it is released', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true })
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  const packet = (text: string, dup = false) => publish(9, text, { qos: 2, dup })
  const release = (messageId: number): Packet => ({ cmd: 'pubrel', messageId })
  publisher.send(
    packet('first'),
    packet('first', true),
    release(9),
    packet('second'),
    release(9),
    release(9),
  )
  await publisher.heard(7)
  t.deepEqual(
    under.held.map(({ text }) => text),
    ['first', 'second'],
  )
  t.deepEqual(publisher.ids('pubrec'), [9, 9, 9])
  t.deepEqual(publisher.ids('pubcomp'), [9, 9, 9])
})

test('a topic that is not taken is refused by its reason, or where there is none by closing', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true })
  const wrong = [
    'ingest',
    'ingest/',
    'ingest/a/b',
    'Ingest/a',
    'ingest/ä',
    'ingest/+',
    `ingest/${'a'.repeat(65)}`,
  ]
  using modern = await rawPublisher(under.port, { protocolVersion: 5 })
  await modern.join({ clientId: 'modern' })
  for (const [i, topic] of wrong.entries()) modern.send(publish(i + 1, 'x', { topic }))
  modern.send(publish(20, 'x', { topic: 'elsewhere', qos: 2 }), publish(21, 'good'))
  await modern.heard(wrong.length + 3)
  const answers = modern.told.slice(1) as Extract<Packet, { cmd: 'puback' }>[]
  t.deepEqual(
    answers.map(
      ({ cmd, messageId, reasonCode }) => `${cmd} ${messageId} ${reasonCode?.toString(16)}`,
    ),
    [...wrong.map((_, i) => `puback ${i + 1} 90`), 'pubrec 20 90', 'puback 21 0'],
  )
  for (const [i, topic] of wrong.entries()) {
    using old = await rawPublisher(under.port)
    await old.join({ clientId: `old-${i}` })
    old.send(publish(1, 'good'), publish(2, 'x', { topic }), publish(3, 'never read'))
    await old.closed
    t.deepEqual(old.ids('puback'), [1], topic)
  }
  t.deepEqual(
    under.held.filter(({ text }) => text !== 'good'),
    [],
  )
  t.is(under.warnings.length, 1 + wrong.length)
  t.regex(under.warnings[0] ?? '', /the publisher modern sent to a topic .* ingest\/ and a name/)
})

test('a second connection under the same client id takes over, and the first is closed', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true })
  using first = await rawPublisher(under.port, { protocolVersion: 5 })
  await first.join({ clientId: 'twin' })
  using second = await rawPublisher(under.port)
  await second.join({ clientId: 'twin' })
  await first.closed
  t.deepEqual(
    first.told.map((packet) => [packet.cmd, 'reasonCode' in packet && packet.reasonCode]),
    [
      ['connack', 0],
      ['disconnect', 0x8e],
    ],
  )
  second.send(publish(1))
  await second.heard(2)
  t.deepEqual(second.ids('puback'), [1])
  t.is(under.broker.connected, 1)
  t.regex(under.warnings[0] ?? '', /twin/)
})

test('a publisher that falls silent is closed, and one that pings is not', async (t) => {
  await using under = await brokerUnderTest()
  using lively = await rawPublisher(under.port)
  await lively.join({ keepalive: 1 })
  using silent = await rawPublisher(under.port, { protocolVersion: 5 })
  const pinging = setInterval(() => lively.send(ping), 100)
  t.teardown(() => clearInterval(pinging))
  await silent.join({ keepalive: 1 })
  await silent.closed
  t.like(silent.told.at(-1), { cmd: 'disconnect', reasonCode: 0x8d })
  const told = lively.told.length
  await lively.heard(told + 5)
  t.true(lively.told.length >= told + 5)
  t.is(under.broker.connected, 1)
})

test('who leaves a name to the broker gets one, and no session is ever there', async (t) => {
  await using under = await brokerUnderTest()
  const connacks: (Packet | undefined)[] = []
  for (const protocolVersion of [4, 5]) {
    for (const flags of [cleanStart, 0]) {
      using publisher = await rawPublisher(under.port, { protocolVersion })
      const rest = [protocolVersion, flags, 0, 0, ...(protocolVersion === 5 ? [0] : []), 0, 0]
      const body = Buffer.concat([Buffer.of(0, 4), Buffer.from('MQTT'), Buffer.from(rest)])
      publisher.send(Buffer.of(0x10, body.length), body)
      await publisher.heard(1)
      connacks.push(publisher.told[0])
    }
  }
  t.like(connacks[0], { sessionPresent: false, returnCode: 0 })
  t.like(connacks[1], { sessionPresent: false, returnCode: 2 })
  for (const connack of connacks.slice(2)) {
    t.like(connack, { sessionPresent: false, reasonCode: 0 })
    const { properties } = connack as Extract<Packet, { cmd: 'connack' }>
    t.is(properties?.sessionExpiryInterval, 0)
    t.regex(properties?.assignedClientIdentifier ?? '', /^kedge-/)
  }
})

test('other versions of MQTT are told so', async (t) => {
  await using under = await brokerUnderTest()
  for (const version of [
    { protocolId: 'MQIsdp', protocolVersion: 3 },
    { protocolId: 'MQTT', protocolVersion: 4, bridgeMode: true },
  ]) {
    using publisher = await rawPublisher(under.port)
    publisher.send(hello(version))
    await publisher.closed
    t.like(publisher.told[0], { cmd: 'connack', returnCode: 1 })
  }
})

test('who says no more is still answered', async (t) => {
  await using under = await brokerUnderTest()
  using halfClosed = await rawPublisher(under.port)
  halfClosed.send(hello(), publish(1), publish(2))
  halfClosed.socket.end()
  using parting = await rawPublisher(under.port)
  parting.send(hello(), publish(1), publish(2), { cmd: 'disconnect' })
  await under.arrived(4)
  for (const { store } of under.held) store()
  await Promise.all([halfClosed.closed, parting.closed])
  t.deepEqual(halfClosed.ids('puback'), [1, 2])
  t.deepEqual(parting.ids('puback'), [1, 2])
})

test('a stop waits for what was taken, answers it and takes nothing more', async (t) => {
  const under = await brokerUnderTest()
  using publisher = await rawPublisher(under.port, { protocolVersion: 5 })
  using idle = await rawPublisher(under.port)
  await Promise.all([publisher.join(), idle.join()])
  for (let id = 1; id <= 100; id++) publisher.send(publish(id))
  await under.arrived(100)
  const stopped = under.broker[Symbol.asyncDispose]()
  publisher.send(publish(101))
  await idle.closed
  t.deepEqual(publisher.ids('puback'), [])
  for (const { store } of under.held) store()
  await Promise.all([publisher.closed, stopped])
  t.deepEqual(
    publisher.ids('puback'),
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
  t.like(publisher.told.at(-1), { cmd: 'disconnect', reasonCode: 0x8b })
  t.is(under.held.length, 100)
  const late = connect({ port: under.port, host: '127.0.0.1' })
  await t.throwsAsync(once(late, 'connect'), { code: 'ECONNREFUSED' })
})

test('a stop does not wait for ever for a disk that hangs', async (t) => {
  const under = await brokerUnderTest({ limits: { endMs: 50 } })
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(publish(1))
  await under.arrived(1)
  await under.broker[Symbol.asyncDispose]()
  await publisher.closed
  t.deepEqual(publisher.ids('puback'), [])
})

test('a port that is taken is said in one sentence, with what to do', async (t) => {
  await using under = await brokerUnderTest()
  const nobody = { warn: () => {}, take: async () => {} }
  const error = await t.throwsAsync(openBroker({ host: '127.0.0.1', port: under.port }, nobody), {
    name: 'KedgeError',
    code: 'LISTEN_REFUSED',
  } as object)
  t.is(
    error?.message,
    `the MQTT broker cannot listen on 127.0.0.1:${under.port}: another program does`,
  )
  t.regex((error as { hint?: string }).hint ?? '', /port 0/)
})

const cleanStart = 2
