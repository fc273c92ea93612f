import { Buffer } from 'node:buffer'
import test from 'ava'
import { generate, parser, type Packet as Theirs } from 'mqtt-packet'
import * as answers from '../gateway/ingest/answers.ts'
import { type Frame, openFrames } from '../gateway/ingest/frames.ts'
import { usualLimits } from '../gateway/ingest/limits.ts'
import { type Packet, readPacket, type Version } from '../gateway/ingest/packets.ts'
import { hello, ping, publish } from './helpers/mqtt.ts'

const will = { topic: 'a/b', payload: Buffer.from('gone'), qos: 2 as const, retain: true }
const properties = { userProperties: { a: ['1', '2'], b: '' }, contentType: 'x' }

const readAs = {
  'a bare CONNECT': [
    hello({ clientId: 'a', keepalive: 60 }),
    {
      type: 'connect',
      version: 4,
      clientId: 'a',
      isClean: true,
      keepaliveMs: 60_000,
      isExtended: false,
    },
  ],
  'a CONNECT with everything': [
    hello({ clientId: 'ü', clean: false, will, username: 'u', password: Buffer.from('p') }),
    {
      type: 'connect',
      version: 4,
      clientId: 'ü',
      isClean: false,
      keepaliveMs: 0,
      isExtended: false,
    },
  ],
  'a CONNECT of MQTT 5 with everything': [
    hello({
      protocolVersion: 5,
      clientId: 'a',
      will: { ...will, properties: { willDelayInterval: 7, messageExpiryInterval: 8 } },
      username: 'u',
      properties: { sessionExpiryInterval: 9, receiveMaximum: 3, authenticationMethod: 'x' },
    }),
    { type: 'connect', version: 5, clientId: 'a', isClean: true, keepaliveMs: 0, isExtended: true },
  ],
  'a PUBLISH': [
    publish(0x1234, 'x'),
    { type: 'publish', source: 'probe-1', qos: 1, id: 0x1234, payload: Buffer.from('x') },
  ],
  'an empty PUBLISH with QoS 0': [
    publish(1, '', { qos: 0 }),
    { type: 'publish', source: 'probe-1', qos: 0, id: 0, payload: Buffer.alloc(0) },
  ],
  'a PUBLISH of MQTT 5 with properties': [
    publish(2, 'x', {
      qos: 2,
      protocolVersion: 5,
      properties: { ...properties, messageExpiryInterval: 5 },
    }),
    { type: 'publish', source: 'probe-1', qos: 2, id: 2, payload: Buffer.from('x') },
  ],
  'a PUBLISH to an alias': [
    publish(2, 'x', { protocolVersion: 5, properties: { topicAlias: 1 } }),
    { type: 'malformed' },
  ],
  'a PUBREL': [
    { cmd: 'pubrel', messageId: 7 },
    { type: 'release', id: 7 },
  ],
  'a PUBREL of MQTT 5 with a reason': [
    {
      cmd: 'pubrel',
      messageId: 7,
      reasonCode: 0x92,
      protocolVersion: 5,
      properties: { reasonString: 'x' },
    },
    { type: 'release', id: 7 },
  ],
  'a SUBSCRIBE': [
    { cmd: 'subscribe', messageId: 7, subscriptions: [{ topic: '#', qos: 2 }] },
    { type: 'subscribe', id: 7, topics: 1 },
  ],
  'an UNSUBSCRIBE of MQTT 5': [
    {
      cmd: 'unsubscribe',
      messageId: 7,
      unsubscriptions: ['#'],
      protocolVersion: 5,
      properties: { userProperties: { a: 'b' } },
    },
    { type: 'unsubscribe', id: 7, topics: 1 },
  ],
  'a PINGREQ': [ping, { type: 'ping' }],
  'a DISCONNECT': [{ cmd: 'disconnect' }, { type: 'disconnect' }],
  'a DISCONNECT of MQTT 5 with a reason': [
    {
      cmd: 'disconnect',
      reasonCode: 4,
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 0 },
    },
    { type: 'disconnect' },
  ],
} as const

for (const [what, [theirs, ours]] of Object.entries(readAs)) {
  const { protocolVersion = 4, cmd } = theirs as Theirs & { protocolVersion?: Version }
  const bytes = generate(theirs as unknown as Theirs, { protocolVersion })
  const version = cmd === 'connect' ? undefined : protocolVersion

  test(`${what} written by someone else is understood`, (t) => {
    t.deepEqual(readWhole(bytes, version), ours as unknown as Packet)
  })

  const { first, body } = frameOf(bytes)
  if (body.length === 0) continue
  test(`${what} that is cut short, with its length put right, is not taken for whole`, (t) => {
    // A payload may end anywhere, and MQTT 5 leaves out what would say nothing.
    const needed = 'payload' in ours ? body.length - ours.payload.length : body.length
    const mayEnd = version === 5 && (cmd === 'pubrel' || cmd === 'disconnect') ? 3 : -1
    for (let length = mayEnd + 1; length < needed; length++) {
      const cut = readPacket({ first, body: body.subarray(0, length) }, version)
      t.is(cut.type, 'malformed', `${length} of ${body.length} bytes`)
    }
  })
}

