import { Buffer } from 'node:buffer'
import test from 'ava'
import { generate } from 'mqtt-packet'
import { usualLimits } from '../gateway/ingest/limits.ts'
import { randomFrom } from './fuzz/random.ts'
import { brokerUnderTest, hello, ping, publish, rawPublisher } from './helpers/mqtt.ts'

test('packets that come byte by byte are read as if they came at once', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true })
  using publisher = await rawPublisher(under.port)
  const all = [
    hello(),
    publish(1),
    publish(300, 'x'.repeat(300)),
    publish(3, 'y', { qos: 2 }),
    ping,
  ]
  for (const byte of Buffer.concat(all.map((packet) => generate(packet)))) {
    // Nagle is off, and nobody waits: some arrive alone, some in pieces of a few.
    publisher.send(Uint8Array.of(byte))
    await new Promise(setImmediate)
  }
  await publisher.heard(5)
  t.deepEqual(publisher.ids('puback'), [1, 300])
  t.deepEqual(publisher.ids('pubrec'), [3])
  t.deepEqual(
    under.held.map(({ bytes }) => bytes),
    [9, 300, 1],
  )
})

test('a payload of 64 KiB is handed on to be refused on record, a larger one closes the connection', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true })
  const { payloadBytes } = usualLimits
  for (const bytes of [payloadBytes + 1, 200_000]) {
    using publisher = await rawPublisher(under.port, { protocolVersion: 5 })
    await publisher.join()
    publisher.send(publish(1, Buffer.alloc(payloadBytes)), publish(2, Buffer.alloc(bytes)))
    await publisher.closed
    t.deepEqual(publisher.ids('puback'), [1])
    t.like(publisher.told.at(-1), { cmd: 'disconnect', reasonCode: 0x95 })
  }
  t.deepEqual(
    under.held.map(({ bytes }) => bytes),
    [payloadBytes, payloadBytes],
  )
})

test('who announces a packet of 256 MiB is closed before it sends it', async (t) => {
  await using under = await brokerUnderTest()
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(Buffer.of(0x32, 0xff, 0xff, 0xff, 0x7f))
  await publisher.closed
  t.is(under.warnings.length, 1)
})

const firstWords = {
  'nothing at all': Buffer.alloc(0),
  'half a CONNECT': generate(hello()).subarray(0, 9),
}
for (const [what, bytes] of Object.entries(firstWords)) {
  test(`who connects and says ${what} is closed after a while`, async (t) => {
    await using under = await brokerUnderTest({ limits: { connectMs: 50 } })
    using publisher = await rawPublisher(under.port)
    if (bytes.length > 0) publisher.send(bytes)
    await publisher.closed
    t.deepEqual(publisher.told, [])
  })
}

test('who begins a packet and never ends it is closed, though it keeps sending a byte now and then', async (t) => {
  await using under = await brokerUnderTest({ limits: { stalledMs: 100 } })
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(generate(publish(1, 'x'.repeat(60_000))).subarray(0, 10))
  const trickle = setInterval(() => publisher.send(Buffer.of(120)), 10)
  t.teardown(() => clearInterval(trickle))
  await publisher.closed
  t.deepEqual(under.held, [])
})

const breaches = {
  'something else before CONNECT': [publish(1)],
  'a second CONNECT': [hello(), hello()],
  'a request of the web': [
    Buffer.from('POST /ingest/a HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(9)),
  ],
  'an answer to what was never sent': [hello(), Buffer.of(0x40, 2, 0, 1)],
  'a packet without its id': [hello(), Buffer.of(0x32, 11, 0, 8, ...Buffer.from('ingest/a'), 0)],
  'a packet id of 0': [hello(), Buffer.of(0x32, 12, 0, 8, ...Buffer.from('ingest/a'), 0, 0)],
  'a third quality of service': [
    hello(),
    Buffer.of(0x36, 12, 0, 8, ...Buffer.from('ingest/a'), 0, 1),
  ],
  'a topic longer than its packet': [hello(), Buffer.of(0x30, 3, 0, 9, 97)],
  'a ping with something in it': [hello(), Buffer.of(0xc0, 1, 0)],
  'a length of five bytes': [hello(), Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 1)],
  'a length in two forms': [hello(), Buffer.of(0xc0, 0x80, 0)],
  'a subscription to nothing': [hello(), Buffer.of(0x82, 2, 0, 1)],
  'flags that mean nothing': [hello(), Buffer.of(0x80, 7, 0, 1, 0, 2, 97, 98, 0)],
  'an AUTH': [hello(), Buffer.of(0xf0, 0)],
}
for (const [what, packets] of Object.entries(breaches)) {
  test(`${what} closes the connection`, async (t) => {
    await using under = await brokerUnderTest({ storesAtOnce: true })
    using publisher = await rawPublisher(under.port)
    publisher.send(...packets, publish(99))
    await publisher.closed
    t.deepEqual(publisher.ids('puback'), [])
    t.deepEqual(under.held, [])
    t.is(under.warnings.length, 1)
  })
}

