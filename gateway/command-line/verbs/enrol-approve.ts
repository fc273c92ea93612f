/** What a registrar does with the file of a gateway that asks: on a witness, or on a chain. */
import { existsSync } from 'node:fs'
import { bytesToHex } from '../../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { keyId } from '../../../anchor-client/evidence/sm2.ts'
import { maxUint32 } from '../../../anchor-client/evidence/values.ts'
import type { Admission } from '../../../anchor-client/ledgers/ledger.ts'
import { approveOnChain } from '../../enrolling/approve-on-chain.ts'
import { openChainAccount, theChainIn } from '../../enrolling/chain-account.ts'
import { decodeEnrolment, maxEnrolmentBytes } from '../../enrolling/enrolment.ts'
import { isWitnessFolder } from '../../witness/open-witness.ts'
import { askRegistrar } from '../../witness/registrar-socket.ts'
import type { Arguments } from '../arguments.ts'
import { dataOf } from '../data-of.ts'
import { readInput } from '../read-input.ts'
import { configOf } from '../stored-gateway.ts'
import { jsonLine, type Terminal } from '../terminal.ts'
import { grouped } from './enrol-request.ts'
import { stoppedOr, stopSignal } from './running.ts'
import { secretOf, witnessFolderOf } from './witness.ts'

export async function approve(args: Arguments, terminal: Terminal): Promise<number> {
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
  const isChain = !(await isWitnessFolder(folder)) && existsSync(dataOf(args).config)
  const row = isChain
    ? await onChain(args, asked, incarnation, terminal)
    : await onWitness(args, folder, input.bytes, incarnation)
  const line = { ...row, fingerprint }
  await terminal.print(terminal.json ? jsonLine(line) : approved(line))
  return 0
}

async function onWitness(
  args: Arguments,
  folder: string,
  bytes: Uint8Array,
  incarnation: number | undefined,
) {
  const file = Buffer.from(bytes).toString('base64')
  const question = {
    ask: 'approve',
    file,
    ...(incarnation !== undefined && { incarnation }),
  } as const
  for await (const row of askRegistrar(folder, secretOf(args), question)) return row
  throw new KedgeError('LEDGER_UNREACHABLE', 'the witness gave no answer')
}

async function onChain(
  args: Arguments,
  admission: Admission,
  granted: number | undefined,
  terminal: Terminal,
) {
  const data = dataOf(args)
  const { anchor, keys } = await configOf(args, data)
  const chain = theChainIn(anchor, args.text('ledger'))
  using account = await openChainAccount(data, keys.secret, chain)
  const signal = stopSignal()
  let told = ''
  return await approveOnChain({
    chain,
    account,
    admission,
    granted,
    signal,
    onWait(why) {
      if (why !== told) terminal.note(why)
      told = why
    },
  }).catch((error: unknown) => stoppedOr(error, signal))
}

function numberOf(args: Arguments, name: string): number | undefined {
  const text = args.text(name)
  if (text === undefined) return undefined
  if (/^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) <= maxUint32) return Number(text)
  throw new KedgeError('USAGE', `--${name} ${text} is no number of an incarnation`)
}

const approved = (
  row: Awaited<ReturnType<typeof onChain | typeof onWitness>> & { fingerprint: string },
) => {
  const { gateway, incarnation, fingerprint } = row
  const where = 'block' in row ? `block ${row.block} of ${row.ledger}` : `entry ${row.entry}`
  return [
    `registered   gateway ${gateway}, incarnation ${incarnation} (${where})`,
    `fingerprint  ${grouped(fingerprint)}`,
  ].join('\n')
}
