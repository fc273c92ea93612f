import { readFileSync } from 'node:fs'
import test from 'ava'
import { runWith } from './helpers/input.ts'
import { run } from './helpers/spawn.ts'
import { standards, testWithStandards, vectors } from './helpers/vectors.ts'

const arguments_ = (args: readonly string[]) => ['--import=tsx', 'gateway/cli.ts', ...args]
const kedge = (...args: string[]) => run(process.execPath, arguments_(args))
const piped = (input: string | Uint8Array, ...args: string[]) =>
  runWith(input, process.execPath, arguments_(args))
const objectsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const w1 = (vectors('drivers/w1-therm.json') as { files: Record<string, Record<string, string>> })
  .files['28-000005e2fdc3/w1_slave'] as Record<string, string>
const nmea = vectors('drivers/nmea.json') as {
  sentences: [string, string, string]
  expect: Record<string, unknown>
}

for (const [name, said] of [
  ['ok', { celsius: 23.125, quality: 'good', reason: null }],
  ['cold', { celsius: 4.5, quality: 'good', reason: null }],
  ['powerOn', { celsius: 85, quality: 'suspect', reason: 'power-on value' }],
] as const) {
  test(`a pasted thermometer file is explained: ${JSON.stringify(said)}`, async (t) => {
    const text = w1[name] as string
    const given = await kedge('decode', 'w1', text, '--json')
    t.is(given.stderr, '')
    t.deepEqual(objectsIn(given.stdout), [said])
    t.is(given.code, 0)
    t.deepEqual(await piped(text, 'decode', 'w1', '-', '--json'), given)
    const bytes = text.slice(0, 26)
    t.deepEqual(await kedge('decode', 'w1', ...bytes.split(' '), '--json'), given)
  })
}

for (const [name, reason] of [
  ['crcBad', /CRC NO/],
  ['allZero', /all zeros/],
  ['allOnes', /all ones/],
] as const) {
  test(`a thermometer file without a temperature is refused: ${reason.source}`, async (t) => {
    const { code, stdout, stderr } = await kedge('decode', 'w1', w1[name] as string, '--json')
    t.is(code, 1)
    t.is(stdout, '')
    const [{ error }] = objectsIn(stderr)
    t.is(error.code, 'SENSOR_GARBLED')
    t.regex(error.message, reason)
  })
}

test('pasted sentences of a receiver are explained one by one', async (t) => {
  const { code, stdout } = await piped(nmea.sentences.join('\r\n'), 'decode', 'nmea', '-', '--json')
  t.is(code, 0)
  const [gga, rmc, gll] = objectsIn(stdout)
  const { lat, lon, fix, sats, altM, utc, speedKn } = nmea.expect
  t.like(gga, { talker: 'GP', sentence: 'GGA', lat, lon, fix, sats, altM })
  t.like(rmc, { talker: 'GP', sentence: 'RMC', valid: true, lat, lon, utc, speedKn })
  t.like(gll, { lat: 49.274167, lon: -123.185333, time: '22:54:44Z' })
  const alone = await kedge('decode', 'nmea', nmea.sentences[1], '--json')
  t.deepEqual(objectsIn(alone.stdout), [rmc])
  const together = await kedge('decode', 'nmea', ...nmea.sentences, '--json')
  t.deepEqual(objectsIn(together.stdout), [gga, rmc, gll])
})

test('a bad line among good ones is refused by its number, and the others are explained', async (t) => {
  const [good, other] = nmea.sentences
  const lines = [good, good.replace('*47', '*48'), '', '\u0000\u00ff', other]
  const { code, stdout, stderr } = await piped(
    Buffer.from(lines.join('\n'), 'latin1'),
    'decode',
    'nmea',
    '-',
    '--json',
  )
  t.is(code, 1)
  t.is(objectsIn(stdout).length, 2)
  t.deepEqual(
    objectsIn(stderr).map(({ error }) => [error.code, error.at]),
    [
      ['SENSOR_GARBLED', '-:2'],
      ['SENSOR_GARBLED', '-:4'],
    ],
  )
})

