import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { restore } from '../../backup/restore.ts'
import type { Command } from '../command.ts'
import { dataOf } from '../data-of.ts'
import { typedPath } from '../paths.ts'
import { jsonLine, printable } from '../terminal.ts'
import { askAndPrint } from './asking.ts'

const usage = 'backup FILE | restore FILE | check'

export const store: Command = {
  summary: 'Copy the store to a file, make one from such a file, or read it through for damage',
  usage,
  options: {},
  notes: [
    'The secret of the keys is not in a backup: keep it apart. A store that was restored while its\n' +
      'ledger went on is refused by run, which says what to do.',
  ],

  async run(args, terminal) {
    const [what, file, ...more] = args.operands
    const isRight = what === 'check' ? file === undefined : file !== undefined && more.length === 0
    if (!isRight || !['backup', 'restore', 'check'].includes(what ?? '')) {
      throw new KedgeError('USAGE', 'store needs one of its parts', {
        hint: `kedge store ${usage}`,
      })
    }
    if (what === 'check') {
      return askAndPrint(args, terminal, 'check', {}, (line) =>
        line.ok ? `${line.readings} readings, all there` : printable(JSON.stringify(line.damaged)),
      )
    }
    if (what === 'backup') {
      return askAndPrint(args, terminal, 'backup', { output: file }, (line) =>
        printable(`${line.file}: ${line.readings} readings, ${line.bytes} bytes`),
      )
    }
    const restored = await restore(dataOf(args), typedPath(String(file)))
    const line = { file, ...restored }
    await terminal.print(terminal.json ? jsonLine(line) : printable(`${file}: restored`))
    return 0
  },
}