test('what is no UTF-8, or holds a zero, is no client id', (t) => {
  for (const id of [[0xff], [0xed, 0xa0, 0x80], [97, 0, 98]]) {
    const bytes = Buffer.from(generate(hello({ clientId: 'x'.repeat(id.length) })))
    bytes.set(id, bytes.length - id.length)
    t.is(readWhole(bytes, undefined).type, 'malformed')
  }
})

test('properties that overlap their end, come twice or are not known are malformed', (t) => {
  const withProperties = (...properties: number[]) =>
    readPacket(
      { first: 0x32, body: Buffer.of(0, 8, ...Buffer.from('ingest/a'), 0, 1, ...properties) },
      5,
    )
  t.is(withProperties(2, 1, 1).type, 'publish')
  t.is(withProperties(7, 38, 0, 1, 97, 0, 1, 98).type, 'publish')
  t.is(withProperties(4, 1, 1, 1, 1).type, 'malformed')
  t.is(withProperties(1, 1, 1).type, 'malformed')
  t.is(withProperties(9, 1, 1).type, 'malformed')
  t.is(withProperties(2, 99, 1).type, 'malformed')
  t.is(withProperties(0xff, 0xff, 0xff, 0xff, 1).type, 'malformed')
  t.is(withProperties().type, 'malformed')
})

test('a SUBSCRIBE to many topics is counted out', (t) => {
  const subscriptions = Array.from({ length: 300 }, (_, i) => ({
    topic: `a/${i}`,
    qos: 1 as const,
  }))
  const bytes = generate({ cmd: 'subscribe', messageId: 1, subscriptions })
  t.deepEqual(readWhole(bytes, 4), { type: 'subscribe', id: 1, topics: 300 })
})

test('what is said to publishers is understood by someone else', (t) => {
  const connect = (version: Version) => ({ ...readAs['a bare CONNECT'][1], version })
  const { accepted, refused, completed, subscriptionRefused, unsubscribed, reasons } = answers
  t.like(heardBy(4, accepted(connect(4), null, usualLimits)), {
    cmd: 'connack',
    returnCode: 0,
    sessionPresent: false,
  })
  t.like(heardBy(5, accepted(connect(5), 'kedge-x', usualLimits)), {
    cmd: 'connack',
    reasonCode: 0,
    sessionPresent: false,
    properties: {
      sessionExpiryInterval: 0,
      receiveMaximum: 2048,
      maximumPacketSize: 65_536 + 1024,
      assignedClientIdentifier: 'kedge-x',
    },
  })
  t.like(heardBy(4, refused(4, reasons.clientIdInvalid)), { returnCode: 2 })
  t.like(heardBy(5, refused(5, reasons.badAuthentication)), { reasonCode: 0x8c })
  t.like(heardBy(5, completed(5, 258, false)), { cmd: 'pubcomp', messageId: 258, reasonCode: 0x92 })
  t.like(heardBy(4, completed(4, 258, false)), { cmd: 'pubcomp', messageId: 258 })
  t.like(heardBy(4, subscriptionRefused(4, 1, 300)), { granted: new Array(300).fill(0x80) })
  t.like(heardBy(5, subscriptionRefused(5, 1, 20_000)), { granted: new Array(20_000).fill(0x87) })
  t.like(heardBy(4, unsubscribed(4, 1, 2)), { cmd: 'unsuback', messageId: 1 })
  t.like(heardBy(5, unsubscribed(5, 1, 2)), { cmd: 'unsuback', granted: [0x11, 0x11] })
  t.like(heardBy(5, answers.farewell(5, reasons.stopping) ?? Buffer.of()), {
    cmd: 'disconnect',
    reasonCode: 0x8b,
  })
  t.is(answers.farewell(4, reasons.stopping), null)
})

const readWhole = (bytes: Buffer, version: Version | undefined): Packet =>
  readPacket(frameOf(bytes), version)

function frameOf(bytes: Buffer): Frame {
  const frames = openFrames(usualLimits.packetBytes)
  frames.feed(bytes)
  const frame = frames.next()
  if (typeof frame !== 'object' || frames.isMidway) throw new Error('no whole packet')
  return frame
}

/** Exactly one packet. */
function heardBy(protocolVersion: Version, bytes: Buffer): Theirs | undefined {
  const heard: Theirs[] = []
  const rest = parser({ protocolVersion })
    .on('packet', (packet) => heard.push(packet))
    .parse(bytes)
  return rest === 0 && heard.length === 1 ? heard[0] : undefined
}
