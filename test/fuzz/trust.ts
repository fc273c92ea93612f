import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { parseTrust } from '../../anchor-client/evidence/trust.ts'
import { goldenCases, trustTextOf } from '../helpers/cases.ts'
import { jsonPieces } from './json-pieces.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

/** Altered trust files are read or refused by name; nothing else may be thrown. */
export const trust: Target = {
  summary: 'the reader of trust files, with altered ones',

  async run(random, isTimeUp) {
    const texts = [...new Set(goldenCases.flatMap((one) => trustTextOf(one) ?? []))]
    let tried = 0
    let slowestMs = 0
    for (; !isTimeUp(); tried++) {
      const text = altered(random, random.oneOf(texts))
      const start = performance.now()
      try {
        parseTrust(text)
      } catch (error) {
        if (!(error instanceof KedgeError)) throw error
      }
      slowestMs = Math.max(slowestMs, performance.now() - start)
    }
    return { tried, worst: [{ what: 'the slowest', ms: Math.round(slowestMs * 10) / 10 }] }
  },
}

const pieces = [...jsonPieces, '1e9']

function altered(random: Random, text: string): string {
  const at = random.below(text.length)
  const until = Math.min(text.length, at + random.below(12))
  const piece = random.oneOf(pieces).repeat(random.oneOf([0, 1, 1, 2, 5000]))
  return text.slice(0, at) + piece + text.slice(until)
}
