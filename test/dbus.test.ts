import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { openDBus, theBus } from '../drivers/transports/dbus.ts'
import {
  decodeMessage,
  encodeCall,
  headBytes,
  lengthOf,
  maxMessageBytes,
} from '../drivers/transports/dbus-messages.ts'
import { readerOf, writeValues } from '../drivers/transports/dbus-values.ts'
import { scratchFolder } from './helpers/scratch.ts'

/** Another's codec: the two must agree in both directions. */
interface OtherCodec {
  marshall(message: object): Buffer
  unmarshall(bytes: Buffer): Record<string, unknown>
}
const name: string = '@homebridge/dbus-native/lib/message.js'
const other: OtherCodec = (await import(name)).default

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const signal = {
  ...{
    type: 4,
    serial: 7,
    path: '/org/bluez/hci0/dev_A4_C1_38_8D_18_B2',
    member: 'PropertiesChanged',
  },
  ...{ interface: 'org.freedesktop.DBus.Properties', sender: ':1.9', signature: 'sa{sv}as' },
}
const changed = [
  ['RSSI', ['n', -71]],
  ['ManufacturerData', ['a{qv}', [[0x0499, ['ay', [5, 0, 255]]]]]],
  ['ServiceData', ['a{sv}', [['0000fcd2-0000-1000-8000-00805f9b34fb', ['ay', [0x40]]]]]],
  ['Connected', ['b', false]],
  ['Class', ['u', 4_000_000_000]],
]
const spoken = other.marshall({ ...signal, body: ['org.bluez.Device1', changed, ['TxPower']] })

test('a signal that another program wrote is read as it was meant', (t) => {
  t.is(lengthOf(spoken), spoken.length)
  const { body, ...head } = decodeMessage(spoken) ?? t.fail()
  t.deepEqual(head, {
    ...{ type: 'signal', path: signal.path, interface: signal.interface, member: signal.member },
    ...{ sender: ':1.9', errorName: null, replySerial: null },
  })
  const bytes = (...all: number[]) => ({ type: 'ay', value: Uint8Array.from(all) })
  t.deepEqual(body, [
    'org.bluez.Device1',
    new Map<string, unknown>([
      ['RSSI', { type: 'n', value: -71 }],
      ['ManufacturerData', { type: 'a{qv}', value: new Map([[0x0499, bytes(5, 0, 255)]]) }],
      [
        'ServiceData',
        {
          type: 'a{sv}',
          value: new Map([['0000fcd2-0000-1000-8000-00805f9b34fb', bytes(0x40)]]),
        },
      ],
      ['Connected', { type: 'b', value: false }],
      ['Class', { type: 'u', value: 4_000_000_000 }],
    ]),
    ['TxPower'],
  ])
})

test('a call that is written here is read by another program as it was meant', (t) => {
  const filter = new Map([
    ['Transport', { type: 's', value: 'le' }],
    ['DuplicateData', { type: 'b', value: true }],
  ])
  const call = {
    ...{ destination: 'org.bluez', path: '/org/bluez/hci0', interface: 'org.bluez.Adapter1' },
    member: 'SetDiscoveryFilter',
  }
  const bytes = encodeCall(258, { ...call, signature: 'a{sv}', body: [filter] })
  t.is(lengthOf(bytes), bytes.length)
  const { body, ...head } = other.unmarshall(Buffer.from(bytes))
  t.deepEqual(head, { ...call, type: 1, flags: 0, serial: 258, signature: 'a{sv}' })
  const [entries] = body as [[string, [unknown, [unknown]]][]]
  t.deepEqual(
    entries.map(([key, [, [value]]]) => [key, value]),
    [
      ['Transport', 'le'],
      ['DuplicateData', true],
    ],
  )
})

test('numbers of every width are read in either order of their bytes', (t) => {
  const little = bytesOf('fe ff 0300 fcffffff 0500000000000000 faffffffffffffff 000000000000f83f')
  const big = bytesOf('fffe 0003 fffffffc 0000000000000005 fffffffffffffffa 3ff8000000000000')
  for (const [bytes, isLittle] of [
    [little, true],
    [big, false],
  ] as const) {
    t.deepEqual(readerOf(bytes, isLittle).values('nqitxd'), [-2, 3, -4, 5n, -6n, 1.5])
  }
})

