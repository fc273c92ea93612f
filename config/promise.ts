import { z } from 'zod'
import type { Promised } from '../anchor-client/evidence/model.ts'
import { duration } from './units.ts'

/** What a publisher promises, in one of two forms. */
export const promise = z
  .strictObject({
    every: duration('100ms', '30d').optional().describe('A reading comes this often'),
    tolerance: duration('0ms', '30d').optional().describe('… and at most this much later'),
    atLeastEvery: duration('1s', '30d')
      .optional()
      .describe('Readings come as they happen; the gateway notes a sign of life this often'),
  })
  .transform(({ every, tolerance, atLeastEvery }, { addIssue }): Promised => {
    if (every !== undefined && tolerance !== undefined && atLeastEvery === undefined) {
      return { type: 'period', ms: every, toleranceMs: tolerance }
    }
    if (atLeastEvery !== undefined && every === undefined && tolerance === undefined) {
      return { type: 'events', ms: atLeastEvery }
    }
    addIssue({ code: 'custom' })
    return null
  })
  .meta({ title: 'either every and tolerance, or atLeastEvery' })
