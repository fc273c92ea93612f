/** Readings as CSV: a head line with `time` and `value`, perhaps `kind` and `unit`, other columns passed over. Pure. */
import { parseTime } from '../anchor-client/evidence/rfc3339.ts'
import { namePattern } from '../anchor-client/evidence/values.ts'
import { parseDecimal } from './decimal.ts'
import {
  isLocalTime,
  type Logged,
  type LoggerFile,
  loggerLines,
  type RefusedLine,
  unreadable,
} from './logger-file.ts'

export interface CsvForm {
  /** Where no column says it. */
  readonly kind?: string | undefined
  readonly unit?: string | undefined
}

export function parseLoggerCsv(
  bytes: Uint8Array,
  { kind = 'temperature', unit }: CsvForm = {},
): LoggerFile {
  const lines = loggerLines(bytes)
  const [head = ''] = lines
  const separator = [',', ';', '\t'].find((mark) => head.includes(mark)) ?? ','
  const columns = (cellsIn(head.replace(/^\ufeff/, ''), separator) ?? []).map((name) =>
    name.toLowerCase(),
  )
  const at = (name: string): number => columns.indexOf(name)
  if (at('time') < 0 || at('value') < 0) {
    throw unreadable(
      'its first line does not name the columns time and value',
      'Write time,value above the rows.',
    )
  }
  if (new Set(columns).size < columns.length) throw unreadable('a column stands there twice')
  const usualUnit = unit ?? (kind === 'temperature' ? 'Cel' : null)

  const readings: Logged[] = []
  const refused: RefusedLine[] = []
  for (const [i, text] of lines.entries()) {
    if (i === 0 || text.trim() === '') continue
    const cells = cellsIn(text, separator)
    const cell = (name: string): string => (at(name) < 0 ? '' : (cells?.[at(name)] ?? ''))
    const row = {
      ...{ line: i + 1, time: cell('time'), kind: cell('kind') || kind, details: [] },
      unit: cell('unit') || usualUnit,
    }
    // Where the comma parts no columns it may part decimals.
    const digits = separator === ',' ? cell('value') : cell('value').replace(',', '.')
    const value = parseDecimal(digits)
    const reason =
      cells?.length !== columns.length
        ? `not the ${columns.length} cells of the first line`
        : parseTime(row.time) === undefined && !isLocalTime(row.time)
          ? 'its time is none that exists'
          : !namePattern.test(row.kind)
            ? 'its kind is no name of small letters, digits and dashes'
            : row.unit !== null && !/^[!-~]{1,16}$/.test(row.unit)
              ? 'its unit is no UCUM unit'
              : digits === ''
                ? 'no value'
                : null
    if (reason !== null || value === null) {
      refused.push({
        line: i + 1,
        reason: reason ?? 'its value is no number of at most 15 digits',
        text,
      })
    } else readings.push({ ...row, value })
  }
  return { device: null, serial: null, zone: null, readings, refused }
}

/** Undefined where a quotation mark stands where it may not. */
function cellsIn(line: string, separator: string): readonly string[] | undefined {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim())
  const cells: string[] = []
  // Blanks are part of a cell: a pattern that looks for them would try every way of parting them.
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}]*))(${separator}|$)`, 'y')
  for (;;) {
    const match = pattern.exec(line)
    if (match === null) return undefined
    cells.push(match[1] === undefined ? (match[2] ?? '').trim() : match[1].replaceAll('""', '"'))
    if (match[3] === '') return cells
  }
}
