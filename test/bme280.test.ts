import test from 'ava'
import fc from 'fast-check'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { parseTrimming, parseWeather } from '../drivers/bme280.ts'
import { vectors } from './helpers/vectors.ts'

const { bmp280: example } = vectors('drivers/i2c.json') as {
  bmp280: {
    dig: Record<string, number>
    adcT: number
    adcP: number
    tFine: number
    t: number
    pPa: number
  }
}
const words = [
  ...['T1', 'T2', 'T3'],
  ...['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P9'],
].map((name) => example.dig[name] ?? 0)
const moist = { h1: 75, h2: 365, h3: 0, h4: 321, h5: 50, h6: 30 }

const bmpBlock = Uint8Array.from(words.flatMap((word) => [word & 0xff, (word >> 8) & 0xff]))

/** As the registers hold them: H4 and H5 of twelve bits share a byte. */
function bmeBlock({ h1, h2, h3, h4, h5, h6 } = moist): Uint8Array {
  const shared = (h4 & 15) | ((h5 & 15) << 4)
  const second = [h2 & 0xff, (h2 >> 8) & 0xff, h3, (h4 >> 4) & 0xff, shared, (h5 >> 4) & 0xff, h6]
  return Uint8Array.from([...bmpBlock, 0, h1, ...second.map((byte) => byte & 0xff)])
}

const registers = (adcP: number, adcT: number, adcH?: number) =>
  Uint8Array.from([
    ...[adcP, adcT].flatMap((adc) => [adc >> 12, (adc >> 4) & 0xff, (adc << 4) & 0xff]),
    ...(adcH === undefined ? [] : [adcH >> 8, adcH & 0xff]),
  ])

/** The same formulas in floating point, as the data sheet also has them. */
function inFloats(h: typeof moist, adcT: number, adcP: number, adcH: number) {
  const [
    t1 = 0,
    t2 = 0,
    t3 = 0,
    p1 = 0,
    p2 = 0,
    p3 = 0,
    p4 = 0,
    p5 = 0,
    p6 = 0,
    p7 = 0,
    p8 = 0,
    p9 = 0,
  ] = words
  const fine = (adcT / 16_384 - t1 / 1024) * t2 + (adcT / 131_072 - t1 / 8192) ** 2 * t3
  const x = fine / 2 - 64_000
  const y = ((x * x * p6) / 32_768 + x * p5 * 2) / 4 + p4 * 65_536
  const z = (1 + ((p3 * x * x) / 524_288 + p2 * x) / 524_288 / 32_768) * p1
  const rough = ((1_048_576 - adcP - y / 4096) * 6250) / z
  const pascal = rough + ((p9 * rough * rough) / 2_147_483_648 + (rough * p8) / 32_768 + p7) / 16
  const warm = fine - 76_800
  const first =
    (adcH - (h.h4 * 64 + (h.h5 / 16_384) * warm)) *
    ((h.h2 / 65_536) * (1 + (h.h6 / 67_108_864) * warm * (1 + (h.h3 / 67_108_864) * warm)))
  return { celsius: fine / 5120, pascal, humidity: first * (1 - (h.h1 * first) / 524_288) }
}

test('the worked example of the data sheet comes out to the digit', (t) => {
  const said = parseWeather(parseTrimming(bmpBlock), registers(example.adcP, example.adcT))
  t.is(said.tFine, example.tFine)
  t.is(Number(decimalText(said.celsius)), example.t)
  t.is(said.pascal && Number(decimalText(said.pascal)), example.pPa)
  t.is(said.humidity, null, 'a BMP280 knows no humidity')
})

