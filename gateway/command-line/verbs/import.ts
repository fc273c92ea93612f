import { randomBytes } from 'node:crypto'
import { chown, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { maxLoggerBytes } from '../../../drivers/logger-file.ts'
import { type DataFolder, readMarker } from '../../data-folder.ts'
import type { Command } from '../command.ts'
import { dataOf } from '../data-of.ts'
import { readInput } from '../read-input.ts'
import { printable } from '../terminal.ts'
import { askAndPrint } from './asking.ts'

export const importVerb: Command = {
  summary: 'Put the file of a logger (Fridge-tag, Q-tag, CSV) on record, marked as imported',
  usage: 'FILE --source NAME [--format fridge-tag|q-tag|csv] [--kind K] [--unit U]',
  options: {
    source: { value: 'NAME', means: 'whose readings they are: the stream is import/NAME' },
    format: { value: 'F', means: 'fridge-tag, q-tag or csv; found out if not given' },
    kind: { value: 'K', means: 'kind of the readings of a CSV file (default: temperature)' },
    unit: { value: 'U', means: 'their unit in UCUM (default: Cel for temperatures)' },
  },
  notes: [
    'A reading has the time at which it was put on record; the time that the logger states stays beside it as\n' +
      'logger-time, with the hash of the file (file), its line and the serial number (logger). The same file again adds nothing;\n' +
      'a later file of the same logger adds what is new. What is no reading is refused on record (kedge export --refused).',
    'A CSV file has a head line with the columns time and value, perhaps kind and unit; others are passed over.',
  ],

  async run(args, terminal) {
    const [file, ...more] = args.operands
    const source = args.text('source')
    if (file === undefined || more.length > 0 || source === undefined) {
      throw new KedgeError('USAGE', 'import needs one FILE and --source NAME', {
        hint: 'kedge help import',
      })
    }
    const input = await readInput(file, maxLoggerBytes)
    if ('tooLarge' in input) {
      throw new KedgeError(
        'FILE_UNREADABLE',
        `${file} is larger than ${maxLoggerBytes / 2 ** 20} MiB`,
      )
    }
    const data = dataOf(args)
    await using copy = await copyInto(data, input.bytes)
    const asked = {
      ...{ file, source, copy: copy.name },
      ...{ format: args.text('format'), kind: args.text('kind'), unit: args.text('unit') },
    }
    // Awaited: the copy goes when this function is left.
    return await askAndPrint(args, terminal, 'import', asked, (line) => {
      const known = Number(line.known) > 0 ? `, ${line.known} known already` : ''
      const refused = Number(line.refused) > 0 ? `, ${line.refused} lines refused` : ''
      return printable(`${file}: ${line.readings} readings into ${line.stream}${known}${refused}`)
    })
  },
}

/** Where the gateway can read it, whoever may read the file itself. */
async function copyInto(data: DataFolder, bytes: Uint8Array) {
  const name = `import-${process.pid}-${randomBytes(16).toString('hex')}`
  const path = join(data.folder, name)
  // Without a store the asking says what is missing.
  if (await readMarker(data)) {
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' }).catch((cause) => {
      throw new KedgeError('FILE_UNREADABLE', `cannot write into ${data.folder}: ${cause.code}`, {
        cause,
      })
    })
    const { uid, gid } = await stat(data.folder)
    if (process.geteuid?.() === 0 && uid !== 0) await chown(path, uid, gid)
  }
  return { name, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}
