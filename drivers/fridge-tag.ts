/** Reports of a Fridge-tag (2, 2 E, Ultra Low): a summary a day, and every reading where the model keeps them. Pure. */
import type { Decimal, Details, Value } from '../anchor-client/evidence/model.ts'
import { type Logged, type LoggerFile, type RefusedLine, unreadable } from './logger-file.ts'
import {
  type LoggerReport,
  parseReport,
  qualityOf,
  type ReportLine,
  signed,
} from './logger-report.ts'

interface FridgeTagFile extends LoggerFile {
  /** The newest first, as in the file. */
  readonly days: readonly FridgeTagDay[]
}

interface FridgeTagDay {
  readonly line: number
  /** Of the logger's own calendar. */
  readonly date: string
  readonly min: Decimal | null
  readonly max: Decimal | null
  readonly mean: Decimal | null
  /** As `hh:mm`. */
  readonly minAt: string | null
  readonly maxAt: string | null
  /** Beyond the lower and the upper alarm limit on that day; null where it does not say. */
  readonly minutesBelow: number | null
  readonly minutesAbove: number | null
}

/** Its readings; of a model that keeps none a `temperature-day` for every day, which no reading of a moment is. */
export function parseFridgeTag(bytes: Uint8Array): FridgeTagFile {
  const report = parseReport(bytes)
  if (!/Fridge-tag/i.test(report.device ?? ''))
    throw unreadable('this is no report of a Fridge-tag')
  const days = daysIn(report)
  if (report.readings.length > 0 || report.refused.length > 0) return { ...report, days }
  return { ...report, days, ...ofDays(days, report) }
}

const maxDays = 1000

function daysIn({ lines }: LoggerReport): readonly FridgeTagDay[] {
  const starts = lines.flatMap(({ section, depth, text }, i) =>
    section === 'Hist' && depth === 1 && /^\d{1,4}:$/.test(text) ? [i] : [],
  )
  if (starts.length > maxDays) throw unreadable(`more than ${maxDays} days`)
  return starts.map((start, i) => {
    const [head, ...rest] = lines.slice(start, starts[i + 1] ?? lines.length)
    const own = rest.filter(({ section, depth }) => section === 'Hist' && depth > 1)
    return dayFrom(head?.line ?? 0, own)
  })
}

function dayFrom(line: number, lines: readonly ReportLine[]): FridgeTagDay {
  const text = (pattern: RegExp) =>
    lines.map(({ text }) => pattern.exec(text)).find((match) => match !== null)
  const min = text(/^Min T: (\S+), TS Min T: (\d\d:\d\d)$/)
  const max = text(/^Max T: (\S+), TS Max T: (\d\d:\d\d)$/)
  const alarm = (index: number): number | null => {
    const at = lines.findIndex(({ text, depth }) => depth === 3 && text === `${index}:`)
    const minutes = /^t Acc: (\d{1,4})(?:,|$)/.exec(at < 0 ? '' : (lines[at + 1]?.text ?? ''))?.[1]
    return minutes === undefined ? null : Number(minutes)
  }
  return {
    line,
    date: text(/^Date: (\S+)$/)?.[1] ?? '',
    min: signed(min?.[1] ?? ''),
    max: signed(max?.[1] ?? ''),
    mean: signed(text(/^Avrg T: (\S+)$/)?.[1] ?? ''),
    minAt: min?.[2] ?? null,
    maxAt: max?.[2] ?? null,
    minutesBelow: alarm(0),
    minutesAbove: alarm(1),
  }
}

function ofDays(days: readonly FridgeTagDay[], report: LoggerReport) {
  const readings: Logged[] = []
  const refused: RefusedLine[] = []
  for (const { line, date, ...day } of days.toReversed()) {
    const text = `Date: ${date}`
    const numbers = (['max', 'mean', 'min'] as const).flatMap((name) => {
      const number = day[name]
      return number === null ? [] : [[name, number] as const]
    })
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(Date.parse(date))) {
      refused.push({ line, reason: 'its day is none that exists', text })
    } else if (numbers.length === 0) {
      refused.push({ line, reason: 'a day without a temperature', text })
    } else {
      const said: readonly (readonly [string, Value | null])[] = [
        ['above-minutes', day.minutesAbove === null ? null : [day.minutesAbove, 0]],
        ['below-minutes', day.minutesBelow === null ? null : [day.minutesBelow, 0]],
        ['max-at', day.maxAt],
        ['min-at', day.minAt],
      ]
      const details: Details = said.filter(([, value]) => value !== null)
      const kind = 'temperature-day'
      readings.push({
        ...{ line, time: date, kind, value: numbers, unit: report.unit, details },
        ...qualityOf(report),
      })
    }
  }
  return { readings, refused }
}
