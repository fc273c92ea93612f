import test from 'ava'
import fc from 'fast-check'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { parseSht, parseShtSerial, sensirionCrc8, shtModels } from '../drivers/sht.ts'
import { vectors } from './helpers/vectors.ts'

const { crc8, sht4x } = vectors('drivers/i2c.json') as {
  crc8: readonly (readonly [string, string])[]
  sht4x: { raw: string; t: number; rh: number }
}
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

/** Two words with the checksums that belong to them. */
const measured = (temperature: number, humidity: number) =>
  Uint8Array.from(
    [temperature, humidity].flatMap((word) => {
      const pair = [word >> 8, word & 0xff]
      return [...pair, sensirionCrc8(Uint8Array.from(pair))]
    }),
  )

test('the published checksums come out', (t) => {
  for (const [word, crc] of crc8) t.is(sensirionCrc8(bytesOf(word)), Number.parseInt(crc, 16))
})

test('a fridge at 4.50 °C is read as such', (t) => {
  const { celsius, humidity, unclipped } = parseSht('sht4x', bytesOf(sht4x.raw))
  t.is(decimalText(celsius), '4.50')
  t.is(Number(decimalText(celsius)), sht4x.t)
  t.is(Number(decimalText(humidity)), sht4x.rh)
  t.is(unclipped, null)
})

test('every word is the temperature and the humidity of the data sheet, rounded to a hundredth', (t) => {
  for (const model of shtModels) {
    for (let word = 0x0800; word < 0xf700; word += 7) {
      const { celsius, humidity, unclipped } = parseSht(model, measured(word, word))
      const [warm, moist] =
        model === 'sht4x'
          ? [-45 + (175 * word) / 65_535, -6 + (125 * word) / 65_535]
          : [-45 + (175 * word) / 65_535, (100 * word) / 65_535]
      if (Math.abs(celsius[0] / 100 - warm) > 0.005001) return t.fail(`${model} ${word}`)
      const said = (unclipped ?? humidity)[0] / 100
      if (Math.abs(said - moist) > 0.005001) return t.fail(`${model} ${word}`)
      if ((unclipped === null) !== (moist > -0.005 && moist < 100.005)) {
        // At the very edge a hundredth decides.
        if (Math.abs(moist) > 0.01 && Math.abs(moist - 100) > 0.01) return t.fail(`${word}`)
      }
    }
  }
  t.pass()
})

test('a humidity above 100 % is put back to 100 %, and what was computed is told', (t) => {
  const { humidity, unclipped } = parseSht('sht4x', measured(0x6666, 0xffff))
  t.is(decimalText(humidity), '100.00')
  t.is(unclipped && decimalText(unclipped), '119.00')
})

for (const [what, bytes, reason] of [
  ['a bus held low', new Uint8Array(6), /all zeros/],
  ['a bus where nothing answers', new Uint8Array(6).fill(0xff), /all ones/],
  ['a bad checksum of the temperature', bytesOf('48690d893733'), /temperature \(CRC-8\)/],
  ['a bad checksum of the humidity', bytesOf('48690c893732'), /humidity \(CRC-8\)/],
  ['half an answer', bytesOf('48690c'), /3 bytes/],
  ['nothing', new Uint8Array(), /0 bytes/],
  ['a word of zeros with a right checksum', measured(0, 0x8000), /-45 °C: outside/],
  ['a word of ones with a right checksum', measured(0xffff, 0x8000), /130 °C: outside/],
] as const) {
  test(`${what} is refused with its reason, never a temperature`, (t) => {
    for (const model of shtModels) {
      t.throws(() => parseSht(model, bytes), { code: 'SENSOR_GARBLED', message: reason })
    }
  })
}

test('one changed bit anywhere is noticed', (t) => {
  const bytes = bytesOf(sht4x.raw)
  for (let bit = 0; bit < 48; bit++) {
    const changed = bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
    t.throws(() => parseSht('sht4x', changed), { code: 'SENSOR_GARBLED' })
  }
})

test('a serial number has eight digits and a right checksum', (t) => {
  t.is(parseShtSerial(measured(0x0f1e, 0x00d3)), '0f1e00d3')
  t.throws(() => parseShtSerial(bytesOf('48690d893733')), { message: /serial number/ })
})

test('whatever the bus carries, it is within the range of the sensor or it is refused', (t) => {
  const words = fc.tuple(fc.nat(0xffff), fc.nat(0xffff)).map(([a, b]) => measured(a, b))
  const bytes = fc.oneof(words, fc.uint8Array({ maxLength: 8 }))
  fc.assert(
    fc.property(bytes, fc.constantFrom(...shtModels), (said, model) => {
      try {
        const { celsius, humidity } = parseSht(model, said)
        t.true(celsius[0] >= -4000 && celsius[0] <= 12_500)
        t.true(humidity[0] >= 0 && humidity[0] <= 10_000)
      } catch (error) {
        t.like(error as Error, { code: 'SENSOR_GARBLED' })
      }
    }),
    { numRuns: 5000 },
  )
})
