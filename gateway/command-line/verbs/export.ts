import type { Command } from '../command.ts'
import { marksOf } from '../marks.ts'
import { printable } from '../terminal.ts'
import { askAndPrint, noOperands } from './asking.ts'

export const exportVerb: Command = {
  summary: "Print a stream's readings from the store, or what was refused",
  usage: '--stream S [--from T --to T] | --refused',
  options: {
    stream: { value: 'S', means: 'the stream, as kedge status lists it' },
    from: { value: 'T', means: 'from this time on (RFC 3339)' },
    to: { value: 'T', means: 'up to this time' },
    refused: { means: 'what came and was no reading: source, time, reason, SM3' },
  },

  async run(args, terminal) {
    noOperands(args, 'export')
    const asked = {
      stream: args.text('stream'),
      from: args.text('from'),
      to: args.text('to'),
      refused: args.flag('refused'),
    }
    return askAndPrint(args, terminal, 'export', asked, (line) => {
      const { stream, index, time, kind, value, unit, quality, gap, hidden, details } = line
      const { source, reason, at } = line
      if (reason !== undefined) return printable(`${at ?? '-'}  ${source}  ${reason}`)
      const said = gap
        ? `gap ${JSON.stringify(gap)}`
        : hidden
          ? 'hidden'
          : `${time ?? '-'}  ${kind} ${typeof value === 'object' ? JSON.stringify(value) : value}${unit ? ` ${unit}` : ''}${typeof quality === 'string' ? `  ${quality}` : ''}`
      return printable([`${stream}  ${index}  ${said}`, ...marksOf(details)].join('  '))
    })
  },
}
