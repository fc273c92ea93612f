import { readFileSync } from 'node:fs'
import test from 'ava'
import { utf8 } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { parseFridgeTag } from '../drivers/fridge-tag.ts'
import { parseLoggerCsv } from '../drivers/logger-csv.ts'
import { loggerFormatOf, loggerFormats } from '../drivers/logger-formats.ts'
import { parseQTag } from '../drivers/q-tag.ts'
import { fridgeTagText, qTagText } from './helpers/logger-files.ts'
import { standards, testWithStandards } from './helpers/vectors.ts'

test('every row of a Q-tag is a reading with the digits and the time that it states', (t) => {
  const { device, serial, zone, readings, refused } = parseQTag(
    utf8(qTagText(['2026-11-08 04:49\t4.4\t', '2026-11-08 04:59\t-0.5\tx'])),
  )
  t.deepEqual([device, serial, zone, refused], ['Q-tag CLm doc LR', 'TEST00001', '0.00', []])
  t.deepEqual(readings, [
    {
      ...{ line: 14, time: '2026-11-08 04:49', kind: 'temperature', value: [44, -1], unit: 'Cel' },
      details: [],
    },
    {
      ...{ line: 15, time: '2026-11-08 04:59', kind: 'temperature', value: [-5, -1], unit: 'Cel' },
      details: [['out-of-limits', true]],
    },
  ])
})

for (const [row, reason] of [
  ['2026-11-08 04:49\t--.-\tx', '--.-: the logger had no reading'],
  ['2026-02-30 04:49\t4.4\t', 'its time is none that exists'],
  ['2026-11-08 24:00\t4.4\t', 'its time is none that exists'],
  ['2026-11-08 04:49\t4,4\t', 'its temperature is no number'],
  ['2026-11-08 04:49\t4.4.4\t', 'its temperature is no number'],
  ['2026-11-08 04:49\tNaN\t', 'its temperature is no number'],
  ['2026-11-08 04:49\t4.4\ty', 'not a row of readings'],
  ['2026-11-08 04:49\t4.4\t\t5', 'not a row of readings'],
] as const) {
  test(`the row "${row.replaceAll('\t', ' ')}" is refused, and its neighbours are read`, (t) => {
    const good = '2026-11-08 05:09\t4.4\t'
    const { readings, refused } = parseQTag(utf8(qTagText([good, row, good])))
    t.is(readings.length, 2)
    t.deepEqual(refused, [{ line: 15, reason, text: `\t${row}` }])
  })
}

test('a file that has lost its end is read, and every reading of it is suspect', (t) => {
  const whole = qTagText(['2026-11-08 04:49\t4.4\t', '2026-11-08 04:59\t4.5\t'])
  const cut = whole.slice(0, whole.indexOf('Cert:'))
  t.deepEqual(
    parseQTag(utf8(cut)).readings.map(({ quality }) => quality),
    new Array(2).fill('suspect: the file lacks the signature of the logger'),
  )
})

test('a Fridge-tag that keeps no readings gives its days, which are not taken for readings of a moment', (t) => {
  const day = { date: '2026-04-20', min: '+2.0', max: '+8.5', mean: '+4.6', minutesAbove: 12 }
  const { days, readings, refused } = parseFridgeTag(
    utf8(
      fridgeTagText([day, { ...day, date: '2026-04-19', min: '--.-', max: '--.-', mean: '--.-' }]),
    ),
  )
  t.is(days.length, 2)
  t.like(days[0], {
    date: '2026-04-20',
    min: [20, -1],
    minAt: '06:16',
    minutesBelow: 0,
    minutesAbove: 12,
  })
  t.deepEqual(readings, [
    {
      ...{ line: 14, time: '2026-04-20', kind: 'temperature-day', unit: 'Cel' },
      value: [
        ['max', [85, -1]],
        ['mean', [46, -1]],
        ['min', [20, -1]],
      ],
      details: [
        ['above-minutes', [12, 0]],
        ['below-minutes', [0, 0]],
        ['max-at', '14:33'],
        ['min-at', '06:16'],
      ],
    },
  ])
  t.deepEqual(refused, [
    { line: 27, reason: 'a day without a temperature', text: 'Date: 2026-04-19' },
  ])
})

test('a Fridge-tag that shows degrees Fahrenheit is recorded in them', (t) => {
  const text = qTagText(['2026-11-08 04:49\t39.9\t'], { device: 'Q-tag Fridge-tag Ultra Low' })
  const [reading] = parseFridgeTag(utf8(text.replace('Temp unit: C', 'Temp unit: F'))).readings
  t.is(reading?.unit, '[degF]')
  t.throws(() => parseFridgeTag(utf8(text.replace('Temp unit: C', 'Temp unit: K'))), {
    instanceOf: KedgeError,
  })
})

