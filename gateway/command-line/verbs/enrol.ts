import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { nearest } from '../../../config/did-you-mean.ts'
import { enrolledAt } from '../../enrolling/enrolled.ts'
import { isWitnessFolder } from '../../witness/open-witness.ts'
import { askRegistrar } from '../../witness/registrar-socket.ts'
import type { Arguments, OptionTable } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataOf } from '../data-of.ts'
import { configOf, markerIn } from '../stored-gateway.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { approve } from './enrol-approve.ts'
import { contract } from './enrol-contract.ts'
import { account, request } from './enrol-request.ts'
import { stopSignal } from './running.ts'
import { secretOf, secretOptions } from './witness.ts'

interface Part {
  readonly usage: string
  readonly summary: string
  readonly operands: number
  run(args: Arguments, terminal: Terminal): Promise<number>
}

const parts: Readonly<Record<string, Part>> = {
  request: {
    usage: 'request -o FILE',
    operands: 0,
    summary: "on the gateway: ask to be registered; the file is signed by the gateway's key",
    run: request,
  },
  approve: {
    usage: 'approve FILE --data DIR',
    operands: 1,
    summary: 'on the witness, or with the account of a registrar: register the gateway that asks',
    run: approve,
  },
  account: {
    usage: 'account',
    operands: 0,
    summary: 'the account of this folder on a chain: whom to fund, whom to call the registrar',
    run: account,
  },
  contract: {
    usage: 'contract',
    operands: 0,
    summary: 'put the anchor contract on a chain, with the account of this folder as its registrar',
    run: contract,
  },
  status: {
    usage: 'status',
    operands: 0,
    summary: 'what the ledgers say of this gateway, or with --data DIR whom a witness knows',
    run: status,
  },
}

const usage = Object.values(parts)
  .map((part) => part.usage)
  .join(' | ')

const options: OptionTable = {
  output: { value: 'FILE', short: 'o', means: 'where to write the request' },
  incarnation: {
    value: 'N',
    means: 'grant this new incarnation; it closes the one before for ever',
  },
  fingerprint: { value: 'HEX', means: 'refuse any key but the one whose fingerprint begins so' },
  registrar: {
    value: 'ADDRESS',
    means: 'of the contract, where it is not the account of this folder',
  },
  ledger: { value: 'NAME', means: 'of several chains this one, as kedge anchor ls calls it' },
  ...secretOptions,
}

export const enrol: Command = {
  summary: 'Register a gateway on a ledger that somebody else keeps',
  usage,
  options,
  notes: [
    Object.values(parts)
      .map((part) => `  ${part.usage.padEnd(24)} ${part.summary}`)
      .join('\n'),
    'status ends with 75 where a ledger does not answer.',
    'Before you approve, compare the fingerprint with what kedge keys show prints on the gateway\n' +
      '(keyId), over a telephone for instance: the file alone proves only who has the key.',
  ],

  async run({ operands: [name = '', ...operands], ...args }, terminal) {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part && operands.length === part.operands) {
      return part.run({ ...args, operands }, terminal)
    }
    if (part) {
      throw new KedgeError('USAGE', `enrol ${name}: too much or too little`, {
        hint: `kedge enrol ${part.usage}`,
      })
    }
    const near = nearest(name, Object.keys(parts))
    throw new KedgeError('USAGE', 'enrol needs one of its parts', {
      hint: near ? `did you mean kedge enrol ${near}?` : `kedge enrol ${usage}`,
    })
  },
}

async function status(args: Arguments, terminal: Terminal): Promise<number> {
  const print = (line: object, words: string) =>
    terminal.print(terminal.json ? jsonLine(line) : printable(words))
  const data = dataOf(args)
  if (await isWitnessFolder(data.folder)) {
    for await (const row of askRegistrar(data.folder, secretOf(args), { ask: 'list' })) {
      const { gateway, incarnation, state, size, keyId: key } = row
      const words = `${gateway} / ${incarnation}: ${state}, ${size} batches, key ${key.slice(0, 16)}…`
      if (!(await print(row, words))) return 0
    }
    return 0
  }
  const marker = await markerIn(data)
  const { anchor } = await configOf(args, data)
  let isUnknown = false
  for await (const row of enrolledAt(anchor, marker, stopSignal())) {
    isUnknown ||= row.state === 'unknown'
    const size = row.size === null ? '' : `, ${row.size} batches`
    const why = row.why === null ? '' : `: ${row.why}`
    const state = row.state === 'own' ? 'this gateway registers itself' : row.state
    if (!(await print(row, `${row.ledger}: ${state}${size}${why}`))) break
  }
  return isUnknown ? tryLater : 0
}

const tryLater = 75
