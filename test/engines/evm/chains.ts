/** The chains of these tests: contracts, a registrar for each, and accounts with money. */
import { hexToBytes } from '../../../anchor-client/evidence/bytes.ts'
import { secretOf } from '../../helpers/anchoring.ts'
import { chainAccount, chainId } from '../../helpers/evm-ledger.ts'
import { type Anvil, type AnvilOptions, startAnvil } from './anvil.ts'
import { type Clique, type CliqueOptions, signerKey, startClique, threeSigners } from './clique.ts'
import { contractAt } from './genesis.ts'
import { type PlainCall, type Receipt, spend } from './plain.ts'
import type { Rpc } from './rpc.ts'

export { chainId }

/** Of the contract of this number. */
export const registrarOf = (contract: number) => chainAccount(`registrar ${contract}`)

/** The gateway that writes to it. */
export const writerOf = (contract: number) => chainAccount(`writer ${contract}`)

const usual = (contracts: number) => ({
  chainId,
  registrar: (contract: number) => registrarOf(contract).address,
  contracts,
  accounts: Array.from({ length: contracts }, (_, i) => [registrarOf(i), writerOf(i)])
    .flat()
    .map(({ address }) => address),
  wei: 10n ** 18n,
})

export const anvilChain = ({
  contracts = 1,
  ...told
}: Partial<AnvilOptions> = {}): Promise<Anvil> => startAnvil({ ...usual(contracts), ...told })

/** Three signers, each on its own node. */
export const cliqueChain = ({
  contracts = 1,
  ...told
}: Partial<CliqueOptions> = {}): Promise<Clique> =>
  startClique({ ...usual(contracts), keys: threeSigners, ...told })

/** One signer, whose key two nodes have: their branches may be of any length. */
export const twinChain = (told: Partial<CliqueOptions> = {}): Promise<Clique> =>
  cliqueChain({ keys: [signerKey(0), signerKey(0)], ...told })

/** One node that seals alone. */
export const lonelyChain = (told: Partial<CliqueOptions> = {}): Promise<Clique> =>
  cliqueChain({ keys: [signerKey(0)], ...told })

const registrarKey = hexToBytes(secretOf('registrar 0'))

/** The registrar sends the gateway's account some more. */
export const payWriter = (rpc: Rpc, wei: bigint): Promise<Receipt> =>
  spend(rpc, { chainId, privateKey: registrarKey, to: writerOf(0).address, wei })

/** A transaction that burns all the gas that it may. */
export const burn = (rpc: Rpc, gasLimit: bigint): Promise<Receipt> =>
  spend(rpc, { chainId, privateKey: registrarKey, data: Uint8Array.of(0xfe), gasLimit })

/** The registrar's word for a gateway that is only a number, as anybody's tools would send it. */
export const plainAdmission = (gateway: number): PlainCall => ({
  chainId,
  privateKey: registrarKey,
  to: contractAt(0),
  name: 'admit',
  inputs: [
    new Uint8Array(32).fill(gateway + 1),
    0,
    2,
    writerOf(0).address,
    new Uint8Array(32).fill(0xee),
    3600,
  ],
})