test('a thousand streams of garbage leave the broker as it was', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true })
  const startMs = performance.now()
  const random = randomFrom(7)
  const greeting = generate(hello({ clientId: 'noise' }))
  const session = Buffer.concat([greeting, ...[1, 2, 3].map((id) => generate(publish(id)))])
  const streams = [
    () => random.bytes(random.below(300)),
    () => Buffer.concat([greeting, random.bytes(random.below(300))]),
    () => {
      const altered = Uint8Array.from(session)
      for (let left = 1 + random.below(4); left > 0; left--) {
        altered[random.below(altered.length)] = random.below(256)
      }
      return altered
    },
  ]
  for (let left = 100; left > 0; left--) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        using publisher = await rawPublisher(under.port)
        publisher.send(random.oneOf(streams)())
        publisher.socket.end()
        await publisher.closed
      }),
    )
  }
  const before = under.held.length
  using publisher = await rawPublisher(under.port)
  await publisher.join()
  publisher.send(publish(1, 'still there'))
  await publisher.heard(2)
  t.deepEqual(publisher.ids('puback'), [1])
  t.is(under.held.length, before + 1)
  t.is(under.broker.connected, 1)
  const minutes = Math.ceil((performance.now() - startMs) / 60_000)
  t.true(under.warnings.length <= 20 * minutes, 'the log is not drowned')
})

test('a publisher that is faster than the disk is read more slowly, and nothing is lost', async (t) => {
  const { publicationBytes } = usualLimits
  const limits = { backlogBytes: 10 * publicationBytes, allBacklogsBytes: 25 * publicationBytes }
  await using under = await brokerUnderTest({ limits })
  const publishers = await Promise.all(Array.from({ length: 4 }, () => rawPublisher(under.port)))
  const count = 500
  for (const publisher of publishers) {
    publisher.send(hello())
    for (let id = 1; id <= count; id++) publisher.send(publish(id))
  }
  // Two connections have used up their own room then, and the third what was left of everybody's.
  await under.arrived(25)
  let mostHeld = 0
  for (let stored = 0; stored < count * publishers.length; stored++) {
    await under.arrived(stored + 1)
    mostHeld = Math.max(mostHeld, under.held.length - stored)
    under.held[stored]?.store()
  }
  for (const publisher of publishers) {
    await publisher.heard(1 + count)
    t.deepEqual(
      publisher.ids('puback'),
      Array.from({ length: count }, (_, i) => i + 1),
    )
    publisher[Symbol.dispose]()
  }
  t.true(mostHeld <= 25, `${mostHeld} at once`)
})

test('one publisher alone does not get all the room', async (t) => {
  const limits = { backlogBytes: 10 * usualLimits.publicationBytes }
  await using under = await brokerUnderTest({ limits })
  using publisher = await rawPublisher(under.port)
  publisher.send(hello(), ...Array.from({ length: 300 }, (_, i) => publish(i + 1)))
  await under.arrived(10)
  let mostHeld = 0
  for (let stored = 0; stored < 300; stored++) {
    await under.arrived(stored + 1)
    mostHeld = Math.max(mostHeld, under.held.length - stored)
    under.held[stored]?.store()
  }
  await publisher.heard(301)
  t.is(publisher.ids('puback').length, 300)
  t.is(mostHeld, 10)
})