for (const [what, signature, hex, reason] of [
  ['a boolean of 2', 'b', '02000000', /neither 0 nor 1/],
  ['padding with something in it', 'yu', '01 000100 02000000', /padding that is not zero/],
  ['a text that goes on', 's', '01000000 4142', /text without its end/],
  ['a text with a zero in it', 's', '02000000 410000', /zero in it/],
  ['a text that is none', 's', '01000000 ff00', /not UTF-8/],
  ['a text that is longer than the message', 's', 'ffffffff 4100', /half a message/],
  ['a path with nothing between two slashes', 'o', '03000000 2f2f6100', /object path that is none/],
  ['a path that leads up', 'o', '03000000 2f2e2e00', /object path that is none/],
  ['a variant of two types', 'v', '02737300', /not of one type/],
  ['a variant of none', 'v', '0000', /not of one type/],
  ['an array that is longer than the message', 'ay', 'ffffff7f 00', /half a message/],
  ['an array that ends within a number', 'au', '03000000 00000000', /longer than it says/],
  ['variants without end', 'v', '017600'.repeat(200), /in more than 32 others/],
  ['arrays without end', 'v', `fe${'61'.repeat(253)}7900`, /in more than 32 others/],
  ['a structure of nothing', 'v', '02282900', /signature that is none/],
  ['a structure without its end', 'v', '02287900', /signature that is none/],
  ['a pair outside a map', 'v', '047b73767d00', /signature that is none/],
  ['a map of three', 'v', '06617b7379797d00', /map without a key/],
  ['a map whose keys are variants', 'v', '05617b76737d00', /map without a key/],
  ['a type that is none', 'v', '017a00', /signature that is none/],
] as const) {
  test(`${what} is refused with its reason`, (t) => {
    t.throws(() => readerOf(bytesOf(hex), true).values(signature), {
      code: 'SENSOR_GARBLED',
      message: reason,
    })
  })
}

const withByte = (at: number, byte: number) => Uint8Array.from(spoken).with(at, byte)
const headless = (fields: object) => other.marshall({ type: 4, serial: 7, ...fields })

for (const [what, bytes, reason] of [
  ['without an order of its bytes', withByte(0, 0x78), /bytes that are no message/],
  ['of another version', withByte(3, 2), /version 2/],
  [
    'of four billion bytes',
    Uint8Array.from(spoken).fill(0xff, 4, 8),
    /a message of 4294967\d+ bytes/,
  ],
  ['whose fields are longer than it', Uint8Array.from(spoken).fill(0xff, 12, 16), /bytes/],
  ['without a number', Uint8Array.from(spoken).fill(0, 8, 12), /without number/],
  ['of no type', withByte(1, 0), /without number or type/],
  ['that is cut off', Uint8Array.from(spoken).subarray(0, -1), /body of another size/],
  ['that goes on', Uint8Array.from([...spoken, 0]), /body of another size/],
  [
    'without a member',
    headless({ path: '/', interface: 'a.b' }),
    /\(signal\) without a header field/,
  ],
  [
    'without a path',
    headless({ member: 'M', interface: 'a.b' }),
    /\(signal\) without a header field/,
  ],
  [
    'that answers nothing',
    other.marshall({ type: 2, serial: 7 }),
    /\(return\) without a header field/,
  ],
  [
    'with an error that has no name',
    other.marshall({ type: 3, serial: 7, replySerial: 1 }),
    /\(error\) without a header field/,
  ],
] as const) {
  test(`a message ${what} is refused`, (t) => {
    t.throws(
      () => {
        lengthOf(bytes)
        decodeMessage(bytes)
      },
      { code: 'SENSOR_GARBLED', message: reason },
    )
  })
}

test('a message of a kind that is not known is passed over', (t) => {
  t.is(decodeMessage(withByte(1, 9)), null)
})

test('whatever arrives is read or refused by name', (t) => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.nat(spoken.length - 1), fc.nat(255), fc.nat(spoken.length))
      .map(([at, byte, length]) => withByte(at, byte).subarray(0, length)),
  )
  fc.assert(
    fc.property(hostile, (bytes) => {
      try {
        if (bytes.length >= headBytes) lengthOf(bytes)
        decodeMessage(bytes)
      } catch (error) {
        if (!(error instanceof KedgeError && error.code === 'SENSOR_GARBLED')) throw error
      }
    }),
    { numRuns: 5000 },
  )
  t.pass()
})

test('what is written is read again', (t) => {
  const variant = fc.oneof(
    fc
      .string({ unit: 'grapheme' })
      .map((value) => ({ type: 's', value: value.replaceAll('\0', '') })),
    fc.boolean().map((value) => ({ type: 'b', value })),
    fc.nat(0xffffffff).map((value) => ({ type: 'u', value })),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 9 }), variant)), (entries) => {
      const map = new Map(entries.map(([key, value]) => [key.replaceAll('\0', ''), value]))
      const bytes = writeValues('a{sv}y', [map, 7])
      t.deepEqual(readerOf(bytes, true).values('a{sv}y'), [map, 7])
    }),
    { numRuns: 200 },
  )
})

/** A bus that does as a test says, behind a socket. */
async function openFalseBus(behave: (socket: Socket) => void) {
  const folder = await scratchFolder()
  const path = join(folder.path, 'bus')
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    // Without a reader the end of the other side is not seen.
    socket.resume()
    behave(socket)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    address: `unix:path=${path}`,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await folder[Symbol.asyncDispose]()
    },
  }
}

const ok = `OK ${'0'.repeat(32)}\r\n`
/** Lets in whoever asks, and then says these bytes. */
const welcoming = (bytes: Uint8Array) => (socket: Socket) => {
  socket.on('data', (chunk) => {
    socket.write(chunk.includes('BEGIN') ? bytes : ok)
  })
}
const greeting = other.marshall({
  ...{ type: 2, serial: 1, replySerial: 1, signature: 's', body: [':1.1'], destination: ':1.1' },
})

