import type { Command } from '../command.ts'
import { command } from '../paths.ts'
import { askAndPrint, noOperands, outputOf } from './asking.ts'

export const prove: Command = {
  summary: 'Write an evidence file over a stretch of a stream, or a shipment',
  usage:
    '--stream S --from T --to T -o FILE | --stream S --index A[-B] -o FILE | --shipment ID -o FILE',
  options: {
    stream: { value: 'S', means: 'the stream, as kedge status lists it' },
    from: { value: 'T', means: 'start of the time asked for (RFC 3339)' },
    to: { value: 'T', means: 'end of it' },
    index: { value: 'A[-B]', means: 'indices instead of times, both included' },
    shipment: { value: 'ID', means: 'a closed shipment with all its members' },
    fields: { value: 'a,b', means: 'disclose only these fields of private readings' },
    seals: { value: 'day|hour|last', means: 'which seals inside a long range are carried (day)' },
    unanchored: { means: 'without waiting for a ledger: the anchor is then not checked' },
    output: { value: 'FILE', short: 'o', means: 'where to write it' },
  },
  notes: [
    'The readings of a time are taken with one neighbour on each side, so that the file shows that\n' +
      'nothing lies between them and the ends.',
    'Exit: 0 written, 75 no ledger has taken them yet (NOT_ANCHORED, NOT_SIGNED).',
  ],

  async run(args, terminal) {
    noOperands(args, 'prove')
    const output = outputOf(args, 'kedge prove --stream S --from T --to T -o FILE')
    const names = ['stream', 'from', 'to', 'index', 'shipment', 'fields', 'seals'] as const
    const asked = Object.fromEntries(names.map((name) => [name, args.text(name)]))
    const unanchored = args.flag('unanchored')
    return askAndPrint(args, terminal, 'prove', { ...asked, unanchored, output }, (line) => {
      const { file, stream, first, last, bytes } = line
      const name = String(stream)
      const isPrivate = name.startsWith('p/')
      const note = isPrivate
        ? `\na private stream: ${name} is what evidence calls it, in --expect, too`
        : ''
      return `${file}: ${name} ${first} to ${last}, ${bytes} bytes${note}\n${command} verify ${file} --trust TRUST`
    })
  },
}
