import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { gnssNmea } from '../drivers/gnss-nmea.ts'
import { decodeSentence } from '../drivers/nmea.ts'
import { framesIn } from '../drivers/nmea-frames.ts'
import { driverSuite, until, watch } from './driver-suite.ts'
import { standards, testWithStandards, vectors } from './helpers/vectors.ts'

const { sentences, expect } = vectors('drivers/nmea.json') as {
  sentences: [string, string, string]
  expect: Record<'lat' | 'lon' | 'speedKn' | 'fix' | 'sats' | 'altM', number> & { utc: string }
}
const [gga, rmc, gll] = sentences
const number = (decimal: Decimal | null | undefined) => decimal && Number(decimalText(decimal))

/** A sentence with the checksum that belongs to it. */
function signed(body: string): string {
  const sum = Array.from(body).reduce((all, char) => all ^ char.charCodeAt(0), 0)
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}

/** A receiver behind a TCP port that says an epoch every 30 ms: GGA, RMC and ZDA, a second apart. */
async function openReceiver() {
  const connections = new Set<Socket>()
  let say: (second: number) => string = epochOf
  let second = 0
  const server = createServer((socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket)).on('error', () => {})
  })
  const listen = (port: number) =>
    new Promise<number>((resolve) =>
      server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    )
  const port = await listen(0)
  const beat = setInterval(() => {
    const text = say(second++ % 60)
    if (text) for (const socket of connections) socket.write(text, 'latin1')
  }, 30)
  const unplug = async () => {
    for (const socket of connections) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    options: gnssNmea.options.parse({ port: `tcp://127.0.0.1:${port}`, everyMs: 0 }),
    connections,
    say: (what: (second: number) => string) => {
      say = what
    },
    speak: async () => {
      say = epochOf
    },
    garble: async () => {
      say = (at) => epochOf(at).replaceAll(/\*../g, '*00')
    },
    hush: async () => {
      say = () => ''
    },
    unplug,
    replug: async () => void (await listen(port)),
    opened: async () => connections.size,
    async [Symbol.asyncDispose]() {
      clearInterval(beat)
      if (server.listening) await unplug()
    },
  }
}

function epochOf(second: number): string {
  const at = `0811${String(second).padStart(2, '0')}.00`
  return [
    signed(`GNGGA,${at},3113.8270,N,12128.4120,E,1,11,0.84,12.6,M,8.1,M,,`),
    signed(`GNRMC,${at},A,3113.8270,N,12128.4120,E,0.12,,211126,,,A`),
    signed(`GNZDA,${at},21,11,2026,00,00`),
    '',
  ].join('\r\n')
}

driverSuite('GNSS', {
  driver: gnssNmea,
  module: 'drivers/gnss-nmea.ts',
  openBench: openReceiver,
})

test('the published sentences say what they are known to say', (t) => {
  const at = decodeSentence(gga)
  if (at.type !== 'GGA') return t.fail()
  t.is(number(at.position?.lat), expect.lat)
  t.is(number(at.position?.lon), expect.lon)
  t.is(at.fix, expect.fix)
  t.is(at.satellites, expect.sats)
  t.is(number(at.altitudeMetres), expect.altM)

  const moving = decodeSentence(rmc)
  if (moving.type !== 'RMC') return t.fail()
  t.is(moving.utc?.text, expect.utc)
  t.is(moving.utc?.unixMs, Date.parse(expect.utc))
  t.is(number(moving.speedKnots), expect.speedKn)
  t.deepEqual(moving.position, at.position)

  const elsewhere = decodeSentence(gll)
  if (elsewhere.type !== 'GLL') return t.fail()
  t.is(number(elsewhere.position?.lon), -123.185333)
})

test('minutes of a position can be computed back to the digit from what is recorded', (t) => {
  for (let minutes = 0; minutes < 600_000; minutes += 7) {
    const text = `${String(minutes).padStart(6, '0').replace(/^../, '$&.')}`
    const sentence = decodeSentence(signed(`GPGLL,89${text},S,00000.0,E,,A`))
    if (sentence.type !== 'GLL') return t.fail()
    const [mantissa, exponent] = sentence.position?.lat ?? [0, 0]
    t.is(exponent, -7)
    const fraction = -mantissa - 89 * 10 ** 7
    if (Math.round((fraction * 60) / 1000) !== minutes) return t.fail(text)
  }
})

for (const talker of ['GP', 'GN', 'BD', 'GB', 'GL', 'GA', 'GQ']) {
  test(`a position is a position whichever satellites it came from (${talker})`, (t) => {
    const sentence = decodeSentence(signed(`${talker}GLL,4916.45,N,12311.12,W,225444,A`))
    t.like(sentence, { talker, name: 'GLL', type: 'GLL', isValid: true })
  })
}

