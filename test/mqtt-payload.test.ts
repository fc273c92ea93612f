import { Buffer } from 'node:buffer'
import test from 'ava'
import { utf8 } from '../anchor-client/evidence/bytes.ts'
import { cursorOf } from '../anchor-client/evidence/codec.ts'
import { encode } from '../anchor-client/evidence/encode.ts'
import type { Decimal, Value } from '../anchor-client/evidence/model.ts'
import { readValue } from '../anchor-client/evidence/values.ts'
import { checkAgainstMapping, type IngestReading, readPayload } from '../gateway/ingest/payload.ts'

const outcome = (payload: string | Uint8Array) =>
  readPayload(typeof payload === 'string' ? utf8(payload) : payload)

const withValue = (value: string, kind = 'temperature') =>
  outcome(`{"kind":"${kind}","value":${value}}`)

function takenFrom(value: string, kind?: string): Value | undefined {
  const read = withValue(value, kind)
  return 'reading' in read ? read.reading.value : undefined
}

const refusalOf = (payload: string | Uint8Array): string | undefined => {
  const read = outcome(payload)
  return 'refused' in read ? read.refused : undefined
}

test('a reading is taken with everything that it says', (t) => {
  t.deepEqual(
    outcome(`
      {"kind": "temperature", "value": 4.25, "unit": "Cel",
       "id": "Öl 7\\u0021", "time": "2026-01-31T08:00:00.5+01:00"}
    `),
    {
      reading: {
        kind: 'temperature',
        value: [425, -2],
        unit: 'Cel',
        id: 'Öl 7!',
        time: '2026-01-31T08:00:00.5+01:00',
      },
    },
  )
  t.deepEqual(outcome('{"value":true,"kind":"contact","unit":null,"id":null,"time":null}'), {
    reading: { kind: 'contact', value: true, unit: null, id: null, time: null },
  })
})

const kept: Record<string, Decimal> = {
  '4.250': [4250, -3],
  '4.25': [425, -2],
  '0': [0, 0],
  '-0': [0, 0],
  '-0.0': [0, -1],
  '-40': [-40, 0],
  '1e3': [1, 3],
  '1E+03': [1, 3],
  '1.50e-9': [150, -11],
  '12.5e2': [125, 1],
  '999999999999999': [999999999999999, 0],
  '0.12345678901234': [12345678901234, -14],
  '-1.23456789012345e-4': [-123456789012345, -18],
}
for (const [digits, decimal] of Object.entries(kept)) {
  test(`the number ${digits} keeps its digits`, (t) => {
    t.deepEqual(takenFrom(digits), decimal)
    t.is(Number(decimal.join('e')), Number(digits) + 0)
  })
}

for (const digits of [
  '1234567890123456',
  '0.123456789012345',
  '1e10',
  '1e-10',
  '1e99999999999999999999',
  '1.23456789012345e-5',
]) {
  test(`the number ${digits} is refused rather than rounded`, (t) => {
    t.regex(refusalOf(`{"kind":"temperature","value":${digits}}`) ?? '', /^value has /)
  })
}

test('several numbers are one value, in the order that evidence wants', (t) => {
  t.deepEqual(takenFrom('{"systolic":128,"diastolic":81.0,"Mean":97}', 'blood-pressure'), undefined)
  t.deepEqual(takenFrom('{"systolic":128,"mean":97,"diastolic":81.0}', 'blood-pressure'), [
    ['diastolic', [810, -1]],
    ['mean', [97, 0]],
    ['systolic', [128, 0]],
  ])
  t.deepEqual(takenFrom('{"lat":"31.2304","lon":"-121.47"}', 'position'), [
    ['lat', [312304, -4]],
    ['lon', [-12147, -2]],
  ])
})