for (const [what, behave, code, message] of [
  [
    'refuses the user',
    (socket: Socket) => void socket.write('REJECTED ANONYMOUS\r\n'),
    'SENSOR_ABSENT',
    /does not let this user in/,
  ],
  [
    'talks without end',
    (socket: Socket) => void socket.write('x'.repeat(5000)),
    'SENSOR_GARBLED',
    /endless line/,
  ],
  ['says nothing', () => {}, 'SENSOR_ABSENT', /does not answer/],
  ['hangs up', (socket: Socket) => void socket.end(), 'SENSOR_ABSENT', /was closed/],
  [
    'lets in, and says nothing more',
    (socket: Socket) => void socket.once('data', () => socket.write(ok)),
    'SENSOR_ABSENT',
    /does not answer/,
  ],
  [
    'announces two GiB',
    welcoming(bytesOf('6c040001 ffffff7f 01000000 00000000')),
    'SENSOR_GARBLED',
    /a message of 2147483663 bytes/,
  ],
  [
    'answers in another language',
    welcoming(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'SENSOR_GARBLED',
    /bytes that are no message/,
  ],
] as const) {
  test(`a bus that ${what} is no bus, and a person is told`, async (t) => {
    await using bus = await openFalseBus(behave)
    const { signal } = new AbortController()
    const opening = openDBus({ address: bus.address, signal, answerMs: 2000 })
    const error = await t.throwsAsync(opening, { code, message })
    t.truthy((error as KedgeError).hint)
    for (let tries = 0; tries < 500 && bus.connections() > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    t.is(bus.connections(), 0)
  })
}

test('signals that keep coming are no answer: who asks is told so when its time is over', async (t) => {
  await using bus = await openFalseBus((socket) => {
    socket.once('data', () => socket.write(ok))
    socket.on('data', (chunk) => {
      if (!chunk.includes('BEGIN')) return
      socket.write(greeting)
      const talking = setInterval(() => socket.write(spoken), 5)
      socket.on('close', () => clearInterval(talking))
    })
  })
  const { signal: never } = new AbortController()
  await using opened = await openDBus({ address: bus.address, signal: never, answerMs: 200 })
  const ping = { ...theBus, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }
  const answer = await Promise.race([opened.call(ping), sleep(10_000, null, { ref: false })])
  t.regex(answer?.error ?? 'nothing', /NoReply$/)
})

test('a message is a message in pieces of any size, and several in one piece', async (t) => {
  for (const size of [1, 7, 10_000]) {
    await using bus = await openFalseBus((socket) => {
      socket.setNoDelay()
      const all = Buffer.concat([greeting, spoken, withByte(1, 9), spoken])
      socket.on('data', (chunk) => {
        if (!chunk.includes('BEGIN')) return void socket.write(ok)
        for (let at = 0; at < all.length; at += size) socket.write(all.subarray(at, at + size))
      })
    })
    const { signal: never } = new AbortController()
    await using opened = await openDBus({ address: bus.address, signal: never })
    for (let i = 0; i < 2; i++) t.is((await opened.signal(20_000))?.member, 'PropertiesChanged')
    t.is(await opened.signal(50), null)
  }
})

test('told to stop, it lets go of the bus whatever it waits for', async (t) => {
  for (const behave of [() => {}, welcoming(greeting)]) {
    await using bus = await openFalseBus(behave)
    const stop = new AbortController()
    const waiting = openDBus({ address: bus.address, signal: stop.signal }).then(async (opened) => {
      await using held = opened
      return held.signal(60_000)
    })
    setTimeout(() => stop.abort(), 100)
    await t.throwsAsync(waiting, { code: 'SENSOR_ABSENT' })
  }
})

test('addresses of a bus are read as its specification writes them', async (t) => {
  await using bus = await openFalseBus(welcoming(greeting))
  const { signal: never } = new AbortController()
  const path = bus.address.slice('unix:path='.length)
  const escaped = path.replaceAll('k', '%6b')
  for (const address of [
    `${bus.address},guid=00`,
    `tcp:host=localhost,port=1;${bus.address}`,
    `unix:guid=00,path=${escaped}`,
  ]) {
    await using opened = await openDBus({ address, signal: never })
    t.truthy(opened)
  }
  for (const address of ['', 'tcp:host=localhost,port=1', 'unix:path=%zz', 'unix:path=a%00b']) {
    await t.throwsAsync(openDBus({ address, signal: never }), {
      code: 'SENSOR_ABSENT',
      message: /names no socket/,
    })
  }
})

test('a message may have so much and no more', (t) => {
  const head = (bodyBytes: number) => {
    const bytes = bytesOf('6c040001 00000000 01000000 00000000')
    new DataView(bytes.buffer).setUint32(4, bodyBytes, true)
    return bytes
  }
  t.is(lengthOf(head(maxMessageBytes - headBytes)), maxMessageBytes)
  t.throws(() => lengthOf(head(maxMessageBytes - headBytes + 1)), { code: 'SENSOR_GARBLED' })
})