test('a person reads a line a field', async (t) => {
  const { stdout } = await kedge('decode', 'epc', 'urn:epc:tag:sgtin-96:3.0614141.812345.6789')
  t.deepEqual(stdout.trimEnd().split('\n'), [
    'scheme: SGTIN-96',
    'filter: 3',
    'tag_uri: urn:epc:tag:sgtin-96:3.0614141.812345.6789',
    'pure_identity: urn:epc:id:sgtin:0614141.812345.6789',
    'ai 21: 6789',
    'ai 01: 80614141123458',
    'digital_link: https://id.gs1.org/01/80614141123458/21/6789',
  ])
})

testWithStandards('tds/epc-vectors.json')(
  'published tags are explained and encoded with the published words',
  async (t) => {
    const { valid, invalid } = JSON.parse(readFileSync(`${standards}tds/epc-vectors.json`, 'utf8'))
    const ours = valid.filter(({ scheme }: { scheme: string }) =>
      /^(SGTIN|SSCC|GRAI)-96$/.test(scheme),
    )
    const column = (name: string) => ours.map((one: Record<string, unknown>) => one[name])
    const told = ours.map(({ hex: _, source: __, ...known }: Record<string, unknown>) => known)
    const lines = (name: string) => column(name).join('\n')
    for (const form of ['hex', 'tag_uri']) {
      const { code, stdout } = await piped(lines(form), 'decode', 'epc', '-', '--json')
      t.is(code, 0)
      t.deepEqual(objectsIn(stdout), told)
    }
    const { stdout } = await piped(lines('tag_uri'), 'encode', 'epc', '-', '--json')
    t.deepEqual(
      objectsIn(stdout).map(({ hex }) => hex),
      column('hex'),
    )
    const refused = await piped(
      invalid.map(({ hex }: { hex: string }) => hex).join('\n'),
      'decode',
      'epc',
      '-',
      '--json',
    )
    t.is(refused.code, 1)
    t.is(refused.stdout, '')
    t.is(objectsIn(refused.stderr).length, invalid.length)
    t.true(objectsIn(refused.stderr).every(({ error }) => error.code === 'EPC_REFUSED'))
  },
)

const epcArguments = ['encode', 'epc', '--scheme', 'SGTIN-96', '--filter', '3', '--json']
const tag = { hex: '3074257BF7194E4000001A85' }

test('a tag is encoded from its identity, or from what is printed on the box', async (t) => {
  const identity = await kedge(...epcArguments, 'urn:epc:id:sgtin:0614141.812345.6789')
  t.deepEqual(objectsIn(identity.stdout), [tag])
  const box = await kedge(...epcArguments, '--prefix-digits', '7', '(01)80614141123458(21)6789')
  t.deepEqual(objectsIn(box.stdout), [tag])
})

for (const [what, args, code, error] of [
  ['a box whose company prefix is of unknown length', ['(01)80614141123458(21)6789'], 2, 'USAGE'],
  ['a scheme that is not the one named', ['urn:epc:id:sscc:0614141.1234567890'], 1, 'EPC_REFUSED'],
  [
    'another filter than the one named',
    ['urn:epc:tag:sgtin-96:1.0614141.812345.6789'],
    1,
    'EPC_REFUSED',
  ],
  ['words that are no EPC', ['box 17'], 1, 'EPC_REFUSED'],
  ['nothing at all', [], 2, 'USAGE'],
] as const) {
  test(`${what} is not encoded, and the reason is told`, async (t) => {
    const ended = await kedge(...epcArguments, ...args)
    t.is(ended.code, code)
    t.is(ended.stdout, '')
    t.is(objectsIn(ended.stderr)[0].error.code, error)
  })
}

test('a word that decode does not know is answered with the one that was meant', async (t) => {
  const { code, stderr } = await kedge('decode', 'nema', 'x', '--json')
  t.is(code, 2)
  t.like(objectsIn(stderr)[0].error, { code: 'USAGE', hint: 'did you mean nmea?' })
  const { stdout } = await kedge('help', 'decode')
  for (const format of ['w1', 'nmea', 'epc', 'ruuvi', 'bthome', 'pvvx', 'modbus', 'sht', 'bme280'])
    t.true(stdout.includes(`kedge decode ${format}:`))
})

