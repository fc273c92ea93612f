import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { hashFor } from '../../history-hash.ts'
import { beginAnew } from '../../incarnation.ts'
import { firstConfig, initialise } from '../../initialise.ts'
import { secretBesideKeys } from '../../keys/secret.ts'
import type { Command } from '../command.ts'
import { configFileOf, dataOf } from '../data-of.ts'
import { command } from '../paths.ts'
import { readConfig } from '../read-config.ts'
import { jsonLine, printable } from '../terminal.ts'
import { noOperands } from './asking.ts'

export const init: Command = {
  summary:
    'Make a gateway in the data folder: its key, a configuration for what is attached, a store',
  usage: '[--new-incarnation]',
  options: {
    'new-incarnation': {
      means: 'begin anew with the same key, after a restored or copied data folder was refused',
    },
  },
  notes: [
    'A new incarnation has a history of its own; the registrar of each ledger must grant it, and that\n' +
      'closes the one before at its last anchored batch. What the old store holds and no ledger does\n' +
      'is committed again.',
  ],

  async run(args, terminal) {
    noOperands(args, 'init')
    const data = dataOf(args)
    if (args.flag('new-incarnation')) {
      const loaded = await readConfig(configFileOf(args), data.folder)
      const begun = await beginAnew(data, loaded.faults ? undefined : hashFor(loaded.config.anchor))
      await terminal.print(
        terminal.json
          ? jsonLine(begun)
          : `incarnation ${begun.incarnation} begins; ${begun.recommitted} readings were committed again`,
      )
      return 0
    }
    if (args.text('config') !== undefined) {
      const loaded = await readConfig(String(args.text('config')), data.folder)
      if (loaded.faults) {
        throw new KedgeError('USAGE', 'init writes its own configuration, or takes a sound one', {
          hint: 'kedge config check FILE says what is wrong with it',
        })
      }
      const made = await initialise(data, loaded.config.keys.secret, () => loaded.bytes)
      await terminal.print(terminal.json ? jsonLine(made) : printable(made.config))
      return 0
    }
    const made = await initialise(data, undefined, firstConfig)
    const { gateway, config, sensors, isNewConfig } = made
    const found = !isNewConfig
      ? 'was there already, and is left as it is'
      : sensors.length > 0
        ? `${sensors.length} sensors found on the 1-Wire bus`
        : 'no sensor found'
    await terminal.print(
      ...(terminal.json
        ? [jsonLine(made)]
        : [
            `gateway ${gateway}`,
            printable(`${config}: ${found}; see what is in it, then:`),
            printable(`  ${command} run --data ${made.data}`),
            `note: ${secretBesideKeys}`,
          ]),
    )
    return 0
  },
}
