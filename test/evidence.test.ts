import { fileURLToPath } from 'node:url'
import test from 'ava'
import { decodeEvidence, encodeEvidence } from '../anchor-client/evidence/file.ts'
import { properties } from '../anchor-client/evidence/model.ts'
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

test('every line is seen in every result that it has', (t) => {
  // Line 12 cannot fail and lines 1, 2, 3, 5, 6, 7 and 8 are judged or not reached.
  const neverFails = ['independent']
  for (const [i, property] of properties.entries()) {
    const seen = new Set(goldenCases.map(({ lines }) => lines[i]))
    t.true(seen.has('P'), `${property} passes somewhere`)
    t.is(seen.has('F'), !neverFails.includes(property), `${property} fails somewhere`)
    t.true(seen.has('N'), `${property} is left open somewhere`)
  }
  for (const [i, property] of properties.slice(8).entries()) {
    const open = goldenCases.filter(({ lines }) => !lines.slice(0, 7).includes('F'))
    t.true(
      open.some(({ lines }) => lines[8 + i] === 'N'),
      `${property} is not checked for a reason of its own somewhere`,
    )
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