for (const [what, line, reason] of [
  ['a bad checksum', rmc.replace('*6A', '*6B'), /bad checksum: \*6B where \*6A would be right/],
  ['a changed digit', rmc.replace('4807', '4808'), /bad checksum/],
  ['half a sentence', rmc.slice(0, 30), /half a sentence/],
  ['no checksum', '$GPGLL,4916.45,N,12311.12,W,225444,A', /half a sentence/],
  ['the second half of a sentence', rmc.slice(30), /does not begin with \$/],
  ['garbage', '\u0000\u00ff\u0080', /no text/],
  ['an endless line', signed(`GPTXT,${'x'.repeat(300)}`), /longer than 256/],
  ['a position beyond the pole', signed('GPGLL,9100.00,N,12311.12,W,225444,A'), /beyond 90/],
  ['a 61st minute', signed('GPGLL,4961.00,N,12311.12,W,225444,A'), /position that is none/],
  [
    'a position without its half of the globe',
    signed('GPGLL,4916.45,,12311.12,W,225444,A'),
    /none/,
  ],
  ['a 25th hour', signed('GPGLL,4916.45,N,12311.12,W,255444,A'), /time that is none/],
  [
    'a status that is no word',
    signed('GPRMC,123519,X,4807.038,N,01131.000,E,,,230394,,'),
    /status/,
  ],
  ['a name without a talker', signed('RMC,123519'), /no sentence of NMEA/],
  ['a mode of many letters', signed('GPRMC,123519,A,,,,,,,230394,,,toString'), /mode/],
  ['too few fields', signed('GPRMC,123519'), /fields/],
] as const) {
  test(`${what} is refused with its reason, never a position`, (t) => {
    t.throws(() => decodeSentence(line), { code: 'SENSOR_GARBLED', message: reason })
  })
}

test('a receiver that does not vouch for its position has none', (t) => {
  for (const body of [
    'GPRMC,095255.810,V,2712.6404,S,15303.1201,E,0.00,0.00,080407,,,A',
    'GPRMC,095255.810,A,2712.6404,S,15303.1201,E,0.00,0.00,080407,,,N',
    'GPGGA,095257.809,2712.6404,S,15303.1201,E,0,00,00.0,4.0,M,42.2,M,,',
    'GPRMC,,V,,,,,,,,,,N',
  ]) {
    const sentence = decodeSentence(signed(body))
    t.is('position' in sentence && sentence.position, null)
  }
})

test('a leap second and the 31st of June are no times of a clock', (t) => {
  const leap = decodeSentence(signed('GPZDA,235960.00,31,12,2016,,'))
  t.deepEqual('utc' in leap && leap.utc, { text: '2016-12-31T23:59:60.00Z', unixMs: null })
  const june = decodeSentence(signed('GPZDA,120000.00,31,06,2026,,'))
  t.is('utc' in june && june.utc, null)
})

test('sentences are found among garbage, in pieces of any size', async (t) => {
  const stream = `\u0001\u00b5half,A*00\r\n${gga}\r\n$GPRMC,1235${rmc}\n\n${'x'.repeat(100_000)}${gll}\r\n$GP`
  for (const size of [1, 2, 7, 80, 1_000_000]) {
    const chunks = []
    const bytes = Buffer.from(stream, 'latin1')
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    const frames = []
    for await (const frame of framesIn(chunks)) frames.push(Buffer.from(frame).toString('latin1'))
    t.deepEqual(
      frames.filter((frame) => sentences.includes(frame)),
      sentences,
    )
    t.is(frames.length, 7)
    t.true(frames.every((frame) => frame.length <= 257))
  }
})

test('whatever a wire carries, it is a sentence or it is refused', (t) => {
  const mutated = fc
    .tuple(fc.constantFrom(...sentences), fc.nat(80), fc.string({ maxLength: 4, unit: 'binary' }))
    .map(([sentence, at, put]) => sentence.slice(1, at) + put + sentence.slice(at + 1, -3))
  fc.assert(
    fc.property(fc.oneof(mutated.map(signed), fc.string({ unit: 'binary' })), (line) => {
      try {
        t.truthy(decodeSentence(line).talker)
      } catch (error) {
        t.like(error as Error, { code: 'SENSOR_GARBLED' })
      }
    }),
    { numRuns: 5000 },
  )
})

test('a position carries what the receiver knew about it, and the clock is told', async (t) => {
  await using receiver = await openReceiver()
  const stop = new AbortController()
  const { samples, fixes } = watch(gnssNmea, receiver.options, stop.signal)
  const { value } = await samples.next()
  t.deepEqual(value, {
    source: 'gnss',
    kind: 'position',
    value: [
      ['lat', [312304500, -7]],
      ['lon', [1214735333, -7]],
    ],
    unit: 'deg',
    details: [
      ['altitude-m', [126, -1]],
      ['hdop', [84, -2]],
      ['satellites', [11, 0]],
    ],
  })
  for (let i = 0; i < 100 && fixes.length < 2; i++) await samples.next()
  const [first, second] = fixes
  const apartMs = (second?.unixMs ?? 0) - (first?.unixMs ?? 0)
  t.true(apartMs > 0 && apartMs % 1000 === 0, 'once a second of the receiver')
  t.is(first?.boundMs, 1000)
  t.true(String(new Date(first?.unixMs ?? 0).toISOString()).startsWith('2026-11-21T08:11:'))
  stop.abort()
})

