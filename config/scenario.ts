/** A file that says what happens to simulated devices, and what evidence of it should say. */
import { z } from 'zod'
import { readYaml } from './load.ts'
import { duration } from './units.ts'

const clock = z.union([
  z.literal('right').transform(() => 0),
  z.strictObject({ ahead: duration('1s', '30d') }).transform(({ ahead }) => ahead),
  z.strictObject({ behind: duration('1s', '30d') }).transform(({ behind }) => -behind),
])

const step = z
  .strictObject({
    at: duration('0s', '24h').describe('When, from the beginning'),
    door: z.enum(['open', 'closed']).optional().describe('Of the cold space'),
    compressor: z.enum(['on', 'off']).optional().describe('What keeps it cold'),
    probe: z.enum(['unplugged', 'plugged']).optional().describe('The thermometer in it'),
    clock: clock
      .optional()
      .meta({ title: 'right, {ahead: 2h} or {behind: 30m}' })
      .describe("The satellite receiver's"),
  })
  .transform(({ at: atMs, clock: clockAheadMs, ...others }) => ({ atMs, clockAheadMs, ...others }))

const scenarioSchema = z.strictObject({
  says: z.string().min(1).max(256).describe('What happens, in a sentence'),
  lasts: duration('1s', '24h').describe('When it ends'),
  verdict: z
    .enum(['complete', 'complete-with-declared-gaps'])
    .optional()
    .describe('What evidence of all of it must say'),
  cold: z
    .strictObject({
      setPoint: z.number().min(-90).max(30).default(5).describe('What the thermostat holds, in °C'),
      ambient: z.number().min(-40).max(60).default(24).describe('Around it, in °C'),
    })
    .prefault({})
    .describe('The cold space'),
  steps: z.array(step).max(1000).describe('What happens'),
})

export type ScenarioFile = z.output<typeof scenarioSchema>

export const loadScenario = (bytes: Uint8Array, file: string) =>
  readYaml(bytes, file, { schema: scenarioSchema, whole: 'the scenario' })
