import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { kedge, type Line } from './helpers/gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

const cargo = 'w1/28-0316a2794fff'

/** A scenario from its beginning to evidence, as somebody else reads it. */
async function played(folder: string, scenario: string) {
  const { code, lines, stderr } = await kedge('simulate', scenario, '--data', folder)
  const verified = lines.find(({ event }) => event === 'verified')
  if (verified === undefined) throw new Error(`${scenario} was not verified: ${stderr}`)
  const judged = await kedge('verify', verified.evidence, '--trust', verified.trust)
  const shown = (await kedge('show', verified.evidence)).lines
  const of = (stream: string) => shown.filter((line) => line.stream === stream)
  return { code, lines, verdict: judged.line.verdict, shown, of }
}

const celsius = (lines: readonly Line[]): number[] =>
  lines.filter(({ kind }) => kind === 'temperature').map(({ value }) => Number(value))

test('a truck whose door is opened shows each opening, and the warmth that came in', async (t) => {
  await using scratch = await scratchFolder()
  const { code, verdict, of } = await played(scratch.path, 'truck')
  t.is(code, 0)
  t.is(verdict, 'complete')
  const contacts = of('door').filter(({ kind }) => kind === 'contact')
  t.deepEqual(
    contacts.map(({ value }) => value),
    [false, true, false, true, false, true, false],
  )
  const temperatures = of(cargo)
  const warmest = Math.max(...celsius(temperatures))
  t.true(warmest > 8, `the warmest was ${warmest}`)
  const [, opened] = contacts
  const before = temperatures.filter(({ time }) => time <= opened?.time)
  t.true(Math.max(...celsius(before)) < 5, 'it was cold before')
})

test('a compressor that fails is seen in the readings, and nothing is missing of them', async (t) => {
  await using scratch = await scratchFolder()
  const { code, verdict, of } = await played(scratch.path, 'compressor')
  t.is(code, 0)
  t.is(verdict, 'complete')
  const values = celsius(of(cargo))
  t.true((values[0] ?? 99) < 6)
  t.true(Math.max(...values) > 10)
})

test('a probe that is unplugged leaves a declared gap, and is read again', async (t) => {
  await using scratch = await scratchFolder()
  const { code, lines, verdict, of } = await played(scratch.path, 'unplugged')
  t.is(code, 0)
  t.is(verdict, 'complete-with-declared-gaps')
  t.true(of(cargo).some(({ gap }) => gap?.cause === 'absent'))
  const alarms = lines.filter(({ event, matter }) => event === 'alarm' && matter === 'device cargo')
  t.deepEqual(
    alarms.map(({ over }) => over),
    [false, true],
  )
})

test('a clock that jumps is a declared gap, and the order of the readings stays', async (t) => {
  await using scratch = await scratchFolder()
  const { code, verdict, of } = await played(scratch.path, 'clock-step')
  t.is(code, 0)
  t.is(verdict, 'complete-with-declared-gaps')
  const readings = of(cargo)
  t.true(readings.some(({ gap }) => gap?.cause === 'clock'))
  const times = readings.filter(({ time }) => time).map(({ time }) => Date.parse(time))
  const jump = Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? time)))
  t.true(jump > 7_000_000, 'what the receiver said is on record as it said it')
})

test('evidence that says something else than the scenario ends with 1', async (t) => {
  await using scratch = await scratchFolder()
  const file = join(scratch.path, 'mine.yaml')
  await writeFile(file, 'says: x\nlasts: 3s\nverdict: complete-with-declared-gaps\nsteps: []\n')
  const { code, lines } = await kedge('simulate', file, '--data', join(scratch.path, 'data'))
  t.is(code, 1)
  t.like(
    lines.find(({ event }) => event === 'verified'),
    { verdict: 'complete', expected: 'complete-with-declared-gaps' },
  )
})

test('every fault in a scenario is named with its place', async (t) => {
  await using scratch = await scratchFolder()
  const file = join(scratch.path, 'mine.yaml')
  await writeFile(file, 'says: x\nlasts: 5\nsteps: [{at: 3s, dor: open}]\n')
  const { code, stderr, lines } = await kedge('simulate', file)
  t.is(code, 2)
  t.deepEqual(lines, [])
  t.regex(stderr, /mine\.yaml:2:8/)
  t.regex(stderr, /there is no key dor in steps/)
  t.regex(stderr, /did you mean door\?/)
})

test('every scenario that comes along is listed with what happens in it', async (t) => {
  const { code, lines } = await kedge('simulate')
  t.is(code, 0)
  const files = await readdir('hardware/sim/scenarios')
  t.deepEqual(
    lines.map(({ scenario }) => `${scenario}.yaml`),
    files.toSorted(),
  )
  t.true(lines.every(({ says }) => says.length > 20))
})
