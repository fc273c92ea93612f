import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { formatTime, parseTime } from '../anchor-client/evidence/rfc3339.ts'
import { parseTrust } from '../anchor-client/evidence/trust.ts'
import { signerOf } from './helpers/signer.ts'

const [keyA, keyB] = ['1a', '1b'].map((byte) => bytesToHex(signerOf(byte.repeat(32)).publicKey))
const gateway = 'ab'.repeat(32)
const key = { publicKey: keyA, incarnation: 0, from: 1, to: null, compromisedAfter: null }
const ledger = { kind: 'witness', name: 'Regulator', publicKey: keyB, independent: true }
const sound = {
  asOf: '2026-11-20T00:00:00Z',
  gateways: [{ gateway, keys: [key] }],
  ledgers: [ledger],
  controllers: [{ publicKey: keyB, name: 'Hospital' }],
}

const refused = (trust: unknown) => refusedText(JSON.stringify(trust))

function refusedText(text: string): string {
  try {
    parseTrust(text)
  } catch (error) {
    if (error instanceof KedgeError && error.code === 'TRUST_INVALID') return error.message
    throw error
  }
  return 'not refused'
}

test('what a trust file leaves out has its default', (t) => {
  const trust = parseTrust(
    JSON.stringify({
      ...sound,
      gateways: [{ gateway, keys: [{ publicKey: keyA, incarnation: 0 }] }],
      ledgers: [{ kind: 'witness', publicKey: keyB }],
    }),
  )
  t.deepEqual(trust.gateways.get(gateway), [
    {
      publicKey: keyA as string,
      incarnation: 0,
      fromSize: 1,
      toSize: null,
      compromisedAfterMs: null,
    },
  ])
  const [only] = trust.ledgers.values()
  t.like(only, { code: 'extensions', independent: false, required: false, clockToleranceMs: 0 })
})

test('a key that nobody knows is named, with where it stands', (t) => {
  t.regex(refused({ ...sound, ledger: [] }), /^ledger: expected no such key/)
  const extra = { ...sound, ledgers: [{ ...ledger, trusted: true }] }
  t.regex(refused(extra), /^ledgers\[0\]\.trusted: /)
})

test('a key that stands twice is named, with line and column', (t) => {
  const text = '{\n  "asOf": "2026-11-20T00:00:00Z",\n  "asOf": "2026-11-20T00:00:00Z"\n}'
  t.is(refusedText(text), 'expected each key once, but "asOf" stands here again (line 3, column 3)')
})

test('a wrong type is named, with what was expected', (t) => {
  const at = (change: object) => refused({ ...sound, ...change })
  t.regex(at({ asOf: 'yesterday' }), /^asOf: expected a time such as/)
  t.regex(at({ gateways: {} }), /^gateways: expected an array/)
  t.regex(at({ gateways: [{ gateway, keys: [{ ...key, from: '1' }] }] }), /keys\[0\]\.from: /)
  t.regex(at({ gateways: [{ gateway: gateway.toUpperCase(), keys: [] }] }), /64 lower-case hex/)
  t.regex(at({ ledgers: [{ ...ledger, kind: 'notary' }] }), /kind: expected "witness"/)
  t.regex(
    at({ ledgers: [{ ...ledger, independent: 'yes' }] }),
    /independent: expected true or false/,
  )
  t.regex(at({ ledgers: [{ ...ledger, clockToleranceMs: -1 }] }), /clockToleranceMs: /)
  t.regex(at({ controllers: [{}] }), /controllers\[0\]\.publicKey: /)
  t.regex(refused([]), /^the trust file: expected an object/)
})

test('a public key that is no point of the curve is refused', (t) => {
  const broken = `${keyA?.slice(0, -2)}00`
  t.regex(refused({ ...sound, controllers: [{ publicKey: broken }] }), /point on the SM2 curve/)
})

test('the same gateway, key, ledger or controller twice is refused', (t) => {
  const twice = <T>(one: T) => [one, one]
  t.regex(refused({ ...sound, gateways: twice(sound.gateways[0]) }), /gateways\[1\]: .* twice/)
  t.regex(refused({ ...sound, gateways: [{ gateway, keys: twice(key) }] }), /keys\[1\]: .* twice/)
  t.regex(refused({ ...sound, ledgers: twice(ledger) }), /ledgers\[1\]: .* twice/)
  t.regex(refused({ ...sound, controllers: twice(sound.controllers[0]) }), /controllers\[1\]: /)
})

test('text that only looks like JSON is refused', (t) => {
  const whole = JSON.stringify(sound)
  const texts = [
    '',
    'nothing',
    `${whole}x`,
    `\ufeff${whole}`,
    whole.replace('"from":1', '"from":1.0'),
    whole.replace('"from":1', '"from":1e0'),
    whole.replace('"from":1', '"from":01'),
    whole.replace('"from":1', '"from":9007199254740992'),
    whole.replace('Regulator', 'Reg\nulator'),
    whole.replace('Regulator', '\\ud800'),
    whole.replace('[', '[,'),
    `${'['.repeat(10_000)}`,
  ]
  for (const text of texts) t.regex(refusedText(text), /expected/, text.slice(0, 40))
})

test('times are RFC 3339, and only times that exist', (t) => {
  const known = {
    '2026-02-28T23:59:59Z': '2026-02-28T23:59:59.000Z',
    '2024-02-29T12:00:00.123456789+08:00': '2024-02-29T04:00:00.123Z',
    '0001-01-01T00:00:00Z': '0001-01-01T00:00:00.000Z',
    '2026-01-01T00:30:00-01:00': '2026-01-01T01:30:00.000Z',
  }
  for (const [text, utc] of Object.entries(known)) t.is(formatTime(parseTime(text) ?? 0), utc)
  const none = ['2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01T24:00:00Z']
  const odd = ['2026-01-01T00:00:60Z', '2026-01-01 00:00:00Z', '2026-01-01T00:00:00', '2026-01-01']
  for (const text of [...none, ...odd]) t.is(parseTime(text), undefined, text)
})
