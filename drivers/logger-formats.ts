/** Every form of a logger's file that is read, and which of them a file has. */
import { parseFridgeTag } from './fridge-tag.ts'
import { type CsvForm, parseLoggerCsv } from './logger-csv.ts'
import { type LoggerFile, loggerLines, unreadable } from './logger-file.ts'
import { parseQTag } from './q-tag.ts'

export const loggerFormats = {
  'fridge-tag': parseFridgeTag,
  'q-tag': parseQTag,
  csv: parseLoggerCsv,
} as const satisfies Record<string, (bytes: Uint8Array, form: CsvForm) => LoggerFile>

export type LoggerFormat = keyof typeof loggerFormats

export const isLoggerFormat = (name: string): name is LoggerFormat =>
  Object.hasOwn(loggerFormats, name)

/** By its first line. */
export function loggerFormatOf(bytes: Uint8Array): LoggerFormat {
  const first = (loggerLines(bytes)[0] ?? '').replace(/^\ufeff/, '')
  if (/^Device: .*Fridge-tag/i.test(first)) return 'fridge-tag'
  if (/^Device: Q-tag/i.test(first)) return 'q-tag'
  if (/(?:^|[,;\t"])\s*time\s*(?:$|[,;\t"])/i.test(first)) return 'csv'
  throw unreadable(
    'no file of a logger that is known here',
    `There are ${Object.keys(loggerFormats).join(', ')}.`,
  )
}