const i2c = vectors('drivers/i2c.json') as { sht4x: { raw: string; t: number; rh: number } }
const ruuvi = vectors('drivers/ruuvi-rawv2.json') as { cases: Record<string, unknown>[] }
const pvvx = vectors('drivers/pvvx.json') as { cases: Record<string, unknown>[] }
const bthome = vectors('drivers/bthome-v2.json') as { cases: Record<string, unknown>[] }
const colons = (mac: unknown) =>
  typeof mac === 'string'
    ? mac
        .replaceAll(':', '')
        .replace(/(..)(?=.)/g, '$1:')
        .toUpperCase()
    : mac

test('pasted advertisements of tags and thermometers are explained with the published words', async (t) => {
  for (const [format, cases] of [
    ['ruuvi', ruuvi.cases],
    ['pvvx', pvvx.cases],
    ['bthome', bthome.cases.filter(({ key }) => key === undefined)],
  ] as const) {
    const { code, stdout, stderr } = await piped(
      cases.map(({ hex }) => hex).join('\n'),
      'decode',
      format,
      '-',
      '--json',
    )
    t.is(stderr, '')
    t.is(code, 0)
    const said = objectsIn(stdout)
    t.is(said.length, cases.length)
    for (const [i, { name: _, hex: __, ...expected }] of cases.entries()) {
      t.like(said[i], 'mac' in expected ? { ...expected, mac: colons(expected.mac) } : expected)
    }
  }
})

test('an encrypted advertisement is opened with its key, and the key is never shown', async (t) => {
  const key = '231d39c1d7cc1ab1aee224cd096db932'
  const args = ['decode', 'bthome', '--json', '--mac', '54:48:E6:8F:80:A5', '--key']
  const frames = bthome.cases.filter((one) => 'key' in one).map(({ hex }) => String(hex))
  const { code, stdout } = await kedge(...args, key, ...frames)
  t.is(code, 0)
  t.is(frames.length, 2)
  for (const said of objectsIn(stdout))
    t.like(said, { t: 25.06, rh: 50.55, mac: '54:48:E6:8F:80:A5' })
  const wrong = key.replace('2', '3')
  const refused = await kedge(...args, wrong, ...frames)
  t.is(refused.code, 1)
  t.is(refused.stdout, '')
  t.false(refused.stderr.includes(wrong))
  const missing = await kedge('decode', 'bthome', '--json', ...frames)
  t.regex(objectsIn(missing.stderr)[0].error.message, /encrypted/)
})

test('pasted frames of a Modbus line are explained, questions, answers, exceptions and TCP', async (t) => {
  const { code, stdout } = await kedge(
    ...['decode', 'modbus', '--json', '02074112', '01030000000AC5CD', '010404ffd30262ab34'],
    ...['018402c2c1', '000100000007ff0404ffd30262', '000100000003ff8302'],
  )
  const [status, question, ...others] = objectsIn(stdout)
  t.is(code, 1, 'the third has a bad checksum')
  t.deepEqual(status, { unit: 2, fn: 7 })
  t.deepEqual(question, { unit: 1, fn: 3, address: 0, count: 10 })
  t.deepEqual(others, [
    { unit: 1, fn: 4, exception: 2, meaning: 'it has no such address' },
    { transaction: 1, unit: 255, fn: 4, registers: [0xffd3, 610] },
    { transaction: 1, unit: 255, fn: 3, exception: 2, meaning: 'it has no such address' },
  ])
})

test('bytes of an I²C sensor are explained when it is said which sensor it is', async (t) => {
  const { raw, t: celsius, rh } = i2c.sht4x
  const sht = await kedge('decode', 'sht', '--model', 'sht4x', '--json', raw)
  t.deepEqual(objectsIn(sht.stdout), [{ t: celsius, rh }])
  const block = '706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017'
  const bme = await kedge('decode', 'bme280', '--calibration', block, '--json', '655ac07eed00')
  t.deepEqual(objectsIn(bme.stdout), [{ t: 25.08, pPa: 100653.25, rh: null, tFine: 128422 }])
  for (const [format, what] of [
    ['sht', '--model'],
    ['bme280', '--calibration'],
  ] as const) {
    const { code, stderr } = await kedge('decode', format, '--json', raw)
    t.is(code, 2)
    t.like(objectsIn(stderr)[0].error, { code: 'USAGE' })
    t.true(stderr.includes(what))
  }
  const stray = await kedge('decode', 'modbus', '--model', 'sht4x', '--json', '02074112')
  t.is(stray.code, 2)
  t.is(stray.stdout, '')
})