const files = 'loggers/berlinger'
for (const [name, format, readings, refused] of [
  ['100800001215_202304201410.txt', 'fridge-tag', 835, 6],
  ['130400191542_202302140605.txt', 'fridge-tag', 60, 0],
  ['130400191544_202304201514.txt', 'fridge-tag', 4, 0],
  ['RCPJ00010_02_202211090128.txt', 'q-tag', 124, 0],
] as const) {
  testWithStandards(`${files}/${name}`)(`the real export ${name} is read whole`, (t) => {
    const bytes = readFileSync(`${standards}${files}/${name}`)
    const found = loggerFormatOf(bytes)
    t.is(found, format)
    const file = loggerFormats[found](bytes)
    t.is(file.readings.length, readings)
    t.is(file.refused.length, refused)
    t.true(name.startsWith(`${file.serial}_`))
    t.true(file.readings.every(({ quality }) => quality === undefined))
  })
}

testWithStandards(`${files}/RCPJ00010_02_202211090128.txt`)(
  'the mean of what is read from a real Q-tag is the one that it printed itself',
  (t) => {
    const bytes = readFileSync(`${standards}${files}/RCPJ00010_02_202211090128.txt`)
    const values = parseQTag(bytes).readings.map(
      ({ value }) => (value as readonly number[])[0] ?? 0,
    )
    const tenths = values.reduce((sum, value) => sum + value, 0) / values.length
    // The logger cuts off what is beyond a tenth.
    t.is(Math.trunc(tenths) / 10, 5.4)
  },
)

test('CSV is read by the names of its columns, in any order, with what parts them', (t) => {
  const read = (text: string, form = {}) =>
    parseLoggerCsv(utf8(text), form).readings.map(({ line, time, kind, value, unit }) => [
      ...[line, time, kind, decimalText(value as readonly [number, number]), unit],
    ])
  t.deepEqual(read('time,value\n2026-01-31T08:00:00+01:00,4.250\n\n2026-01-31 08:05,-5\n'), [
    [2, '2026-01-31T08:00:00+01:00', 'temperature', '4.250', 'Cel'],
    [4, '2026-01-31 08:05', 'temperature', '-5', 'Cel'],
  ])
  t.deepEqual(read('\ufeffNote;Value;Time\r\n"a; ""b""";4,25;"2026-01-31 08:05:10"\r\n'), [
    [2, '2026-01-31 08:05:10', 'temperature', '4.25', 'Cel'],
  ])
  const form = { kind: 'humidity', unit: '%' }
  t.deepEqual(
    read(
      'time\tvalue\tkind\tunit\n2026-01-31 08:05\t4\t\t\n2026-01-31 08:05\t5\tpressure\tPa',
      form,
    ),
    [
      [2, '2026-01-31 08:05', 'humidity', '4', '%'],
      [3, '2026-01-31 08:05', 'pressure', '5', 'Pa'],
    ],
  )
  t.deepEqual(read('time,value\n2026-01-31 08:05,1\n', { kind: 'battery' })[0]?.[4], null)
})

for (const [row, reason] of [
  ['2026-01-31 08:05,', /no value/],
  ['2026-01-31 08:05,warm', /no number/],
  ['2026-01-31 08:05,4,25', /not the 2 cells/],
  ['2026-01-31 08:05,"4', /not the 2 cells/],
  ['2026-01-31 08:05,1234567890123456', /15 digits/],
  ['31.01.2026 08:05,4', /time/],
  ['yesterday,4', /time/],
] as const) {
  test(`the line "${row}" of a CSV file is refused, and the next is read`, (t) => {
    const { readings, refused } = parseLoggerCsv(utf8(`time,value\n${row}\n2026-01-31 08:10,4\n`))
    t.is(readings.length, 1)
    t.is(refused.length, 1)
    t.regex(refused[0]?.reason ?? '', reason)
    t.deepEqual([refused[0]?.line, refused[0]?.text], [2, row])
  })
}

for (const [what, bytes] of Object.entries({
  nothing: new Uint8Array(),
  'a picture': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0),
  'text in UTF-16': Uint8Array.of(0xff, 0xfe, 0x44, 0),
  'CSV without a head': utf8('2026-01-31 08:05,4\n'),
  'CSV with a column twice': utf8('time,value,value\n'),
  'a report of another device': utf8('Device: TempTale\r\n'),
  'a line that does not end': utf8(`time,value\n${'1'.repeat(5000)}`),
  'half a million empty lines': utf8('time,value\n'.padEnd(500_020, '\n')),
})) {
  test(`${what} is no file of a logger, and is told so`, (t) => {
    t.throws(() => loggerFormats[loggerFormatOf(bytes)](bytes), {
      instanceOf: KedgeError,
      code: 'FILE_UNREADABLE',
    })
  })
}

test('a line of blanks and quotation marks costs no more than any other', (t) => {
  const text = `time,value\n${`${' '.repeat(40)}"`.repeat(95)}\n`.repeat(200)
  t.true(parseLoggerCsv(utf8(text)).refused.length > 0)
})