test('integers say what the formulas in floating point say, humidity too', (t) => {
  for (const h of [moist, { h1: 0, h2: 370, h3: 0, h4: -300, h5: -20, h6: -30 }]) {
    const trimming = parseTrimming(bmeBlock(h))
    let compared = 0
    for (let adcT = 420_000; adcT < 650_000; adcT += 7919) {
      for (let adcH = 20_000; adcH < 45_000; adcH += 1777) {
        const floats = inFloats(h, adcT, example.adcP, adcH)
        if (floats.celsius < -40 || floats.celsius > 85) continue
        const said = parseWeather(trimming, registers(example.adcP, adcT, adcH))
        t.true(Math.abs(said.celsius[0] / 100 - floats.celsius) < 0.02)
        t.true(Math.abs((said.pascal?.[0] ?? 0) / 100 - floats.pascal) < 2)
        const held = Math.min(Math.max(floats.humidity, 0), 100)
        t.true(Math.abs((said.humidity?.[0] ?? -1) / 1000 - held) < 0.1, `${adcT} ${adcH}`)
        if (Math.abs(floats.humidity - held) > 0.1) t.true(said.isClipped)
        compared++
      }
    }
    t.true(compared > 300)
  }
})

test('a block without its meaningless byte is the same block', (t) => {
  const block = bmeBlock()
  const short = Uint8Array.from([...block.subarray(0, 24), ...block.subarray(25)])
  t.deepEqual(parseTrimming(short), parseTrimming(block))
})

test('what was not measured is null, and no temperature means nothing at all', (t) => {
  const trimming = parseTrimming(bmeBlock())
  const partly = parseWeather(trimming, registers(0x80000, example.adcT, 0x8000))
  t.is(Number(decimalText(partly.celsius)), example.t)
  t.is(partly.pascal, null)
  t.is(partly.humidity, null)
  t.throws(() => parseWeather(trimming, registers(example.adcP, 0x80000, 30_000)), {
    code: 'SENSOR_GARBLED',
    message: /not measured/,
  })
})

const trimming = parseTrimming(bmeBlock())
for (const [what, parse, reason] of [
  ['a bus held low', () => parseWeather(trimming, new Uint8Array(8)), /all zeros/],
  [
    'a bus where nothing answers',
    () => parseWeather(trimming, new Uint8Array(8).fill(255)),
    /all ones/,
  ],
  ['half an answer', () => parseWeather(trimming, new Uint8Array(3)), /3 bytes/],
  [
    'a temperature that no such sensor can have',
    () => parseWeather(trimming, registers(example.adcP, 900_000, 30_000)),
    /°C: outside/,
  ],
  [
    'a pressure as on no mountain',
    () => parseWeather(trimming, registers(900_000, example.adcT, 30_000)),
    /Pa: outside/,
  ],
  ['a calibration of all zeros', () => parseTrimming(new Uint8Array(33)), /all zeros/],
  ['a calibration of all ones', () => parseTrimming(new Uint8Array(33).fill(255)), /all ones/],
  ['half a calibration', () => parseTrimming(new Uint8Array(20).fill(1)), /20 bytes/],
  [
    'a calibration that would divide by zero',
    () => parseTrimming(bmeBlock().fill(0, 6, 8)),
    /a zero where none can be/,
  ],
] as const) {
  test(`${what} is refused with its reason`, (t) => {
    t.throws(parse, { code: 'SENSOR_GARBLED', message: reason })
  })
}

test('whatever the registers hold, it is within the range of the sensor or it is refused', (t) => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  fc.assert(
    fc.property(bytes(33), bytes(8), (block, said) => {
      try {
        const { celsius, pascal, humidity } = parseWeather(parseTrimming(block), said)
        t.true(celsius[0] >= -4000 && celsius[0] <= 8500)
        t.true(pascal === null || (pascal[0] >= 3_000_000 && pascal[0] <= 11_000_000))
        t.true(humidity === null || (humidity[0] >= 0 && humidity[0] <= 100_000))
      } catch (error) {
        t.like(error as Error, { code: 'SENSOR_GARBLED' })
      }
    }),
    { numRuns: 5000 },
  )
})
