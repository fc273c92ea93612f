import { mkdir, writeFile } from 'node:fs/promises'
import test from 'ava'
import { z } from 'zod'
import { calibrated, calibrationOption } from '../drivers/calibration.ts'
import { coldDs18b20 } from '../drivers/cold-ds18b20.ts'
import type { Sample } from '../drivers/driver.ts'
import { started } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { vectors } from './helpers/vectors.ts'

const sample: Sample = {
  source: 'w1/a',
  kind: 'temperature',
  value: [45_000, -4],
  unit: 'Cel',
}
const certificate = 'DKD-2026-0815'
const noon = Date.parse('2026-11-21T12:00:00Z')

test('a correction is added to the digit, and the value of the probe stays beside it', (t) => {
  t.deepEqual(calibrated(sample, { certificate, offset: -0.15 }, noon), {
    ...sample,
    value: [43_500, -4],
    raw: [45_000, -4],
    details: [['certificate', certificate]],
  })
  const fine = calibrated({ ...sample, value: [45, -1] }, { certificate, offset: 0.025 }, noon)
  t.deepEqual(fine.value, [4525, -3])
  t.deepEqual(fine.raw, [45, -1])
})

test('a probe that is right as it is only gets its certificate', (t) => {
  t.deepEqual(calibrated(sample, { certificate, offset: 0 }, noon), {
    ...sample,
    details: [['certificate', certificate]],
  })
})

test('without a calibration, and where there is no number, nothing changes', (t) => {
  t.is(calibrated(sample, undefined, noon), sample)
  const contact: Sample = { source: 'door', kind: 'contact', value: true }
  t.is(calibrated(contact, { certificate, offset: 1 }, noon), contact)
})

test('a calibration is good until the end of its day, and suspect from then on', (t) => {
  const due = '2026-11-21'
  const quality = (time: string) =>
    calibrated(sample, { certificate, offset: 0, due }, Date.parse(time)).quality
  t.is(quality('2026-11-21T23:59:59Z'), undefined)
  t.is(quality('2026-11-22T00:00:00Z'), 'suspect: calibration overdue')
  const doubtful = { ...sample, quality: 'suspect: power-on value' }
  const both = calibrated(doubtful, { certificate, offset: 0, due }, noon + 86_400_000)
  t.is(both.quality, 'suspect: power-on value, calibration overdue')
})

test('what the device said stays as raw, and details stay in their order', (t) => {
  const raw = Uint8Array.of(1, 2)
  const given: Sample = {
    ...sample,
    raw,
    details: [
      ['battery', [90, 0]],
      ['serial', 'x'],
    ],
  }
  const { raw: kept, details } = calibrated(given, { certificate, offset: 1 }, noon)
  t.is(kept, raw)
  t.deepEqual(
    details?.map(([name]) => name),
    ['battery', 'certificate', 'serial'],
  )
})

const schema = z.strictObject({ calibration: calibrationOption('temperature', 'humidity') })
for (const [what, calibration, isGood] of [
  ['a certificate alone', { temperature: { certificate } }, true],
  ['both kinds', { temperature: { certificate }, humidity: { certificate, offset: 1.5 } }, true],
  ['a correction without a certificate', { temperature: { offset: 1 } }, false],
  ['a kind that the probe does not measure', { pressure: { certificate } }, false],
  ['a day that there is not', { temperature: { certificate, due: '2026-02-30' } }, false],
  ['a correction of no end of digits', { temperature: { certificate, offset: 1e-9 } }, false],
  ['a correction of seven decimals', { temperature: { certificate, offset: 0.1234567 } }, false],
  ['a correction beyond all probes', { temperature: { certificate, offset: 1e15 } }, false],
] as const) {
  test(`${what} is ${isGood ? 'taken' : 'refused'} by the configuration`, (t) => {
    t.is(schema.safeParse({ calibration }).success, isGood)
  })
}

test('a thermometer with a certificate is recorded corrected', async (t) => {
  await using folder = await scratchFolder()
  const { files } = vectors('drivers/w1-therm.json') as { files: Record<string, { cold: string }> }
  const address = '28-000005e2fdc3'
  await mkdir(`${folder.path}/${address}`)
  await writeFile(`${folder.path}/${address}/w1_slave`, files[`${address}/w1_slave`]?.cold ?? '')
  const options = coldDs18b20.options.parse({
    ...{ address, bus: folder.path },
    calibration: { temperature: { certificate, offset: 0.2 } },
  })
  await using reading = started(coldDs18b20, options)
  t.like((await reading.samples.next()).value, { value: [47_000, -4], raw: [45_000, -4] })
})

test('a value too long to be corrected exactly stays as it was said, and is suspect', (t) => {
  const long: Sample = { ...sample, value: [123_456_789_012_345, 0] }
  const said = calibrated(long, { certificate, offset: 0.25 }, noon)
  t.deepEqual(said.value, long.value)
  t.is(said.raw, undefined)
  t.is(said.quality, 'suspect: too long to be corrected')
})
