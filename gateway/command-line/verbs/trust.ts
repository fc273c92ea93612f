import type { Command } from '../command.ts'
import { jsonLine, printable } from '../terminal.ts'
import { askAndPrint, noOperands, outputOf } from './asking.ts'

export const trust: Command = {
  summary: "Write this gateway's own view as a trust file, for a regulator to start from",
  usage: '-o FILE',
  options: { output: { value: 'FILE', short: 'o', means: 'where to write it' } },
  notes: [
    'Whoever verifies must know the keys from elsewhere, or compare them: a gateway that vouches\n' +
      'for itself proves nothing.',
  ],

  async run(args, terminal) {
    noOperands(args, 'trust')
    const file = outputOf(args, 'kedge trust -o FILE')
    const exit = await askAndPrint(args, terminal, 'trust', { output: file })
    await terminal.print(terminal.json ? jsonLine({ file }) : printable(file))
    return exit
  },
}
