import { createCipheriv } from 'node:crypto'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { measuredBy } from '../../drivers/analog.ts'
import { parseTrimming, parseWeather } from '../../drivers/bme280.ts'
import { parseBthome } from '../../drivers/bthome.ts'
import { nodeCcm } from '../../drivers/bthome-ccm.ts'
import { parseW1Slave } from '../../drivers/cold-ds18b20.ts'
import { parseFridgeTag } from '../../drivers/fridge-tag.ts'
import { readingsIn } from '../../drivers/json-readings.ts'
import { loggerFormatOf, loggerFormats } from '../../drivers/logger-formats.ts'
import { saidIn } from '../../drivers/m100.ts'
import { explainPdu, parseAnswer } from '../../drivers/modbus.ts'
import { parseRtu, parseTcp, rtuFrame } from '../../drivers/modbus-frames.ts'
import { numberFrom, registerTypes } from '../../drivers/modbus-values.ts'
import { decodeSentence } from '../../drivers/nmea.ts'
import { parsePvvx } from '../../drivers/pvvx.ts'
import { parseRuuvi } from '../../drivers/ruuvi.ts'
import { parseSht, sensirionCrc8 } from '../../drivers/sht.ts'
import { decodeMessage, headBytes, lengthOf } from '../../drivers/transports/dbus-messages.ts'
import { readerOf } from '../../drivers/transports/dbus-values.ts'
import { firmataFrames } from '../../drivers/transports/firmata-frames.ts'
import {
  lineSplitter,
  parseChips,
  parseEdge,
  parseLevel,
  parseVersion,
} from '../../drivers/transports/gpiod.ts'
import { boardOver } from '../../drivers/transports/johnny-five.ts'
import { openMqttFrames } from '../../drivers/transports/mqtt-frames.ts'
import { fridgeTagText, qTagText } from '../helpers/logger-files.ts'
import type { Random } from './random.ts'
import type { Outcome, Target } from './target.ts'

/** What sensors say, altered: every decoder reads it within its bounds or refuses it by name, and none grows. */
export const drivers: Target = {
  summary: 'decoders of sensors, tags and receivers: random bytes, and true frames altered',
  run: async (random, isTimeUp) => fuzzDecoders(random, isTimeUp),
}

interface Decoder {
  readonly frames: readonly Uint8Array[]
  read(bytes: Uint8Array, random: Random): unknown
}

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const latin1 = (line: string) => Uint8Array.from(Buffer.from(line, 'latin1'))

/** `most` stops each decoder after so many inputs. */
async function fuzzDecoders(
  random: Random,
  isTimeUp: () => boolean,
  most = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  const decoders = Object.entries(await decodersOf())
  const slowest = new Map<string, number>()
  let tried = 0
  let heapBefore = 0
  for (let round = 0; round < most && !isTimeUp(); round++) {
    // Not from the first: until then the programs themselves are still being made.
    if (round === 10_000) heapBefore = heapAfterCollection()
    for (const [name, { frames, read }] of decoders) {
      const bytes = altered(random, random.oneOf(frames))
      const start = performance.now()
      try {
        read(bytes, random)
      } catch (error) {
        if (!(error instanceof KedgeError)) {
          throw new Error(`${name}: ${Buffer.from(bytes).toString('hex')}`, { cause: error })
        }
      }
      slowest.set(name, Math.max(slowest.get(name) ?? 0, performance.now() - start))
      tried += 1
    }
  }
  const grownMiB = heapBefore === 0 ? 0 : (heapAfterCollection() - heapBefore) / 2 ** 20
  if (grownMiB > 32) throw new Error(`the decoders kept ${Math.round(grownMiB)} MiB`)
  const worst = Array.from(slowest, ([what, ms]) => ({ what, ms: Math.round(ms * 10) / 10 }))
  return { tried, worst: worst.sort((a, b) => b.ms - a.ms) }
}

