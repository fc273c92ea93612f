/** What a configuration says of a probe on an analog pin, and of a contact on a digital one. */
import { z } from 'zod'
import { factorFrom } from './analog.ts'
import { calibrationOfOne } from './calibration.ts'
import { inOrder, kindOption, outOfOrder, unitOption } from './driver.ts'

const factor = z
  .number()
  .refine((number) => factorFrom(number) !== null, 'a number of a few digits')

const linear = z
  .strictObject({
    scale: factor.describe(
      'What one count is worth: 0.48828125 °C for an LM35 at 5 V and 10 bits (5000 mV / 1024 / 10 mV)',
    ),
    offset: factor.default(0).describe('Added to it: -50 °C for a TMP36'),
  })
  .describe('A probe whose voltage goes along with what it measures')

const ntc = z
  .strictObject({
    series: z.number().min(1).max(1e7).describe('Resistor in series, in ohm'),
    to: z
      .enum(['ground', 'supply'])
      .default('ground')
      .describe('Whether the thermistor goes to ground or to the supply'),
    ohm: z.number().min(1).max(1e7).default(10_000).describe('Its resistance at 25 °C'),
    beta: z.number().min(1000).max(10_000).default(3950).describe('Its B value in kelvin'),
    steinhart: z
      .array(z.number().min(-1).max(1))
      .length(3)
      .optional()
      .describe('A, B and C of Steinhart and Hart, in place of ohm and beta'),
  })
  .describe('A thermistor; the result is in Cel')

export const probeOption = z
  .strictObject({
    pin: z.int().min(0).max(15).describe('Analog pin: 0 is A0'),
    linear: linear.optional(),
    ntc: ntc.optional(),
    digits: z
      .int()
      .min(0)
      .max(6)
      .default(2)
      .describe('Decimals of the result, halves away from zero'),
    rails: z
      .boolean()
      .default(false)
      .describe(
        'The lowest and the highest count are values too (else no probe, or a short circuit)',
      ),
    kind: kindOption.default('temperature').describe('Kind of the reading'),
    unit: unitOption.default('Cel').describe('Unit in UCUM'),
    least: z.number().optional().describe('What is below is refused'),
    most: z.number().optional().describe('What is above is refused'),
    calibration: calibrationOfOne,
  })
  .refine((one) => (one.linear === undefined) !== (one.ntc === undefined), 'either linear or ntc')
  .refine(inOrder, outOfOrder)
  .describe('One analog probe')

export const contactOption = z
  .strictObject({
    pin: z.int().min(0).max(127).describe('Digital pin'),
    pull: z.enum(['up', 'none']).default('up').describe('Resistor in the board'),
    activeLow: z
      .boolean()
      .default(false)
      .describe('The pin is low while the contact is open (else high, as with a pull-up)'),
  })
  .describe('One contact')
