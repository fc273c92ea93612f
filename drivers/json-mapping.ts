/** How the configuration says which values of a JSON message are readings; the same for every wire that brings JSON. */
import { z } from 'zod'
import { calibrationOfOne } from './calibration.ts'
import { parseDecimal } from './decimal.ts'
import { inOrder, kindOption, outOfOrder, partName, unitOption } from './driver.ts'

const pointer = z
  .string()
  .regex(/^(?:\/(?:[^~/]|~[01])*){0,8}$/)
  .max(256)
  .meta({ title: 'a JSON pointer, such as /temperature or /sensors/0/value' })

const exact = z.number().refine((number) => parseDecimal(String(number)) !== null)

const reading = z
  .strictObject({
    at: pointer.describe('Where it stands in the message; "" is the whole message'),
    kind: kindOption.optional().describe('Kind of the reading (its name if not given)'),
    unit: unitOption.optional().describe('Unit in UCUM, such as Cel or %'),
    scale: exact
      .refine((scale) => scale > 0)
      .meta({ title: 'a positive number of at most 15 digits' })
      .default(1)
      .describe(
        'What one step is worth, such as 0.1; without it the digits stay as they were sent',
      ),
    places: z
      .int()
      .min(0)
      .max(9)
      .optional()
      .describe(
        'Decimals to which it is rounded, for publishers that send 21.200000000000003; what was sent stays as raw',
      ),
    least: exact.optional().describe('What is below is refused'),
    most: exact.optional().describe('What is above is refused'),
    noValue: z
      .array(exact)
      .max(8)
      .optional()
      .describe('Numbers, as they are sent, that stand for no value, such as -127'),
    states: z
      .record(z.string().min(1).max(32), z.boolean())
      .refine((states) => Object.keys(states).length > 0 && Object.keys(states).length <= 8)
      .meta({ title: '1 to 8 words, each with true or false' })
      .optional()
      .describe('Words that stand for true or false, such as {OPEN: true, CLOSED: false}'),
    calibration: calibrationOfOne,
  })
  .refine(inOrder, outOfOrder)
  .describe('One value of the message')

/** The keys of a publisher that say what its messages hold. */
export const mappingOptions = {
  readings: z
    .record(partName, reading)
    .refine((all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 32)
    .meta({ title: '1 to 32 readings by name' })
    .describe('What is read out of each message'),
  id: pointer
    .optional()
    .describe('What differs in every message: the same again is not recorded a second time'),
  counter: pointer.optional().describe("The device's own counter"),
  time: z
    .strictObject({
      at: pointer.describe('Where it stands'),
      form: z
        .enum(['rfc3339', 'unix-s', 'unix-ms'])
        .default('rfc3339')
        .describe('How it is written'),
    })
    .optional()
    .describe('The time that the publisher states; it is kept beside the time of the recording'),
}

const mapping = z.strictObject(mappingOptions)

export type JsonMapping = z.output<typeof mapping>
export type JsonReading = z.output<typeof reading>
