/**
 * The text that loggers of Berlinger and Q-tag write (Fridge-tag, Q-tag): `Key: value` by indentation, perhaps rows of
 * readings behind tabs, then a certificate and a signature. How that is made is not published: it is kept by the hash of
 * the whole file, and not checked.
 */
import type { Decimal, Details } from '../anchor-client/evidence/model.ts'
import { parseDecimal } from './decimal.ts'
import {
  isLocalTime,
  type Logged,
  type LoggerFile,
  loggerLines,
  type RefusedLine,
  unreadable,
} from './logger-file.ts'

export interface ReportLine {
  readonly line: number
  /** Of spaces before it. */
  readonly depth: number
  /** Top-level word under which it stands. */
  readonly section: string
  readonly text: string
}

export interface LoggerReport extends LoggerFile {
  readonly unit: 'Cel' | '[degF]'
  /** All that is no row of readings. */
  readonly lines: readonly ReportLine[]
  readonly isSigned: boolean
}

export function parseReport(bytes: Uint8Array): LoggerReport {
  const lines: ReportLine[] = []
  const rows: { readonly line: number; readonly text: string }[] = []
  let section = ''
  for (const [i, text] of loggerLines(bytes).entries()) {
    const depth = /^ */.exec(text)?.[0].length ?? 0
    if (/^[A-Z]/.test(text)) section = /^[^:]*/.exec(text)?.[0] ?? ''
    if (section === 'Data' && text !== '' && !/^Data:/.test(text)) rows.push({ line: i + 1, text })
    else if (text.trim() !== '') lines.push({ line: i + 1, depth, section, text: text.trim() })
  }
  const said = (of: string, key: string): string | null => {
    const found = lines.find(({ section, text }) => section === of && text.startsWith(`${key}: `))
    return found ? shortText(found.text.slice(key.length + 2)) : null
  }
  const device = said('Device', 'Device')
  if (device === null) throw unreadable('this is no report of a Fridge-tag or Q-tag')
  const written = said('Conf', 'Temp unit') ?? 'C'
  if (written !== 'C' && written !== 'F') throw unreadable('its temperatures are neither °C nor °F')
  const unit = written === 'C' ? 'Cel' : '[degF]'
  const isSigned = lines.some(
    ({ section, text }) => section === 'Sig' && /^Sig: [0-9a-f]{32,}$/.test(text),
  )
  const base = { unit, isSigned } as const
  return {
    ...base,
    ...{ device, serial: said('Conf', 'Serial'), zone: said('Conf', 'Zone'), lines },
    ...readingsIn(rows, base),
  }
}

/** What is said of a reading whose file has lost its end. */
export const qualityOf = ({ isSigned }: Pick<LoggerReport, 'isSigned'>) =>
  isSigned ? {} : { quality: 'suspect: the file lacks the signature of the logger' }

function readingsIn(
  rows: readonly { readonly line: number; readonly text: string }[],
  { unit, isSigned }: Pick<LoggerReport, 'unit' | 'isSigned'>,
) {
  const readings: Logged[] = []
  const refused: RefusedLine[] = []
  const [head, ...rest] = rows
  if (head !== undefined && !/^\tyyyy-MM-dd hh:mm\tT(?:\t|$)/.test(head.text)) {
    throw unreadable('its readings are not written as yyyy-MM-dd hh:mm and T')
  }
  for (const { line, text } of rest) {
    const [empty, time = '', digits = '', mark = '', ...more] = text.split('\t')
    const refuse = (reason: string) => void refused.push({ line, reason, text })
    const value = signed(digits)
    if (empty !== '' || more.length > 0 || !/^x?$/.test(mark.trim()))
      refuse('not a row of readings')
    else if (!isLocalTime(time)) refuse('its time is none that exists')
    else if (/^-+\.-+$/.test(digits)) refuse('--.-: the logger had no reading')
    else if (value === null) refuse('its temperature is no number')
    else {
      const details: Details = mark.trim() === 'x' ? [['out-of-limits', true]] : []
      readings.push({
        line,
        time,
        kind: 'temperature',
        value,
        unit,
        ...qualityOf({ isSigned }),
        details,
      })
    }
  }
  return { readings, refused }
}

/** `+18.0`, `-0.5`; null for what is no temperature of a logger. */
export const signed = (digits: string): Decimal | null =>
  /^[+-]?\d{1,3}(?:\.\d{1,3})?$/.test(digits) ? parseDecimal(digits) : null

const shortText = (text: string): string | null => (/^[ -~]{1,64}$/.test(text) ? text : null)