test('a tag is its bytes, in lower-case hex', (t) => {
  t.deepEqual(
    takenFrom('"3034257bf7194e4000001a85"', 'tag'),
    Uint8Array.from(Buffer.from('3034257bf7194e4000001a85', 'hex')),
  )
  for (const value of ['"3034257BF7"', '"303"', '""', '"tag"', '12', `"${'00'.repeat(257)}"`]) {
    t.is(takenFrom(value, 'tag'), undefined, value)
  }
})

test('whatever is taken can be written into evidence and read back', (t) => {
  const values = [
    ...Object.keys(kept).map((digits) => [digits]),
    ['{"b":1,"a-b":2,"a_b":3,"aB":4,"ab":5,"a":6}'],
    [`"${'ä'.repeat(128)}"`, 'note'],
    ['"\\ud83d\\ude00"', 'note'],
    ['false', 'contact'],
    [`"${'00'.repeat(256)}"`, 'tag'],
  ] as const
  for (const [text, kind] of values) {
    const value = takenFrom(text as string, kind)
    t.not(value, undefined, text)
    t.deepEqual(readValue(cursorOf(encode(value as Parameters<typeof encode>[0]))), value)
  }
})

const refused: Record<string, [payload: string | Uint8Array, reason: RegExp]> = {
  nothing: ['', /no JSON/],
  'text that is no JSON': ['21.5', /no JSON object/],
  'half of it': ['{"kind":"temperature","value":1', /no JSON: expected a comma or }/],
  'something after it': ['{"kind":"a","value":1}{}', /nothing after it at character 23/],
  'a byte order mark': ['\ufeff{"kind":"a","value":1}', /no JSON/],
  'single quotes': ["{'kind':'a','value':1}", /a key in quotes/],
  'a comma too many': ['{"kind":"a","value":1,}', /a key in quotes/],
  'a comment': ['{"kind":"a","value":1}//', /nothing after it/],
  'a number with a leading zero': ['{"kind":"a","value":01}', /no JSON/],
  'a number with a plus': ['{"kind":"a","value":+1}', /no JSON/],
  'a number without its last digit': ['{"kind":"a","value":1.}', /no JSON/],
  'not a number': ['{"kind":"a","value":NaN}', /no JSON/],
  'a line break in a text': ['{"kind":"a","value":"\n"}', /no JSON/],
  'an escape that is none': ['{"kind":"a","value":"\\x41"}', /no JSON/],
  'half of a pair of surrogates': ['{"kind":"a","value":"\\ud83d"}', /whole characters/],
  'bytes that are no UTF-8': [Buffer.from('{"kind":"a","value":"\xe9"}', 'latin1'), /no UTF-8/],
  'too many levels': ['{"kind":"a","value":{"a":{"b":{}}}}', /at most 3 levels/],
  'a list': ['{"kind":"a","value":[1,2]}', /^value is no number/],
  'a list around it': ['[{"kind":"a","value":1}]', /no JSON object/],
  'a value of null': ['{"kind":"a","value":null}', /^value is no number/],
  'a key twice': ['{"kind":"a","value":1,"kind":"b"}', /^the key kind stands there twice$/],
  'a key twice in two forms': [
    '{"kind":"a","value":1,"\\u006bind":"b"}',
    /kind stands there twice/,
  ],
  'a field twice': ['{"kind":"a","value":{"x":1,"x":1}}', /^the key x stands there twice$/],
  'an unknown key': ['{"kind":"a","value":1,"patient":"x"}', /^the key patient is not known here$/],
  'a key that is no name': ['{"kind":"a","value":1,"\u001b[2J":"x"}', /no JSON/],
  'a key like a sentence': [
    '{"kind":"a","value":1,"Mr X":1}',
    /^a key with an unusual name is not/,
  ],
  'a key of the language': ['{"kind":"a","value":1,"__proto__":{}}', /^the key __proto__ is not/],
  'no kind': ['{"value":1}', /^the key kind is missing$/],
  'no value': ['{"kind":"a"}', /^the key value is missing$/],
  'a kind in capitals': ['{"kind":"Temperature","value":1}', /^kind is no name/],
  'a kind that is a number': ['{"kind":1,"value":1}', /^kind is no name/],
  'a kind of 33 characters': [`{"kind":"${'a'.repeat(33)}","value":1}`, /^kind is no name/],
  'no fields': ['{"kind":"a","value":{}}', /^value has not 1 to 16 fields$/],
  'seventeen fields': [
    `{"kind":"a","value":{${Array.from({ length: 17 }, (_, i) => `"f${i}":1`)}}}`,
    /1 to 16 fields/,
  ],
  'a field in capitals': ['{"kind":"a","value":{"Lat":1}}', /field whose name/],
  'a field that is no number': ['{"kind":"a","value":{"lat":"north"}}', /^value.lat is no number$/],
  'a field of 16 digits': ['{"kind":"a","value":{"lat":1234567890123456}}', /^value.lat has more/],
  'blood pressure as one number': ['{"kind":"blood-pressure","value":128}', /^value is no object/],
  'an empty text': ['{"kind":"a","value":""}', /^value is no text of 1 to 256/],
  'a text of 257 bytes': [`{"kind":"a","value":"a${'ä'.repeat(128)}"}`, /^value is no text/],
  'a unit of 17 characters': ['{"kind":"a","value":1,"unit":"12345678901234567"}', /^unit is no/],
  'a unit with a blank': ['{"kind":"a","value":1,"unit":"a b"}', /^unit is no/],
  'an empty id': ['{"kind":"a","value":1,"id":""}', /^id is no text of 1 to 128/],
  'an id of 129 bytes': [`{"kind":"a","value":1,"id":"a${'ä'.repeat(64)}"}`, /^id is no text/],
  'an id that is a number': ['{"kind":"a","value":1,"id":7}', /^id is no text/],
  'a day that does not exist': [
    '{"kind":"a","value":1,"time":"2026-02-30T00:00:00Z"}',
    /^time is no/,
  ],
  'a time without a zone': ['{"kind":"a","value":1,"time":"2026-02-03T00:00:00"}', /^time is no/],
  'more than 4 KiB': [`{"kind":"a","value":1${' '.repeat(4096)}}`, /larger than 4 KiB/],
}
for (const [what, [payload, reason]] of Object.entries(refused)) {
  test(`${what}: refused with a reason`, (t) => {
    t.regex(refusalOf(payload) ?? 'taken', reason)
  })
}

