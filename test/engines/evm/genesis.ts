/** What a chain begins with: the anchor contract stands in it, and accounts have money. */
import { readArtefact } from '../../../anchor-client/contracts/artefact.ts'
import { bytesToHex, concat } from '../../../anchor-client/evidence/bytes.ts'
import { word } from '../../helpers/evm-abi.ts'
import { quantity } from './rpc.ts'

export interface FirstBlock {
  readonly chainId: number
  /** Sealers by turns, or none where the chain is one node's. */
  readonly signers?: readonly string[]
  readonly registrar: Uint8Array | ((contract: number) => Uint8Array)
  /** So many contracts, each on its own, from `contractAt(0)` on. */
  readonly contracts: number
  readonly accounts: readonly Uint8Array[]
  readonly wei: bigint
  readonly periodSeconds?: number
  readonly gasLimit?: number
}

/** Contracts of the genesis lie one after the other. */
export const contractAt = (index: number): Uint8Array =>
  word(0xa0c40000n + BigInt(index)).subarray(12)

const forks = [
  'homesteadBlock',
  'eip150Block',
  'eip155Block',
  'eip158Block',
  'byzantiumBlock',
  'constantinopleBlock',
  'petersburgBlock',
  'istanbulBlock',
  'berlinBlock',
  'londonBlock',
]

interface Account {
  readonly balance: string
  readonly code?: string
  readonly storage?: Readonly<Record<string, string>>
}

export function firstAccounts(of: FirstBlock): Readonly<Record<string, Account>> {
  const { registrar } = of
  const contract = (index: number): Account => {
    const address = typeof registrar === 'function' ? registrar(index) : registrar
    return {
      balance: '0x0',
      code: `0x${readArtefact().runtime}`,
      storage: { [hexOf(word(3n))]: hexOf(concat(new Uint8Array(12), address)) },
    }
  }
  const money = { balance: quantity(of.wei) }
  return Object.fromEntries([
    ...Array.from({ length: of.contracts }, (_, i) => [hexOf(contractAt(i)), contract(i)]),
    ...of.accounts.map((account) => [hexOf(account), money]),
  ])
}

/** As geth reads it. */
export function genesisOf(of: FirstBlock): Readonly<Record<string, unknown>> {
  const { chainId, signers = [], periodSeconds = 1, gasLimit = 30_000_000 } = of
  const ascending = signers.map((signer) => signer.slice(2).toLowerCase()).sort()
  return {
    config: {
      chainId,
      ...Object.fromEntries(forks.map((fork) => [fork, 0])),
      ...(signers.length > 0 && { clique: { period: periodSeconds, epoch: 30_000 } }),
    },
    // 32 bytes of vanity, the signers, 65 bytes where later blocks have their seal.
    extraData: `0x${'00'.repeat(32)}${ascending.join('')}${'00'.repeat(65)}`,
    nonce: '0x0',
    timestamp: '0x65000000',
    mixHash: `0x${'00'.repeat(32)}`,
    coinbase: `0x${'00'.repeat(20)}`,
    difficulty: '0x1',
    gasLimit: quantity(gasLimit),
    baseFeePerGas: '0x0',
    alloc: firstAccounts(of),
  }
}

export const hexOf = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`
