import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, utf8 } from '../anchor-client/evidence/bytes.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import type { DataFolder } from '../gateway/data-folder.ts'
import { kedge, type Line, newGateway, quickConfig, startGateway } from './helpers/gateway.ts'
import { allAnchored, exported, isReading, refusals, wholeStream } from './helpers/gateway-site.ts'
import { fridgeTagText, qTagText } from './helpers/logger-files.ts'
import { asked } from './helpers/running-gateway.ts'

const config = quickConfig('imports')
const rows = ['2026-11-08 04:49\t4.4\t', '2026-11-08 04:59\t--.-\tx', '2026-11-08 05:09\t8.5\tx']

/** A file beside the data folder, and the verb for it. */
async function file(folder: string, name: string, text: string) {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const importOf = (data: DataFolder, path: string, ...more: string[]) =>
  kedge('import', path, '--source', 'fridge', '--data', data.folder, ...more)

const readingsOf = async (data: DataFolder): Promise<Line[]> =>
  (await exported(data, 'import/fridge')).filter(isReading)

test('a logger’s file goes on record while the gateway runs, every reading marked as imported', async (t) => {
  await using site = await newGateway(config)
  await using gateway = await startGateway(site.data, config)
  const text = qTagText(rows)
  const path = await file(site.folder, 'q.txt', text)
  const { code, line } = await importOf(site.data, path)
  t.is(code, 0)
  const hash = bytesToHex(sm3(utf8(text)))
  t.like(line, { file: path, readings: 2, refused: 1, stream: 'import/fridge', known: 0 })
  t.like(line, { format: 'q-tag', logger: 'TEST00001', sm3: hash })

  const readings = await readingsOf(site.data)
  t.deepEqual(
    readings.map(({ value, unit, quality, details }) => [value, unit, quality, details]),
    [
      ['4.4', 14, '2026-11-08 04:49', {}],
      ['8.5', 16, '2026-11-08 05:09', { 'out-of-limits': true }],
    ].map(([value, at, time, more]) => [
      value,
      'Cel',
      'good',
      {
        ...{ file: hash, import: 'q-tag', line: String(at), logger: 'TEST00001' },
        ...{ 'logger-time': time, zone: '0.00' },
        ...(more as object),
      },
    ]),
  )
  t.true(
    readings.every(({ time }) => time > '2026-11-09'),
    'the time of a reading is that of its recording',
  )
  const refused = await refusals(site.data)
  t.deepEqual(
    refused.map(({ source, reason, sm3 }) => [source, reason, sm3]),
    [
      [
        'import/fridge',
        'line 15: --.-: the logger had no reading',
        bytesToHex(sm3(utf8(`\t${rows[1]}`))),
      ],
    ],
  )
  t.deepEqual(
    (await readdir(site.data.folder)).filter((name) => name.startsWith('import')),
    [],
    'no copy is left behind',
  )
  await allAnchored(site.data)
  const { verdict, why } = await wholeStream(site.data, 'import/fridge')
  t.is(verdict, 'complete', why)
  await gateway.stop()
})

test('the same file again adds nothing, neither readings nor refusals', async (t) => {
  await using site = await newGateway(config)
  await using _ = await startGateway(site.data, config)
  const path = await file(site.folder, 'q.txt', qTagText(rows))
  await importOf(site.data, path)
  const before = (await asked(site.data, 'status', {})).lines[0]?.streams
  const { code, line } = await importOf(site.data, path)
  t.is(code, 0)
  t.like(line, { readings: 0, known: 2, refused: 0, stream: 'import/fridge' })
  const after = (await asked(site.data, 'status', {})).lines[0]?.streams
  t.deepEqual(after, before)
})

test('the same file asked for twice at once goes on record once', async (t) => {
  await using site = await newGateway(config)
  await using _ = await startGateway(site.data, config)
  const path = await file(site.folder, 'q.txt', qTagText(rows))
  const both = await Promise.all([importOf(site.data, path), importOf(site.data, path)])
  t.deepEqual(both.map(({ line }) => line.readings).sort(), [0, 2])
  t.is((await readingsOf(site.data)).length, 2)
})

test('a later file of the same logger adds what is new, and what it says otherwise is suspect', async (t) => {
  await using site = await newGateway(config)
  const day = (date: string, max: string) => ({ date, min: '+2.0', max, mean: '+4.6' })
  const first = fridgeTagText([day('2026-04-19', '+7.0'), day('2026-04-18', '+7.1')])
  const later = fridgeTagText([
    ...[day('2026-04-20', '+7.2'), day('2026-04-19', '+7.9'), day('2026-04-18', '+7.1')],
  ])
  t.like((await importOf(site.data, await file(site.folder, '1.txt', first))).line, { readings: 2 })
  t.like((await importOf(site.data, await file(site.folder, '2.txt', later))).line, {
    readings: 2,
    known: 1,
  })
  t.deepEqual(
    (await readingsOf(site.data)).map(({ kind, value, quality, details }) => [
      ...[kind, value.max, quality, details['logger-time']],
    ]),
    [
      ['temperature-day', '7.1', 'good', '2026-04-18'],
      ['temperature-day', '7.0', 'good', '2026-04-19'],
      ['temperature-day', '7.9', 'suspect: an earlier import says otherwise', '2026-04-19'],
      ['temperature-day', '7.2', 'good', '2026-04-20'],
    ],
  )
})

test('without a running gateway it goes on record too, and is proved when the gateway has run', async (t) => {
  await using site = await newGateway(config)
  const csv = 'time,value\n2026-01-31T08:00:00Z,45.0\n2026-01-31T08:05:00Z,x\n'
  const path = await file(site.folder, 'h.csv', csv)
  const { code, line } = await importOf(site.data, path, '--kind', 'humidity', '--unit', '%')
  t.is(code, 0)
  t.like(line, { format: 'csv', logger: null, readings: 1, refused: 1 })
  await using gateway = await startGateway(site.data, config)
  await allAnchored(site.data)
  const { verdict, why, shown } = await wholeStream(site.data, 'import/fridge')
  t.is(verdict, 'complete', why)
  t.like(shown[0], { kind: 'humidity', value: '45.0', unit: '%' })
  const { line: again } = await importOf(site.data, path, '--kind', 'humidity', '--unit', '%')
  t.like(again, { readings: 0, known: 1 })
  await gateway.stop()
})

test('an import that was cut off goes on where it was cut', async (t) => {
  await using site = await newGateway(config)
  const all = Array.from(
    { length: 60 },
    (_, i) => `2026-11-08 05:${String(i).padStart(2, '0')}\t4.4\t`,
  )
  const text = qTagText(all)
  const path = await file(site.folder, 'q.txt', text)
  {
    await using gateway = await startGateway(site.data, config)
    // What a kill between two writes leaves: readings of the file, and no word that it is whole.
    const { streams, recorder, store } = gateway.live
    const plan = {
      source: 'import/fridge',
      kinds: null,
      promise: null,
      isPrivate: false,
      isDevice: false,
    }
    for (let i = 0; i < 20; i++) {
      const details = [
        ['file', sm3(utf8(text))],
        ['import', 'q-tag'],
        ['line', [14 + i, 0]],
        ['logger', 'TEST00001'],
        ['logger-time', (all[i] as string).slice(0, 16)],
      ] as const
      recorder.record(
        streams.open(plan),
        { kind: 'temperature', value: [44, -1], unit: 'Cel', details },
        { holdMs: 0 },
      )
    }
    await store.journal.flush()
  }
  t.like((await importOf(site.data, path)).line, { readings: 40, known: 20, refused: 0 })
  t.deepEqual(
    (await readingsOf(site.data)).map(({ details }) => Number(details.line)),
    all.map((_, i) => 14 + i),
  )
})

test('thousands of bad lines are refused, and do not fill the record', async (t) => {
  await using site = await newGateway(config)
  const csv = `time,value\n${'2026-01-31T08:00:00Z,warm\n'.repeat(3000)}2026-01-31T08:00:00Z,4\n`
  const { line } = await importOf(site.data, await file(site.folder, 'x.csv', csv))
  t.like(line, { readings: 1, refused: 3000 })
  const refused = await refusals(site.data)
  t.is(refused.length, 101)
  t.is(refused.at(-1)?.reason, '2900 more lines of this file were refused')
})

for (const [what, text, words, code, error] of [
  ['what no logger wrote', 'hello\n', [], 2, 'FILE_UNREADABLE'],
  ['a format that is not the file’s', 'time,value\n', ['--format', 'q-tag'], 2, 'FILE_UNREADABLE'],
  ['a format that there is not', 'time,value\n', ['--format', 'xlsx'], 2, 'USAGE'],
  [
    'a kind that is no name',
    'time,value\n2026-01-31T08:00:00Z,4\n',
    ['--kind', 'Very warm'],
    2,
    'USAGE',
  ],
  ['a file without a reading', 'time,value\n', [], 1, undefined],
] as const) {
  test(`${what} is told, and no reading goes on record`, async (t) => {
    await using site = await newGateway(config)
    const path = await file(site.folder, 'file', text)
    const args = ['import', path, '--source', 'fridge', '--data', site.data.folder]
    const answer = await kedge(...args, ...words.map((word) => word.replaceAll(' ', '-')))
    t.is(answer.code, code, answer.stderr)
    t.is(answer.error?.code, error)
    t.deepEqual(await readingsOf(site.data), [])
    t.deepEqual(
      (await readdir(site.data.folder)).filter((name) => name.startsWith('import')),
      [],
    )
  })
}

test('a file that is not there, a name that cannot be and a folder without a gateway are told', async (t) => {
  await using site = await newGateway(config)
  const missing = await importOf(site.data, join(site.folder, 'no.txt'))
  t.is(missing.error?.code, 'FILE_UNREADABLE')
  const path = await file(site.folder, 'q.txt', qTagText(rows))
  const named = await kedge('import', path, '--source', '../x', '--data', site.data.folder)
  t.is(named.error?.code, 'USAGE')
  const nowhere = await kedge('import', path, '--source', 'x', '--data', join(site.folder, 'no'))
  t.is(nowhere.error?.code, 'STORE_MISSING')
})
