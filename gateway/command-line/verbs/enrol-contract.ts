import { bytesToHex, hexToBytes } from '../../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { deployContract } from '../../../anchor-client/ledgers/evm/deploy.ts'
import type { EvmOptions } from '../../../anchor-client/ledgers/evm/options.ts'
import { addressOfKey, openChainAccount, theChainIn } from '../../enrolling/chain-account.ts'
import { pause } from '../../retry.ts'
import type { Arguments } from '../arguments.ts'
import { dataOf } from '../data-of.ts'
import { configOf } from '../stored-gateway.ts'
import { jsonLine, type Terminal } from '../terminal.ts'
import { stoppedOr, stopSignal } from './running.ts'

const lookAgainMs = 1000

/** Once for a chain, by whoever will be its registrar. What the configuration says of a contract is not looked at. */
export async function contract(args: Arguments, terminal: Terminal): Promise<number> {
  const data = dataOf(args)
  const { anchor, keys } = await configOf(args, data)
  const chain = theChainIn(anchor, args.text('ledger'))
  using account = await openChainAccount(data, keys.secret, chain)
  const registrar = registrarIn(args) ?? addressOfKey(account)
  const signal = stopSignal()
  const deployed = await deployContract(
    {
      options: chain.entry as unknown as EvmOptions,
      account,
      registrar,
      onSent: (transaction, address) =>
        terminal.note(`sent ${transaction}: the contract will be ${address}`),
      onWaiting: (why) => terminal.note(`waiting: ${why}`),
      pause: () => pause(lookAgainMs, signal),
    },
    signal,
  ).catch((error: unknown) => stoppedOr(error, signal))
  const line = {
    ledger: chain.name,
    contract: `0x${bytesToHex(deployed.contract)}`,
    registrar: `0x${bytesToHex(registrar)}`,
    block: deployed.block,
  }
  await terminal.print(
    terminal.json
      ? jsonLine(line)
      : `contract   ${line.contract}\nregistrar  ${line.registrar}\nin the configuration: contract: "${line.contract}"\nfromBlock: ${line.block} spares looking for events before it`,
  )
  return 0
}

function registrarIn(args: Arguments): Uint8Array | null {
  const text = args.text('registrar')
  if (text === undefined) return null
  const hex = text.replace(/^0x/, '').toLowerCase()
  if (/^[0-9a-f]{40}$/.test(hex)) return hexToBytes(hex)
  throw new KedgeError('USAGE', `--registrar ${text} is no address of 40 hexadecimal digits`)
}
