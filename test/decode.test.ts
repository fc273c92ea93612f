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
  for (const format of ['w1', 'nmea', 'epc']) t.true(stdout.includes(`kedge decode ${format}:`))
})
