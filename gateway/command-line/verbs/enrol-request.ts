/** What a gateway does to be registered: the file by which it asks, and its account on a chain. */
import { bytesToHex } from '../../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { keyId } from '../../../anchor-client/evidence/sm2.ts'
import type { DataFolder, Marker } from '../../data-folder.ts'
import {
  addressOfKey,
  chainsIn,
  openChainAccount,
  theChainIn,
} from '../../enrolling/chain-account.ts'
import { encodeEnrolment } from '../../enrolling/enrolment.ts'
import { hashFor } from '../../history-hash.ts'
import { deviceKeyNumbers, deviceKeyPath } from '../../keys/device-keys.ts'
import { openKeyFile } from '../../keys/key-file.ts'
import { readSecret } from '../../keys/secret.ts'
import { openStoreFor } from '../../store.ts'
import type { Arguments } from '../arguments.ts'
import { dataOf } from '../data-of.ts'
import { configOf, markerIn } from '../stored-gateway.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { outputOf, writeOutput } from './asking.ts'

export async function request(args: Arguments, terminal: Terminal): Promise<number> {
  const output = outputOf(args, 'kedge enrol request -o FILE')
  const data = dataOf(args)
  const { gateway, incarnation, hashId } = await settledMarker(args, data)
  const account = await ownAccount(args, data)
  const numbers = await deviceKeyNumbers(data.keys)
  using first = await openDeviceKey(args, data, 1)
  using current = await openDeviceKey(args, data, numbers.at(-1) ?? 1)
  const asked = { gateway, incarnation, hashId, ...(account && { account }) }
  const text = encodeEnrolment(asked, current, first)
  await writeOutput(output, new TextEncoder().encode(text))
  const fingerprint = bytesToHex(keyId(current.publicKey))
  const line = {
    file: output,
    gateway: bytesToHex(gateway),
    incarnation,
    hashId,
    fingerprint,
    account: account ? `0x${bytesToHex(account)}` : null,
  }
  await terminal.print(terminal.json ? jsonLine(line) : requested(line))
  return 0
}

/** What the gateway is, with the hash that its history will have once it is run. */
async function settledMarker(args: Arguments, data: DataFolder): Promise<Marker> {
  await markerIn(data)
  const { anchor } = await configOf(args, data)
  try {
    await using store = await openStoreFor(data, hashFor(anchor))
    return store.marker
  } catch (error) {
    // The process that holds it has settled that when it began.
    if (error instanceof KedgeError && error.code === 'STORE_IN_USE') return markerIn(data)
    throw error
  }
}

/** The address by which this gateway writes to a chain, where its configuration names one. */
async function ownAccount(args: Arguments, data: DataFolder): Promise<Uint8Array | null> {
  const { anchor, keys } = await configOf(args, data)
  const asked = args.text('ledger')
  if (asked === undefined && chainsIn(anchor).length === 0) return null
  using key = await openChainAccount(data, keys.secret, theChainIn(anchor, asked))
  return addressOfKey(key)
}

/** The account of this folder on a chain, made where there is none: whom to fund, whom to call the registrar. */
export async function account(args: Arguments, terminal: Terminal): Promise<number> {
  const data = dataOf(args)
  const { anchor, keys } = await configOf(args, data)
  const chain = theChainIn(anchor, args.text('ledger'))
  using key = await openChainAccount(data, keys.secret, chain)
  const line = { ledger: chain.name, account: `0x${bytesToHex(addressOfKey(key))}` }
  await terminal.print(terminal.json ? jsonLine(line) : `${line.ledger}: ${line.account}`)
  return 0
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
export const grouped = (hex: string): string => hex.replace(/(.{4})(?=.)/g, '$1 ')

const requested = (line: {
  file: string
  incarnation: number
  fingerprint: string
  account: string | null
}): string =>
  [
    printable(`${line.file} asks for incarnation ${line.incarnation} of this gateway.`),
    `fingerprint  ${grouped(line.fingerprint)}`,
    ...(line.account ? [`account      ${line.account}`] : []),
    'Bring it to whoever runs the witness, or the registrar of the chain: kedge enrol approve FILE --data DIR',
  ].join('\n')
