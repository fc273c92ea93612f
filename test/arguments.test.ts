import { readFile } from 'node:fs/promises'
import test from 'ava'
import fc from 'fast-check'
import { properties } from '../anchor-client/evidence/model.ts'
import { nearest } from '../config/did-you-mean.ts'
import { findVerb, parseArguments } from '../gateway/command-line/arguments.ts'
import { globalOptions } from '../gateway/command-line/command.ts'
import { parseDuration, parseExpectation } from '../gateway/command-line/questions.ts'
import { columnsOf, jsonLine, padded, printable } from '../gateway/command-line/terminal.ts'
import { languageOf } from '../gateway/command-line/words.ts'

const options = {
  ...globalOptions,
  trust: { value: 'TRUST', means: '' },
  expect: { value: 'E', repeatable: true, means: '' },
} as const
const parse = (...args: string[]) => parseArguments(args, options)

test('options and files may come in any order', (t) => {
  const given = parse('a.kedge', '--trust', 't.json', '--expect=s,1,2', 'b.kedge', '--expect', 'x')
  t.deepEqual(given.operands, ['a.kedge', 'b.kedge'])
  t.is(given.text('trust'), 't.json')
  t.deepEqual(given.texts('expect'), ['s,1,2', 'x'])
  t.false(given.flag('json'))
})

for (const [args, message, hint] of [
  [['--turst', 'x'], 'there is no option --turst', 'did you mean --trust?'],
  [['-x'], 'there is no option -x', 'kedge help VERB lists the options of a verb'],
  [['--toString'], 'there is no option --toString', 'kedge help VERB lists the options of a verb'],
  [['--trust'], '--trust needs a value: --trust TRUST', undefined],
  [['--trust='], '--trust needs a value: --trust TRUST', undefined],
  [
    ['--trust', '--json'],
    '--trust needs a value: --trust TRUST',
    'a value that begins with a dash is written --trust=--json',
  ],
  [['--json=1'], '--json takes no value', undefined],
  [['--trust', 'a', '--trust', 'b'], '--trust is given twice', undefined],
] as const) {
  test(`${args.join(' ')} is refused: ${message}`, (t) => {
    t.like(
      t.throws(() => parse(...args)),
      { code: 'USAGE', message, hint },
    )
  })
}

test('what stands after two dashes is a file, whatever it looks like', (t) => {
  t.deepEqual(parse('--', '--json').operands, ['--json'])
})

test('the verb is found behind global options and their values', (t) => {
  t.is(findVerb(['--json', '--lang', 'zh', 'verify', 'show'], globalOptions), 3)
  t.is(findVerb(['--json'], globalOptions), -1)
})

test('a slip of the finger gets a guess, another word none', (t) => {
  const verbs = ['verify', 'show', 'help']
  t.is(nearest('verfiy', verbs), 'verify')
  t.is(nearest('shwo', verbs), 'show')
  t.is(nearest('prove', verbs), undefined)
})

test('a duration is a whole number with its unit', (t) => {
  const durations = ['500ms', '90s', '15m', '24h', '7d', '0s']
  t.deepEqual(
    durations.map((text) => parseDuration('--max-lag', text)),
    [500, 90_000, 900_000, 86_400_000, 604_800_000, 0],
  )
  for (const text of ['', '24', 'h', '1.5h', '-1h', '24H', '1h30m', ' 1h', '999999999999999d']) {
    t.throws(() => parseDuration('--max-lag', text), { code: 'USAGE' }, text)
  }
})

test('an expectation is split at its last two commas', (t) => {
  t.deepEqual(parseExpectation('ward 3, bed 2,0,99'), {
    stream: 'ward 3, bed 2',
    by: 'index',
    from: 0,
    to: 99,
  })
})

test('times are RFC 3339, and a fraction finer than we count asks for more, not less', (t) => {
  const at = (from: string, to: string) => parseExpectation(`s,${from},${to}`)
  t.deepEqual(at('2026-01-01T08:00:00+08:00', '2026-01-01t00:00:01.5z'), {
    stream: 's',
    by: 'time',
    from: Date.UTC(2026, 0, 1),
    to: Date.UTC(2026, 0, 1) + 1500,
  })
  const fine = at('2026-01-01T00:00:00.0009Z', '2026-01-01T00:00:00.00090Z')
  t.is(fine.to - fine.from, 1)
  t.is(at('2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z').by, 'time')
})

for (const text of [
  '',
  's',
  's,1',
  ',1,2',
  's,2,1',
  's,-1,2',
  's,1.5,2',
  's,1,99999999999999999999',
  's,1,2026-01-01T00:00:00Z',
  's,2026-01-01,2026-01-02',
  's,2026-01-01 00:00:00Z,2026-01-02T00:00:00Z',
  's,2026-01-01T00:00:00,2026-01-02T00:00:00',
  's,2026-02-30T00:00:00Z,2026-03-05T00:00:00Z',
  's,2026-13-01T00:00:00Z,2027-03-05T00:00:00Z',
  's,2026-01-01T23:59:60Z,2026-03-05T00:00:00Z',
  's,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z',
]) {
  test(`--expect ${text || '(nothing)'} is refused`, (t) => {
    t.throws(() => parseExpectation(text), { code: 'USAGE' })
  })
}

test('text from a file cannot move the cursor, turn the line or forge a new one', (t) => {
  t.is(
    printable('\u001b[2J\r\nPASS\u0085\u202e\u2028\u200b'),
    '\\u{1b}[2J\\u{d}\\u{a}PASS\\u{85}\\u{202e}\\u{2028}\\u{200b}',
  )
  t.is(printable('Kühlschrank 冰箱 4.25 °C'), 'Kühlschrank 冰箱 4.25 °C')
})

test('JSON for a terminal is escaped, and is the same value', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const line = jsonLine({ text })
      t.notRegex(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      t.deepEqual(JSON.parse(line), { text })
    }),
  )
  t.is(jsonLine('\u009b\u{e0041}'), '"\\u009b\\udb40\\udc41"')
})

test('columns stay aligned when some words are Chinese', (t) => {
  t.is(columnsOf('未核对'), 6)
  t.is(padded('通过', 6), '通过  ')
})

test('the language is what was asked for, else what the system says', (t) => {
  t.is(languageOf('en', { LANG: 'zh_CN.UTF-8' }), 'en')
  t.is(languageOf(undefined, { LC_ALL: 'C', LANG: 'zh_CN.UTF-8' }), 'en')
  t.is(languageOf(undefined, { LC_ALL: '', LC_MESSAGES: 'zh_TW', LANG: 'C' }), 'zh')
  t.is(languageOf(undefined, {}), 'en')
})

test('the README explains all sixteen lines, in their order', async (t) => {
  const rows = (await readFile('README.md', 'utf8')).matchAll(/^\| `([a-z-]+)` \| [A-Z]/gm)
  t.deepEqual(
    Array.from(rows, ([, property]) => property),
    [...properties],
  )
})
