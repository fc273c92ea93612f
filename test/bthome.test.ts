import { createCipheriv } from 'node:crypto'
import test from 'ava'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { type BthomeObject, parseBthome } from '../drivers/bthome.ts'
import { nodeCcm } from '../drivers/bthome-ccm.ts'
import { vectors } from './helpers/vectors.ts'

interface Case extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly hex: string
  readonly key?: string
  readonly mac?: string
}
const { cases } = vectors('drivers/bthome-v2.json') as { cases: readonly Case[] }
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const withColons = (mac: string) => mac.replace(/(..)(?=.)/g, '$1:').toUpperCase()
const shown = ({ value }: BthomeObject) =>
  Array.isArray(value) ? Number(decimalText(value as unknown as readonly [number, number])) : value
const plain = (hex: string) => parseBthome(bytesOf(hex))
const values = (hex: string) => plain(hex).objects.map((one) => [one.name, shown(one)])

for (const { name, hex, key, mac, nonce: _, plain: __, ...expected } of cases) {
  test(`the published frame "${name}" says what it is known to say`, async (t) => {
    const opening =
      key && mac ? { key: bytesOf(key), ccm: await nodeCcm(), mac: withColons(mac) } : {}
    const said = parseBthome(bytesOf(hex), opening)
    const told: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(expected)) {
      const found = said.objects.filter((one) => one.name === name).map(shown)
      told[name] = Array.isArray(value) ? found : found[0]
    }
    t.deepEqual(told, expected)
    t.is(said.objects.length, Object.values(expected).flat().length)
    if (mac) t.is(said.mac, key ? withColons(mac) : mac)
    t.is(said.unread.length, 0)
  })
}

test('digits are those of the object: hundredths, tenths, whole degrees and steps of 0.35', (t) => {
  const digits = (hex: string) => {
    const [object] = plain(hex).objects
    return decimalText(object?.value as unknown as readonly [number, number])
  }
  t.is(digits('4002ca09'), '25.06')
  t.is(digits('40451101'), '27.3')
  t.is(digits('4057ea'), '-22')
  t.is(digits('4058ea'), '-7.70')
})

test('doors, buttons, counters and texts are read beside temperatures', (t) => {
  t.deepEqual(values('401a01'), [['door', true]])
  t.deepEqual(values('40280115002b01'), [
    ['safe', true],
    ['batteryLow', false],
    ['tampered', true],
  ])
  t.deepEqual(values('443a01'), [['button', 1]])
  t.true(plain('443a01').isTriggered)
  t.deepEqual(values('405bfeffffff'), [['count', -2]])
  t.deepEqual(values('4053024869'), [['text', 'Hi']])
  t.deepEqual(values('405402beef'), [['raw', bytesOf('beef')]])
})

test('what stands before an object that nobody knows is read, the rest is kept as it came', (t) => {
  const { objects, unread } = plain('4002ca09fe0102')
  t.is(objects.length, 1)
  t.deepEqual(unread, bytesOf('fe0102'))
})

test("the service's number may stand before it", (t) => {
  t.deepEqual(plain('d2fc4002ca0903bf13'), plain('4002ca0903bf13'))
})

for (const [what, hex, reason] of [
  ['nothing', '', /empty/],
  ['a frame of the first version', '2002ca09', /version 1/],
  ['half a number', '4002ca', /ends within t/],
  ['half a text', '40530548', /ends within text/],
  ['half an address', '42b2188d', /within the address/],
  ['a switch that is neither on nor off', '401a02', /neither 0 nor 1/],
  ['a text that is none', '405301ff', /UTF-8/],
  ['a frame longer than an advertisement', `40${'0001'.repeat(200)}`, /401 bytes/],
] as const) {
  test(`${what} is refused with its reason`, (t) => {
    t.throws(() => plain(hex), { code: 'SENSOR_GARBLED', message: reason })
  })
}

const key = bytesOf('231d39c1d7cc1ab1aee224cd096db932')
const mac = '54:48:E6:8F:80:A5'
const secret = '41a47266c95f730011223378237214'

test('an encrypted frame needs its key and its sender', async (t) => {
  const ccm = await nodeCcm()
  const refused = (opening: object, message: RegExp, hex = secret) =>
    t.throws(() => parseBthome(bytesOf(hex), opening), { code: 'SENSOR_GARBLED', message })
  refused({}, /address of its sender is not known/)
  refused({ mac }, /no key is known/)
  refused({ mac, ccm, key: key.with(0, 0) }, /bad checksum/)
  refused({ mac: '54:48:E6:8F:80:A6', ccm, key }, /bad checksum/)
  refused({ mac, ccm, key }, /half a frame/, secret.slice(0, 16))
  const withMac = cases.find(({ name }) => name === 'encrypted with MAC')?.hex ?? ''
  refused({ mac: '54:48:E6:8F:80:A6', ccm, key }, /names 54:48:E6:8F:80:A5 as its sender/, withMac)
})

test('one changed bit of an encrypted frame is noticed, but in its first byte may be another version', async (t) => {
  const ccm = await nodeCcm()
  const bytes = bytesOf(secret)
  for (let bit = 8; bit < bytes.length * 8; bit++) {
    const changed = bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
    t.throws(() => parseBthome(changed, { mac, ccm, key }), { message: /bad checksum/ })
  }
})

test('the counter of an encrypted frame is told, so that a replay can be noticed', async (t) => {
  const counter = Uint8Array.of(9, 1, 0, 0)
  const nonce = Uint8Array.of(0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5, 0xd2, 0xfc, 0x41, ...counter)
  const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: 4 })
  const sealed = Buffer.concat([cipher.update(bytesOf('0245ff')), cipher.final()])
  const frame = Uint8Array.of(0x41, ...sealed, ...counter, ...cipher.getAuthTag())
  const said = parseBthome(frame, { mac, ccm: await nodeCcm(), key })
  t.is(said.counter, 265)
  t.deepEqual(said.objects.map(shown), [-1.87])
})