test.serial('who finds no room waits for what others sent, and has its turn', async (t) => {
  const limits = { allBacklogsBytes: 10 * usualLimits.publicationBytes }
  await using under = await brokerUnderTest({ limits })
  using first = await rawPublisher(under.port)
  using second = await rawPublisher(under.port)
  await Promise.all([first.join(), second.join()])
  first.send(...Array.from({ length: 10 }, (_, i) => publish(i + 1)))
  await under.arrived(10)
  second.send(publish(1, 'of the second'))
  // Time for it to be heard and put off; should it be late, this test shows less, and passes.
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.is(under.held.length, 10)
  for (const { store } of under.held) store()
  await under.arrived(11)
  under.held[10]?.store()
  await second.heard(2)
  t.deepEqual(second.ids('puback'), [1])
})

test('a publisher that waits for a slow disk is not taken for silent', async (t) => {
  const limits = { backlogBytes: 10 * usualLimits.publicationBytes }
  await using under = await brokerUnderTest({ limits })
  using publisher = await rawPublisher(under.port)
  publisher.send(
    hello({ keepalive: 1 }),
    ...Array.from({ length: 20 }, (_, i) => publish(i + 1)),
    ping,
  )
  await under.arrived(10)
  // Longer than the silence that was agreed.
  await new Promise((resolve) => setTimeout(resolve, 2000))
  for (let stored = 0; stored < 20; stored++) {
    await under.arrived(stored + 1)
    under.held[stored]?.store()
  }
  await publisher.heard(22)
  t.deepEqual(
    publisher.ids('puback'),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
})

test('a stop is heard by a publisher that is being slowed down', async (t) => {
  const limits = { backlogBytes: 10 * usualLimits.publicationBytes }
  const under = await brokerUnderTest({ limits })
  using publisher = await rawPublisher(under.port)
  publisher.send(hello(), ...Array.from({ length: 5000 }, (_, i) => publish(i + 1)))
  await under.arrived(10)
  const stopped = under.broker[Symbol.asyncDispose]()
  for (const { store } of under.held) store()
  await Promise.all([publisher.closed, stopped])
  t.deepEqual(
    publisher.ids('puback'),
    Array.from({ length: 10 }, (_, i) => i + 1),
  )
})

test('who never reads its answers is closed, and nobody else notices', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true, limits: { stalledMs: 200 } })
  using deaf = await rawPublisher(under.port)
  await deaf.join()
  deaf.socket.pause()
  const pings = Buffer.alloc(65_536, Buffer.of(0xc0, 0))
  const flood = () => {
    while (deaf.socket.writable && deaf.socket.write(pings));
  }
  deaf.socket.on('drain', flood)
  flood()
  using other = await rawPublisher(under.port)
  await other.join()
  other.send(publish(1))
  await other.heard(2)
  t.deepEqual(other.ids('puback'), [1])
  await new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (under.broker.connected > 1) return
      clearInterval(look)
      resolve()
    }, 20)
  })
  t.is(under.broker.connected, 1)
})

test('one connection too many is turned away, and the others stay', async (t) => {
  await using under = await brokerUnderTest({ storesAtOnce: true, limits: { connections: 2 } })
  using first = await rawPublisher(under.port)
  using second = await rawPublisher(under.port)
  await Promise.all([first.join(), second.join()])
  using third = await rawPublisher(under.port)
  await third.closed
  first.send(publish(1))
  second.send(publish(1))
  await Promise.all([first.heard(2), second.heard(2)])
  t.deepEqual([first.ids('puback'), second.ids('puback'), third.told], [[1], [1], []])
  t.regex(under.warnings[0] ?? '', /2 are connected/)
})

test('passwords, wills and odd client ids never reach the log', async (t) => {
  await using under = await brokerUnderTest()
  for (const protocolVersion of [4, 5]) {
    using publisher = await rawPublisher(under.port, { protocolVersion })
    await publisher.join({
      clientId: 'line\nbreak',
      username: 'SECRET',
      password: Buffer.from('SECRET'),
      will: { topic: 'SECRET', payload: Buffer.from('SECRET'), qos: 0, retain: false },
    })
    publisher.send(publish(1, 'SECRET', { topic: 'SECRET' }), publish(2, Buffer.alloc(65_537)))
    await publisher.closed
  }
  t.true(under.warnings.length > 0)
  t.notRegex(under.warnings.join(), /SECRET|\n/)
})