/** Exact with --expose-gc; without it what the last collection left is an upper bound. */
function heapAfterCollection(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

async function decodersOf(): Promise<Readonly<Record<string, Decoder>>> {
  const ccm = await nodeCcm()
  const key = bytesOf('231d39c1d7cc1ab1aee224cd096db932')
  const mac = '54:48:E6:8F:80:A5'
  const block = bytesOf(
    '706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b6d0100141203 1e'.replace(' ', ''),
  )
  const trimming = parseTrimming(block)
  const uno = await boardOver('fuzz', () => {})
  return {
    sht: {
      frames: [bytesOf('48690c893733'), bytesOf('666693ffffac')],
      read(bytes, random) {
        // Every other one with right checksums, so that what lies behind them is tried too.
        const said = random.below(2) === 0 || bytes.length !== 6 ? bytes : withCrc8(bytes)
        const { celsius, humidity } = parseSht(random.oneOf(['sht3x', 'sht4x']), said)
        within(celsius[0], -4000, 12_500)
        within(humidity[0], 0, 10_000)
      },
    },
    bme280: {
      frames: [bytesOf('655ac07eed007530'), bytesOf('655ac07eed00'), bytesOf('8000008000008000')],
      read(bytes, random) {
        const of = random.below(4) === 0 ? parseTrimming(altered(random, block)) : trimming
        const { celsius, pascal, humidity } = parseWeather(of, bytes)
        within(celsius[0], -4000, 8500)
        within(pascal?.[0] ?? 3_000_000, 3_000_000, 11_000_000)
        within(humidity?.[0] ?? 0, 0, 100_000)
      },
    },
    ruuvi: {
      frames: [bytesOf('0512fc5394c37c0004fffc040cac364200cdcbb8334c884f')],
      read(bytes) {
        const { celsius, sequence } = parseRuuvi(bytes)
        within(celsius?.[0] ?? 0, -163_835, 163_835)
        within(sequence ?? 0, 0, 65_534)
      },
    },
    pvvx: {
      frames: [bytesOf('b2188d38c1a42efe7017b80b50070f'), bytesOf('a4c1388d18b2002d3d500bb809')],
      read(bytes) {
        const { celsius, batteryPercent } = parsePvvx(bytes)
        within(celsius[0] * 10 ** celsius[1], -40, 125)
        within(batteryPercent, 0, 100)
      },
    },
    bthome: {
      frames: [
        bytesOf('400009015d025d0903b718'),
        bytesOf('42b2188d38c1a404138a01'),
        bytesOf('4053024869540201ff3a01'),
        bytesOf('41a47266c95f730011223378237214'),
      ],
      read(bytes, random) {
        const isSealed = random.below(4) === 0
        const { objects } = parseBthome(isSealed ? sealed(bytes, key, mac) : bytes, {
          key,
          ccm,
          mac,
        })
        within(objects.length, 0, 128)
      },
    },
    modbus: {
      frames: [
        bytesOf('02074112'),
        bytesOf('01030000000AC5CD'),
        bytesOf('0404ffd30262'),
        bytesOf('000100000007ff0404ffd30262'),
      ],
      read(bytes, random) {
        const request = { table: random.oneOf(['coil', 'input'] as const), address: 1, count: 2 }
        const read = [
          () => explainPdu(parseRtu(bytes).pdu),
          () => explainPdu(parseRtu(rtuFrame({ unit: 1, pdu: bytes })).pdu),
          () => explainPdu(parseTcp(bytes).pdu),
          () => parseAnswer(request, bytes),
          () =>
            numberFrom(Array.from(bytes.subarray(0, 2)), {
              type: random.oneOf(registerTypes),
              words: 'low-first',
              scale: 0.1,
            }),
        ]
        random.oneOf(read)()
      },
    },
    dbus: {
      frames: [
        // A signal that a sensor was heard, whole, and its body alone.
        bytesOf(
          '6c0400015a000000070000005e00000001016f00020000002f610000000000000201730003000000612e' +
            '500000000000030173001100000050726f706572746965734368616e6765640000000000000007017300' +
            '040000003a312e3900000000080167000873617b73767d617300000001000000440000003f0000000000' +
            '0000040000005253534900016e00b9ff0000100000004d616e756661637475726572446174610005617b' +
            '71767d000f0000009904026179000000030000000500ff0006000000010000005400',
        ),
        bytesOf(
          '01000000440000003f00000000000000040000005253534900016e00b9ff0000100000004d616e756661' +
            '637475726572446174610005617b71767d000f0000009904026179000000030000000500ff0006000000' +
            '010000005400',
        ),
      ],
      read(bytes, random) {
        if (random.below(2) === 0) {
          readerOf(bytes, random.below(8) > 0).values(random.oneOf(['sa{sv}as', 'yyyyuua(yv)']))
        } else {
          if (bytes.length >= headBytes) lengthOf(bytes)
          decodeMessage(bytes)
        }
      },
    },
    firmata: {
      frames: [
        bytesOf('f90205f07902055300740061006e006400f7e00900e10a00910400'),
        bytesOf('f06c7f00010b0101017f00010b010101020a06017ff7f06a7f7f00f7'),
        bytesOf('f0710a0b0c0df7e00900'),
      ],
      read(bytes, random) {
        const split = firmataFrames()
        const cut = random.below(bytes.length + 1)
        for (const said of [...split(bytes.subarray(0, cut)), ...split(bytes.subarray(cut))]) {
          within(said.bytes.length, 1, 4096)
          // What it gets once only is tried with new boards, in the tests.
          if (said.what === 'analog' || said.what === 'digital') uno.give(said.bytes)
          if (said.what !== 'analog') continue
          const counts = (said.bytes[1] ?? 0) | ((said.bytes[2] ?? 0) << 7)
          const ntc = { series: 10_000, to: random.oneOf(['ground', 'supply'] as const) }
          const form = { digits: 2, rails: true, least: -60, most: 200 }
          const [celsius] = measuredBy(counts, 1023, { ...form, ...(cut % 2 ? { ntc } : {}) })
          within(celsius, -6000, 20_000)
        }
      },
    },
    gpiod: {
      frames: [
        latin1('1 1234 987654321\n0 1235 5\n'),
        latin1('rising 1234.987654321\nfalling 1235.000000005\n'),
        latin1('gpiochip0 [pinctrl-bcm2711] (58 lines)\n'),
        latin1('gpiomon (libgpiod) v1.6.3\n'),
        latin1('1\n'),
      ],
      read(bytes, random) {
        const split = lineSplitter()
        const lines = [...split(bytes), ...split(bytes)]
        for (const line of lines) within(line.length, 0, 129)
        const read = [
          () => lines.map((line) => parseEdge(random.oneOf([1, 2]), text(line))),
          () => parseLevel(text(bytes)),
          () => parseChips(text(bytes)).map(({ lines }) => within(lines, 0, 999_999)),
          () => parseVersion(text(bytes)),
        ]
        random.oneOf(read)()
      },
    },
    m100: {
      frames: [bytesOf('bb02220011c9340030751feb705c5904e3d50d703a76ef7e')],
      read: (bytes) => saidIn({ bytes, fault: null }),
    },
    nmea: {
      frames: [latin1('$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47')],
      read: (bytes) => decodeSentence(text(bytes)),
    },
    json: {
      frames: [
        latin1(
          '{"temperature":4.250,"state":"OPEN","id":"a","at":1769843000.25,"n":[1,{"v":2e-3}]}',
        ),
        latin1('21.200000000000003'),
      ],
      read(bytes, random) {
        const reading = { scale: random.oneOf([1, 0.1]), least: -40, most: 80 }
        const at = random.oneOf(['', '/temperature', '/n/1/v', '/state'])
        const states = random.below(4) === 0 ? { states: { OPEN: true } } : {}
        const mapped = readingsIn(bytes, {
          readings: { one: { ...reading, at, ...states, places: random.oneOf([undefined, 0, 2]) } },
          id: random.oneOf([undefined, '/id']),
          time: random.oneOf([undefined, { at: '/at', form: 'unix-s' as const }]),
        })
        if (typeof mapped === 'string') return
        for (const { value } of mapped.readings) {
          if (Array.isArray(value)) within(Number(value[0]) * 10 ** Number(value[1]), -41, 81)
        }
      },
    },
    'mqtt frames': {
      frames: [bytesOf('20020000900300010130080003612f6231323304400200 07'.replace(' ', ''))],
      read(bytes, random) {
        const frames = openMqttFrames(64)
        let length = 0
        for (let at = 0; at < bytes.length; ) {
          const end = at + 1 + random.below(9)
          for (const frame of frames.feed(bytes.subarray(at, end))) length += frame.length
          at = end
        }
        within(length, 0, bytes.length + 1)
      },
    },
    loggers: {
      frames: [
        latin1(qTagText(['2026-11-08 04:49\t4.4\t', '2026-11-08 04:59\t--.-\tx'])),
        latin1(fridgeTagText([{ date: '2026-04-20', min: '+2.0', max: '+8.5', mean: '+4.6' }])),
        latin1('time,value\n2026-01-31T08:00:00Z,4.25\n'),
        latin1('value;time;"note"\n4,25;2026-01-31 08:00;"a ""b" "\n'),
      ],
      read(bytes) {
        const { readings, refused } = loggerFormats[loggerFormatOf(bytes)](bytes)
        within(readings.length + refused.length, 0, bytes.length)
        if (loggerFormatOf(bytes) === 'fridge-tag') parseFridgeTag(bytes)
      },
    },
    w1: {
      frames: [
        latin1('48 00 4b 46 7f ff 08 10 90 : crc=90 YES\n48 00 4b 46 7f ff 08 10 90 t=4500\n'),
      ],
      read: (bytes) => within(parseW1Slave(text(bytes)).celsius[0], -550_000, 1_250_000),
    },
  }
}

function within(value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) throw new Error(`${value} is beyond ${least} to ${most}`)
}

function withCrc8(bytes: Uint8Array): Uint8Array {
  const crc = (at: number) => sensirionCrc8(bytes.subarray(at, at + 2))
  return bytes.with(2, crc(0)).with(5, crc(3))
}

/** Any bytes in a frame that opens, so that what is decrypted is hostile too. */
function sealed(bytes: Uint8Array, key: Uint8Array, mac: string): Uint8Array {
  const nonce = Buffer.concat([
    Buffer.from(mac.replaceAll(':', ''), 'hex'),
    bytesOf('d2fc4100112233'),
  ])
  const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: 4 })
  const body = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Uint8Array.from([0x41, ...body, 0x00, 0x11, 0x22, 0x33, ...cipher.getAuthTag()])
}

function altered(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length)
  switch (random.below(7)) {
    case 0:
      return random.bytes(random.below(40))
    case 1:
      return bytes.slice(0, at)
    case 2:
      return Uint8Array.from([...bytes, ...random.bytes(random.below(300))])
    case 3:
      return random.bytes(bytes.length)
    case 4:
      return bytes
        .with(at, random.below(256))
        .with(random.below(bytes.length), random.oneOf([0, 0xff]))
    default:
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random.below(8)))
  }
}
