/** Reports of a Q-tag (CLm and its family): one transport, every reading of it. Pure. */
import { type LoggerFile, unreadable } from './logger-file.ts'
import { parseReport } from './logger-report.ts'

export function parseQTag(bytes: Uint8Array): LoggerFile {
  const report = parseReport(bytes)
  // Q-tag is what a Fridge-tag calls its maker, too.
  if (!/^Q-tag/i.test(report.device ?? '') || /Fridge-tag/i.test(report.device ?? '')) {
    throw unreadable('this is no report of a Q-tag')
  }
  return report
}
