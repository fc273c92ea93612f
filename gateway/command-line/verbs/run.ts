import { runGateway } from '../../flow.ts'
import type { Command } from '../command.ts'
import { dataOf } from '../data-of.ts'
import { noOperands } from './asking.ts'
import { configOr, printer, stopSignal } from './running.ts'

export const run: Command = {
  summary: 'Run the gateway of this data folder until it is told to stop',
  usage: '',
  options: {},
  notes: [
    'SIGINT, SIGTERM and SIGHUP stop it cleanly: the last batch is sealed, signed and sent.',
    'Exit: 0 stopped, 1 it must not go on, 2 configuration, 75 try again (another process holds the\n' +
      'folder, or the disk failed).',
  ],

  async run(args, terminal) {
    noOperands(args, 'run')
    const data = dataOf(args)
    const loaded = await configOr(args, terminal, data.folder)
    if (typeof loaded === 'number') return loaded
    await runGateway({ data, loaded, onEvent: printer(terminal) }, stopSignal())
    return 0
  },
}
