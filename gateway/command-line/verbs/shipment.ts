import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import type { Command } from '../command.ts'
import { printable } from '../terminal.ts'
import { askAndPrint } from './asking.ts'

const usage = 'open READER ID | close READER [ID] | ls'

export const shipment: Command = {
  summary: 'Open and close shipments at a reader of the running gateway',
  usage,
  options: {},
  notes: [
    'From its opening to its close the reader’s tags belong to the shipment, and the streams named\n' +
      'under shipments.READER.members are its members. kedge prove --shipment ID proves it whole.',
  ],

  async run({ operands, ...args }, terminal) {
    const [what = '', reader, id, ...more] = operands
    const isRight =
      (what === 'open' && id !== undefined) ||
      (what === 'close' && reader !== undefined) ||
      (what === 'ls' && reader === undefined)
    if (!isRight || more.length > 0) {
      throw new KedgeError('USAGE', 'shipment needs one of its parts', {
        hint: `kedge shipment ${usage}`,
      })
    }
    const asked = { what, reader, id }
    return askAndPrint({ operands, ...args }, terminal, 'shipment', asked, (line) =>
      printable(`${line.id} at ${line.reader}: ${line.stream}`),
    )
  },
}
