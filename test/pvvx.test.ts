import test from 'ava'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { parsePvvx } from '../drivers/pvvx.ts'
import { vectors } from './helpers/vectors.ts'

const { cases } = vectors('drivers/pvvx.json') as {
  cases: readonly {
    name: string
    hex: string
    t: number
    rh: number
    battMv: number
    batt: number
    counter: number
  }[]
}
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const [own = '', other = ''] = cases.map(({ hex }) => hex)

for (const { name, hex, ...expected } of cases) {
  test(`the advertisement "${name}" says what it is known to say`, (t) => {
    const said = parsePvvx(bytesOf(hex))
    t.is(Number(decimalText(said.celsius)), expected.t)
    t.is(Number(decimalText(said.humidity)), expected.rh)
    t.is(said.batteryMilliVolt, expected.battMv)
    t.is(said.batteryPercent, expected.batt)
    t.is(said.counter, expected.counter)
    t.is(said.mac, 'A4:C1:38:8D:18:B2')
  })
}

test('each of the two firmwares keeps its own digits', (t) => {
  t.is(decimalText(parsePvvx(bytesOf(own)).celsius), '-4.66')
  t.is(decimalText(parsePvvx(bytesOf(other)).celsius), '4.5')
})

const withBytes = (hex: string, at: number, ...bytes: number[]) => {
  const changed = bytesOf(hex)
  changed.set(bytes, at)
  return changed
}

for (const [what, bytes, reason] of [
  ['all zeros', new Uint8Array(15), /all zeros/],
  ['all ones', new Uint8Array(13).fill(0xff), /all ones/],
  ['an encrypted advertisement', bytesOf(own).subarray(0, 11), /encrypted/],
  ['half an advertisement', bytesOf(own).subarray(0, 14), /14 bytes/],
  ['a temperature that no such sensor can have', withBytes(own, 6, 0, 0x80), /outside/],
  ['more humidity than there is', withBytes(own, 8, 0x11, 0x27), /100 % humidity/],
  ['more battery than there is', withBytes(own, 12, 101), /battery/],
] as const) {
  test(`${what} is refused with its reason`, (t) => {
    t.throws(() => parsePvvx(bytes), { code: 'SENSOR_GARBLED', message: reason })
  })
}
