import test from 'ava'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { parseRuuvi } from '../drivers/ruuvi.ts'
import { vectors } from './helpers/vectors.ts'

const { cases } = vectors('drivers/ruuvi-rawv2.json') as {
  cases: readonly ({ name: string; hex: string; mac: string | null } & Record<string, unknown>)[]
}
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const number = (decimal: Decimal | null) => decimal && Number(decimalText(decimal))
const valid = cases[0]?.hex ?? ''

for (const { name, hex, mac, ...expected } of cases) {
  test(`the maker's frame "${name}" says what the maker says`, (t) => {
    const said = parseRuuvi(bytesOf(hex))
    const [ax, ay, az] = said.acceleration.map(number)
    t.deepEqual(
      {
        t: number(said.celsius),
        rh: number(said.humidity),
        pPa: number(said.pascal),
        ax,
        ay,
        az,
        txDbm: said.txDbm,
        battV: number(said.batteryVolt),
        movement: said.movements,
        seq: said.sequence,
      },
      expected as never,
    )
    t.is(said.mac?.replaceAll(':', '') ?? null, mac)
  })
}

test('the digits of the tag are kept: steps of 0.005 °C and 0.0025 %', (t) => {
  const { celsius, humidity } = parseRuuvi(bytesOf(valid))
  t.is(celsius && decimalText(celsius), '24.300')
  t.is(humidity && decimalText(humidity), '53.4900')
})

test("the company's number may stand before it", (t) => {
  t.deepEqual(parseRuuvi(bytesOf(`9904${valid}`)), parseRuuvi(bytesOf(valid)))
})

for (const [what, hex, reason] of [
  ['nothing', '', /empty/],
  ['a frame of the older format', `03${valid.slice(2)}`, /format 3, not 5/],
  ['half a frame', valid.slice(0, 20), /10 bytes, not 24/],
  ['a frame that is too long', `${valid}00`, /25 bytes, not 24/],
] as const) {
  test(`${what} is refused with its reason`, (t) => {
    t.throws(() => parseRuuvi(bytesOf(hex)), { code: 'SENSOR_GARBLED', message: reason })
  })
}