test('no clock is set by a receiver without a fix, one that invents, or one of another decade', async (t) => {
  await using receiver = await openReceiver()
  for (const [rest, warnings] of [
    ['V,,,,,,,211126,,,N', 0],
    ['A,3113.8270,N,12128.4120,E,0.12,,211126,,,S', 0],
    ['A,3113.8270,N,12128.4120,E,0.12,,070407,,,A', 1],
    ['A,3113.8270,N,12128.4120,E,0.12,,2208-1,,,A', 0],
  ] as const) {
    receiver.say(
      (at) =>
        `${signed(`GPRMC,0811${10 + (at % 50)}.00,${rest}`)}\r\n${signed(`GPZDA,081110,07,04,2007,,`)}\r\n`,
    )
    const stop = new AbortController()
    const watched = watch(gnssNmea, receiver.options, stop.signal)
    const reading = (async () => {
      for await (const _ of watched.samples);
    })()
    await new Promise((resolve) => setTimeout(resolve, 200))
    stop.abort()
    await reading
    t.deepEqual(watched.fixes, [])
    t.is(watched.warnings.length > 0 ? 1 : 0, rest.includes('2208-1') ? 1 : warnings)
    t.deepEqual(watched.refused, [])
  }
})

test('a simulated position says so', async (t) => {
  await using receiver = await openReceiver()
  receiver.say(() => `${signed('GPRMC,081110,A,3113.8270,N,12128.4120,E,0.12,,211126,,,S')}\r\n`)
  const stop = new AbortController()
  const { value } = await watch(gnssNmea, receiver.options, stop.signal).samples.next()
  t.is(value?.quality, 'suspect: simulator')
  stop.abort()
})

test('sentences that waited while the gateway was busy set no clock', async (t) => {
  await using receiver = await openReceiver()
  const stop = new AbortController()
  const { samples, fixes } = watch(gnssNmea, receiver.options, stop.signal)
  await samples.next()
  await samples.next()
  await new Promise((resolve) => setTimeout(resolve, 600))
  await receiver.hush()
  const before = fixes.length
  for (let i = 0; i < 4; i++) await samples.next()
  t.is(fixes.length, before)
  await receiver.speak()
  for (let i = 0; i < 50 && fixes.length === before; i++) await samples.next()
  t.true(fixes.length > before, 'and those that come in time do again')
  stop.abort()
})

test('a receiver that says nothing any more counts as gone', async (t) => {
  await using receiver = await openReceiver()
  await receiver.hush()
  const { signal } = new AbortController()
  const { samples } = watch(gnssNmea, { ...receiver.options, silentMs: 100 }, signal)
  await t.throwsAsync(samples.next(), { code: 'SENSOR_ABSENT', message: /said nothing for 100 ms/ })
  await until(() => receiver.connections.size === 0)
  t.is(receiver.connections.size, 0)
})

test('a serial port that is not there says what to check', async (t) => {
  const options = gnssNmea.options.parse({ port: '/dev/no-such-port' })
  const { samples } = watch(gnssNmea, options, new AbortController().signal)
  await t.throwsAsync(samples.next(), { code: 'SENSOR_ABSENT', message: /no-such-port/ })
})

test('what names neither a port nor an address is refused before anything is opened', (t) => {
  for (const port of ['ttyUSB0', 'tcp://receiver', 'tcp://host:99999', 'TCP://a:1', 'http://a:1']) {
    t.false(gnssNmea.options.safeParse({ port }).success, port)
  }
  for (const port of ['/dev/ttyAMA0', 'tcp://[::1]:4001', 'tcp://gnss.local:4001']) {
    t.true(gnssNmea.options.safeParse({ port }).success, port)
  }
})

testWithStandards('nmea')(
  'positions of recorded receivers are those that gpsd found',
  async (t) => {
    for (const log of readdirSync(`${standards}nmea`).filter((name) => name.endsWith('.log'))) {
      const lines = readFileSync(`${standards}nmea/${log}.chk`, 'latin1').split('\n')
      let compared = 0
      let position: { lat: Decimal; lon: Decimal } | null = null
      for (const line of lines) {
        if (line.startsWith('$')) {
          try {
            const sentence = decodeSentence(line.trimEnd())
            position = 'position' in sentence ? sentence.position : null
          } catch {
            position = null
          }
          continue
        }
        const report = line.startsWith('{"class":"TPV"') ? JSON.parse(line) : {}
        if (position === null || report.lat === undefined) continue
        t.true(Math.abs(report.lat - (number(position.lat) ?? 0)) < 1e-7, `${log}: ${line}`)
        t.true(Math.abs(report.lon - (number(position.lon) ?? 0)) < 1e-7, `${log}: ${line}`)
        compared++
      }
      t.log(`${log}: ${compared} positions compared`)
    }
  },
)
