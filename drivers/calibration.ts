/** What a certificate says of a probe, applied to its readings: the value before stays beside it. */
import { z } from 'zod'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { parseDecimal } from './decimal.ts'
import type { Sample } from './driver.ts'

const isShort = (offset: number) => /^-?\d{1,4}(?:\.\d{1,6})?$/.test(String(offset))

const one = z
  .strictObject({
    certificate: z
      .string()
      .regex(/^[\x20-\x7e]{1,64}$/, '1 to 64 letters, digits and signs')
      .meta({ title: '1 to 64 letters, digits and signs' })
      .describe('Number of the certificate; it stands in every reading'),
    offset: z
      .number()
      .refine(isShort)
      .meta({ title: 'a number below 10000 with at most 6 decimals' })
      .default(0)
      .describe('Added to what the probe says, in its unit'),
    due: z.iso
      .date()
      .meta({ title: 'a day, such as 2027-03-31' })
      .optional()
      .describe('Day of the next calibration; readings after it are suspect'),
  })
  .describe('The calibration of one kind of reading')

type Calibration = z.output<typeof one>

/** The `calibration` option of a driver that measures these kinds. */
export const calibrationOption = <const Kind extends string>(
  ...kinds: readonly [Kind, ...Kind[]]
) =>
  z
    .strictObject(
      Object.fromEntries(kinds.map((kind) => [kind, one.optional()])) as Record<
        Kind,
        z.ZodOptional<typeof one>
      >,
    )
    .optional()
    .describe('What certificates say, by the kind of reading')

/** The option for readings of one kind. */
export const calibrationOfOne = one.optional()

/** The corrected sample, with the probe's own value as `raw`, the certificate, and a doubt when it is overdue. */
export function calibrated(
  sample: Sample,
  calibration: Calibration | undefined,
  nowMs: number = Date.now(),
): Sample {
  if (calibration === undefined || !isDecimal(sample.value)) return sample
  const { certificate, offset, due } = calibration
  const added = parseDecimal(String(offset)) ?? [0, 0]
  const isOverdue = due !== undefined && nowMs >= Date.parse(due) + 86_400_000
  const corrected = added[0] === 0 ? sample.value : sum(sample.value, added)
  const doubts = [
    ...(corrected === null ? ['too long to be corrected'] : []),
    ...(isOverdue ? ['calibration overdue'] : []),
  ]
  const doubt = doubts.length > 0 && `${sample.quality ? '' : 'suspect: '}${doubts.join(', ')}`
  const quality = [sample.quality, doubt].filter(Boolean).join(', ')
  const isCorrected = corrected !== null && added[0] !== 0
  return {
    ...sample,
    ...(corrected !== null && { value: corrected }),
    ...(isCorrected && sample.raw === undefined && { raw: sample.value }),
    ...(quality && { quality }),
    details: [...(sample.details ?? []), ['certificate', certificate] as const].sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  }
}

const isDecimal = (value: Sample['value']): value is Decimal =>
  Array.isArray(value) && typeof value[0] === 'number'

/** With the digits of the finer one; null where they are more than a record can say exactly. */
function sum([a, aPlaces]: Decimal, [b, bPlaces]: Decimal): Decimal | null {
  const places = Math.min(aPlaces, bPlaces)
  const [left, right] = [a * 10 ** (aPlaces - places), b * 10 ** (bPlaces - places)]
  return [left, right, left + right].every(Number.isSafeInteger) ? [left + right, places] : null
}
