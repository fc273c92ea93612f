import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { encodeEvidence } from '../anchor-client/evidence/encode-file.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decodeEvidence } from '../anchor-client/evidence/file.ts'
import { properties } from '../anchor-client/evidence/model.ts'
import { parseTrust } from '../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { browserVerifier } from './helpers/browser.ts'
import {
  fileOf,
  goldenCases,
  goldenFolder,
  lettersOf,
  questionsOf,
  trustOf,
  trustTextOf,
} from './helpers/cases.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'

for (const one of goldenCases) {
  test(`${one.title} (${one.name})`, (t) => {
    const report = verifyEvidence(fileOf(one), trustOf(one), questionsOf(one))
    t.is(lettersOf(report), one.lines, JSON.stringify(report.lines, null, 1))
    t.is(report.verdict, one.verdict)
  })
}

test('every line is seen in every result that it has, for a reason of its own', (t) => {
  const reached = goldenCases.filter(({ lines }) => !lines.slice(0, 7).includes('F'))
  for (const [i, property] of properties.entries()) {
    const results = new Set(goldenCases.map(({ lines }) => lines[i]))
    const open = reached.some(({ lines }) => lines[i] === 'N')
    t.true(results.has('P'), `${property} passes somewhere`)
    t.is(results.has('F'), property !== 'independent', `${property} fails somewhere`)
    t.is(open, property === 'disclosure' || i >= 8, `${property} is left open somewhere`)
  }
})

test('each of the five verdicts is seen', (t) => {
  t.deepEqual([...new Set(goldenCases.map(({ verdict }) => verdict))].sort(), [
    'complete',
    'complete-with-declared-gaps',
    'incomplete',
    'invalid',
    'undetermined',
  ])
})

test('a file that is read and written again is the same file', (t) => {
  const sound = goldenCases.filter(({ lines }) => lines.startsWith('P'))
  t.true(sound.length > 50)
  for (const one of sound) {
    const bytes = fileOf(one)
    t.deepEqual(encodeEvidence(decodeEvidence(bytes)), bytes, one.name)
  }
})

test('a browser, without Buffer and without Node, judges every file alike', async (t) => {
  const judge = await browserVerifier()
  for (const one of goldenCases) {
    const report = judge(fileOf(one), trustTextOf(one), questionsOf(one))
    t.is(lettersOf(report), one.lines, one.name)
    t.is(report.verdict, one.verdict, one.name)
  }
})

interface TrustText {
  readonly name: string
  readonly title: string
  readonly taken: boolean
  readonly text: string
}

const python = testWith('python3', 'openssl')

python('a script of Python and openssl judges every file alike', async (t) => {
  const script = fileURLToPath(new URL('verify.py', import.meta.url))
  const { code, stdout, stderr } = await run('python3', [script, goldenFolder])
  t.is(code, 0, stderr)
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.deepEqual(
    answers.map(({ name, verdict, lines }) => ({ name, verdict, lines })),
    goldenCases.map(({ name, verdict, lines }) => ({ name, verdict, lines })),
  )
})

const trusts: readonly TrustText[] = JSON.parse(readFileSync(`${goldenFolder}trusts.json`, 'utf8'))

for (const { name, title, taken, text } of trusts) {
  test(`a trust file is ${taken ? 'taken' : 'refused'}: ${title} (${name})`, (t) => {
    if (taken) t.notThrows(() => parseTrust(text))
    else t.throws(() => parseTrust(text), { instanceOf: KedgeError, code: 'TRUST_INVALID' })
  })
}

python('a script of Python takes and refuses the same trust files', async (t) => {
  const script = fileURLToPath(new URL('verify.py', import.meta.url))
  const { code, stdout, stderr } = await run('python3', [
    script,
    '--trusts',
    `${goldenFolder}trusts.json`,
  ])
  t.is(code, 0, stderr)
  const expected = trusts.map(({ name, taken }) => `${name} ${taken ? 'taken' : 'refused'}`)
  t.deepEqual(stdout.trim().split('\n'), expected)
})

test('the golden files are just what their generator writes', async (t) => {
  const generator = fileURLToPath(new URL('golden/generate.ts', import.meta.url))
  const { code, stdout, stderr } = await run(process.execPath, [
    '--import',
    'tsx',
    generator,
    '--check',
  ])
  t.is(code, 0, stdout + stderr)
})
