import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { limits } from '../../../anchor-client/evidence/file.ts'
import { shownReadings } from '../../../anchor-client/evidence/show.ts'
import type { Command } from '../command.ts'
import { marksOf } from '../marks.ts'
import { readInput } from '../read-input.ts'
import { jsonLine, printable } from '../terminal.ts'
import { type Language, readingWords } from '../words.ts'

const linesAtOnce = 500

export const show: Command = {
  summary: 'Print the readings of an evidence file, without judging it',
  usage: 'FILE',
  options: {},
  notes: ['What is printed here proves nothing: kedge verify FILE says whether to believe it.'],

  async run({ operands }, terminal) {
    const [file, ...more] = operands
    if (file === undefined || more.length > 0) {
      throw new KedgeError('USAGE', 'show needs one file', { hint: 'kedge show FILE' })
    }
    try {
      const input = await readInput(file, limits.bytes)
      if ('tooLarge' in input) throw new KedgeError('EVIDENCE_MALFORMED', 'larger than 64 MiB')
      let lines: string[] = []
      for (const reading of shownReadings(input.bytes)) {
        lines.push(terminal.json ? jsonLine(reading) : readingLine(reading, terminal.language))
        if (lines.length < linesAtOnce) continue
        if (!(await terminal.print(...lines))) return 0
        lines = []
      }
      await terminal.print(...lines)
      return 0
    } catch (error) {
      return terminal.explain(error, file)
    }
  },
}

/** One reading for a person: stream, index, then what it says. */
function readingLine(reading: Record<string, unknown>, language: Language): string {
  const words = readingWords[language]
  const { stream, index, time, timeQuality, kind, value, unit, quality, details } = reading
  const { hidden, gap, erased } = reading
  const said = () => {
    if (hidden) return [words.hidden]
    if (gap) return [words.gap, gap]
    if (erased) return [words.erased, erased]
    const known = { time: time ?? '-', ...(!isHidden(time) && { timeQuality }) }
    const fields = { ...known, kind, value: value ?? '-', unit, quality }
    const shown = Object.entries(fields).map(([name, field]) =>
      isHidden(field) ? `${name} ${words.hidden}` : field,
    )
    return [...shown, ...marksOf(details)]
  }
  const parts = [stream, index, ...said()].filter((part) => part !== undefined && part !== null)
  return printable(parts.map(inWords).join('  '))
}

const isHidden = (field: unknown): boolean =>
  typeof field === 'object' && field !== null && 'hidden' in field

/** `{"systolic":"128","diastolic":"81"}` as `systolic 128, diastolic 81`. */
function inWords(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part)
  return Object.entries(part)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${inWords(value)}`)
    .join(', ')
}
