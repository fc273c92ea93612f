/** What the files of loggers have in common, whatever wrote them. Pure: bytes in, readings out. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Details, Value } from '../anchor-client/evidence/model.ts'
import { parseTime } from '../anchor-client/evidence/rfc3339.ts'

export interface LoggerFile {
  /** What the file calls the logger. */
  readonly device: string | null
  readonly serial: string | null
  /** The offset that its times have, as the file writes it. */
  readonly zone: string | null
  /** In the order of the file. */
  readonly readings: readonly Logged[]
  readonly refused: readonly RefusedLine[]
}

export interface Logged {
  readonly line: number
  /** As the file writes it. */
  readonly time: string
  readonly kind: string
  readonly value: Value
  readonly unit: string | null
  readonly quality?: string
  readonly details: Details
}

/** A line that should be a reading and is none. */
export interface RefusedLine {
  readonly line: number
  readonly reason: string
  readonly text: string
}

export const maxLoggerBytes = 16 * 1024 * 1024
const maxLines = 500_000
const maxLineLength = 4096

/** Throws FILE_UNREADABLE for what is no text, or more than any logger writes. */
export function loggerLines(bytes: Uint8Array): readonly string[] {
  if (bytes.length > maxLoggerBytes) throw unreadable('more than 16 MiB')
  if (bytes[0] === 0xff || bytes[0] === 0xfe)
    throw unreadable('this is UTF-16', 'Save it as UTF-8.')
  if (bytes.includes(0)) throw unreadable('this is no text')
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/)
  if (lines.length > maxLines) throw unreadable(`more than ${maxLines} lines`)
  if (lines.some((line) => line.length > maxLineLength)) {
    throw unreadable(`a line of more than ${maxLineLength} characters`)
  }
  return lines
}

/** Whether a local time without a zone, to the minute or the second, exists. */
export function isLocalTime(text: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?$/.exec(text)
  return match !== null && parseTime(`${match[1]}T${match[2]}${match[3] ?? ':00'}Z`) !== undefined
}

export const unreadable = (message: string, hint?: string): KedgeError =>
  new KedgeError('FILE_UNREADABLE', message, hint === undefined ? {} : { hint })