test('a refusal never repeats what was sent as a value', (t) => {
  for (const key of ['kind', 'unit', 'id', 'time', 'value']) {
    for (const value of [
      '"SECRET SECRET SECRET"',
      '["SECRET"]',
      '{"a":"SECRET"}',
      '"SECRET',
      'SECRET',
    ]) {
      const others = Object.entries({ kind: '"tag"', value: '1' }).filter(([name]) => name !== key)
      const payload = `{${[...others, [key, value]].map(([name, text]) => `"${name}":${text}`)}}`
      t.notRegex(refusalOf(payload) ?? 'SECRET', /SECRET/, payload)
    }
  }
})

test('a publisher that is configured sends what is configured, and the unit may go without saying', (t) => {
  const reading = (kind: string, unit: string | null): IngestReading => ({
    kind,
    value: [1, 0],
    unit,
    id: null,
    time: null,
  })
  const mapping = { kinds: { temperature: 'Cel', humidity: '%' } }
  t.is(checkAgainstMapping(reading('temperature', 'Cel'), mapping), null)
  t.is(checkAgainstMapping(reading('humidity', null), mapping), null)
  t.is(
    checkAgainstMapping(reading('temperature', '[degF]'), mapping),
    'unit is not the one configured for temperature: Cel',
  )
  t.is(
    checkAgainstMapping(reading('heart-rate', '/min'), mapping),
    'kind is none of those configured for this publisher: temperature, humidity',
  )
  t.not(checkAgainstMapping(reading('constructor', null), mapping), null)
  t.is(checkAgainstMapping(reading('heart-rate', '/min'), {}), null)
})
