/** What a person asks of an evidence file, as typed after `--expect` and `--max-lag`. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Expectation } from '../../anchor-client/evidence/model.ts'
import { parseTime } from '../../anchor-client/evidence/rfc3339.ts'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s 15m 24h 7d 500ms` in milliseconds. */
export function parseDuration(option: string, text: string): number {
  const [, digits, unit] = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text) ?? []
  const durationMs = Number(digits) * unitMs[unit as keyof typeof unitMs]
  if (Number.isSafeInteger(durationMs)) return durationMs
  throw new KedgeError('USAGE', `${option} ${text} is no duration`, {
    hint: 'a whole number and a unit: 500ms, 90s, 15m, 24h or 7d',
  })
}

/** `STREAM,FROM,TO`: the two last commas count, since a stream's name may hold some. */
export function parseExpectation(text: string): Expectation {
  const [, stream, from = '', to = ''] = /^(.+),([^,]*),([^,]*)$/s.exec(text) ?? []
  const refuse = (why: string) =>
    new KedgeError('USAGE', `--expect ${text}: ${why}`, {
      hint: 'STREAM,FROM,TO with two indices (fridge/1,0,99) or two times (…,2026-01-31T00:00:00Z,…)',
    })
  if (stream === undefined) throw refuse('a stream, a start and an end are wanted')
  const parse = [from, to].every((edge) => /^\d+$/.test(edge)) ? parseIndex : parseMoment
  const range = { from: parse(from, 'down'), to: parse(to, 'up') }
  for (const [edge, value] of Object.entries(range)) {
    if (Number.isNaN(value)) {
      throw refuse(`${edge === 'from' ? from : to} is neither an index nor a time like the other`)
    }
  }
  if (range.from > range.to) throw refuse('it ends before it begins')
  return { stream, by: parse === parseIndex ? 'index' : 'time', ...range }
}

/** `--from` and `--to`; what is not given has no end. */
export function parseMoments(
  from: string | undefined,
  to: string | undefined,
): { from: number; to: number } {
  const at = (option: string, text: string, rounding: 'down' | 'up') => {
    const moment = parseMoment(text, rounding)
    if (!Number.isNaN(moment)) return moment
    throw new KedgeError('USAGE', `${option} ${text} is no time`, {
      hint: 'such as 2026-01-31T08:00:00Z',
    })
  }
  const moments = {
    from: from === undefined ? Number.NEGATIVE_INFINITY : at('--from', from, 'down'),
    to: to === undefined ? Number.POSITIVE_INFINITY : at('--to', to, 'up'),
  }
  if (moments.from <= moments.to) return moments
  throw new KedgeError('USAGE', '--from is later than --to')
}

function parseIndex(text: string): number {
  const index = Number(text)
  return Number.isSafeInteger(index) ? index : Number.NaN
}

/** Unix milliseconds; what is finer is rounded so that more is asked for, not less. */
function parseMoment(text: string, rounding: 'down' | 'up'): number {
  const isFiner = /\.\d{3}\d*[1-9]/.test(text)
  return (parseTime(text.toUpperCase()) ?? Number.NaN) + (rounding === 'up' && isFiner ? 1 : 0)
}
