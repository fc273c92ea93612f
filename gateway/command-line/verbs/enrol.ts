import { bytesToHex } from '../../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { keyId } from '../../../anchor-client/evidence/sm2.ts'
import { maxUint32 } from '../../../anchor-client/evidence/values.ts'
import { nearest } from '../../../config/did-you-mean.ts'
import { type DataFolder, type Marker, readMarker } from '../../data-folder.ts'
import { deviceKeyNumbers, deviceKeyPath } from '../../keys/device-keys.ts'
import { openKeyFile } from '../../keys/key-file.ts'
import { readSecret } from '../../keys/secret.ts'
import { enrolledAt } from '../../witness/enrolled.ts'
import { decodeEnrolment, encodeEnrolment, maxEnrolmentBytes } from '../../witness/enrolment.ts'
import { isWitnessFolder } from '../../witness/open-witness.ts'
import { askRegistrar } from '../../witness/registrar-socket.ts'
import type { Arguments, OptionTable } from '../arguments.ts'
import type { Command } from '../command.ts'
import { configFileOf, dataOf } from '../data-of.ts'
import { readConfig } from '../read-config.ts'
import { readInput } from '../read-input.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { outputOf, writeOutput } from './asking.ts'
import { stopSignal } from './running.ts'
import { secretOf, secretOptions, witnessFolderOf } from './witness.ts'

interface Part {
  readonly usage: string
  readonly summary: string
  run(args: Arguments, terminal: Terminal): Promise<number>
}

const parts: Readonly<Record<string, Part>> = {
  request: {
    usage: 'request -o FILE',
    summary: "on the gateway: ask to be registered; the file is signed by the gateway's key",
    run: request,
  },
  approve: {
    usage: 'approve FILE --data DIR',
    summary: 'on the witness: register the gateway that asks, or grant it a new incarnation',
    run: approve,
  },
  status: {
    usage: 'status',
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
    'Before you approve, compare the fingerprint with what kedge keys show prints on the gateway\n' +
      '(keyId), over a telephone for instance: the file alone proves only who has the key.',
  ],

  async run({ operands: [name = '', ...operands], ...args }, terminal) {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part) return part.run({ ...args, operands }, terminal)
    const near = nearest(name, Object.keys(parts))
    throw new KedgeError('USAGE', 'enrol needs one of its parts', {
      hint: near ? `did you mean kedge enrol ${near}?` : `kedge enrol ${usage}`,
    })
  },
}

async function request(args: Arguments, terminal: Terminal): Promise<number> {
  mustHave(args, 0, 'request')
  const output = outputOf(args, 'kedge enrol request -o FILE')
  const data = dataOf(args)
  const { gateway, incarnation, hashId } = await markerIn(data)
  const numbers = await deviceKeyNumbers(data.keys)
  using first = await openDeviceKey(args, data, 1)
  using current = await openDeviceKey(args, data, numbers.at(-1) ?? 1)
  const text = encodeEnrolment({ gateway, incarnation, hashId }, current, first)
  await writeOutput(output, new TextEncoder().encode(text))
  const fingerprint = bytesToHex(keyId(current.publicKey))
  const line = { file: output, gateway: bytesToHex(gateway), incarnation, hashId, fingerprint }
  await terminal.print(terminal.json ? jsonLine(line) : requested(line))
  return 0
}

async function approve(args: Arguments, terminal: Terminal): Promise<number> {
  mustHave(args, 1, 'approve')
  const folder = witnessFolderOf(args, 'kedge enrol approve FILE --data DIR')
  const input = await readInput(args.operands[0] as string, maxEnrolmentBytes)
  if ('tooLarge' in input) {
    throw new KedgeError('ENROLMENT_REFUSED', `larger than ${maxEnrolmentBytes} bytes`)
  }
  const asked = decodeEnrolment(input.bytes)
  const fingerprint = bytesToHex(keyId(asked.key))
  const expected = args
    .text('fingerprint')
    ?.replace(/[^0-9a-fA-F]/g, '')
    .toLowerCase()
  if (expected !== undefined && (expected.length < 16 || !fingerprint.startsWith(expected))) {
    throw new KedgeError('ENROLMENT_REFUSED', `its fingerprint is ${grouped(fingerprint)}`, {
      hint: 'Do not approve it: ask the gateway again what kedge keys show prints. 16 digits at least.',
    })
  }
  const incarnation = numberOf(args, 'incarnation')
  const file = Buffer.from(input.bytes).toString('base64')
  const question = {
    ask: 'approve',
    file,
    ...(incarnation !== undefined && { incarnation }),
  } as const
  for await (const row of askRegistrar(folder, secretOf(args), question)) {
    const line = { ...row, fingerprint }
    await terminal.print(terminal.json ? jsonLine(line) : approved(line))
  }
  return 0
}

async function status(args: Arguments, terminal: Terminal): Promise<number> {
  mustHave(args, 0, 'status')
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
  for await (const row of enrolledAt(anchor, marker, stopSignal())) {
    const size = row.size === null ? '' : `, ${row.size} batches`
    const why = row.why === null ? '' : `: ${row.why}`
    const state = row.state === 'own' ? 'this gateway registers itself' : row.state
    if (!(await print(row, `${row.ledger}: ${state}${size}${why}`))) return 0
  }
  return 0
}

function mustHave({ operands }: Arguments, count: number, name: string): void {
  if (operands.length === count) return
  throw new KedgeError('USAGE', `enrol ${name}: too much or too little`, {
    hint: `kedge enrol ${parts[name]?.usage}`,
  })
}

function numberOf(args: Arguments, name: string): number | undefined {
  const text = args.text(name)
  if (text === undefined) return undefined
  if (/^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) <= maxUint32) return Number(text)
  throw new KedgeError('USAGE', `--${name} ${text} is no number of an incarnation`)
}

async function markerIn(data: DataFolder): Promise<Marker> {
  const marker = await readMarker(data)
  if (marker) return marker
  throw new KedgeError('STORE_MISSING', `there is no gateway in ${data.folder}`, {
    hint: 'kedge init makes one; --data DIR names another folder.',
  })
}

async function configOf(args: Arguments, data: DataFolder) {
  const loaded = await readConfig(configFileOf(args), data.folder)
  if (loaded.faults === undefined) return loaded.config
  const [fault] = loaded.faults
  throw new KedgeError('CONFIG_INVALID', `${fault?.at}: ${fault?.error.message}`, {
    hint: 'kedge config check names every fault',
  })
}

async function openDeviceKey(args: Arguments, data: DataFolder, number: number) {
  const { keys } = await configOf(args, data)
  const secret = await readSecret(keys.secret, data.keys)
  try {
    return await openKeyFile(deviceKeyPath(data.keys, number), secret)
  } finally {
    secret.fill(0)
  }
}

/** As it is read over a telephone. */
const grouped = (hex: string): string => hex.replace(/(.{4})(?=.)/g, '$1 ')

const requested = (line: { file: string; incarnation: number; fingerprint: string }): string =>
  [
    printable(`${line.file} asks for incarnation ${line.incarnation} of this gateway.`),
    `fingerprint  ${grouped(line.fingerprint)}`,
    'Bring it to whoever runs the witness: kedge enrol approve FILE --data DIR',
  ].join('\n')

const approved = (line: {
  gateway: string
  incarnation: number
  fingerprint: string
  entry: number
}) =>
  [
    `registered   gateway ${line.gateway}, incarnation ${line.incarnation} (entry ${line.entry})`,
    `fingerprint  ${grouped(line.fingerprint)}`,
  ].join('\n')
