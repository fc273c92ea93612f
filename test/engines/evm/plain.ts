/** Transactions to the anchor contract, signed by somebody else's code. */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createLegacyTx } from '@ethereumjs/tx'
import { Address } from '@ethereumjs/util'
import { abiItem, addressOf } from '../../helpers/evm.ts'
import { type AbiInput, encodeCall } from '../../helpers/evm-abi.ts'
import { until } from '../../helpers/gateway.ts'
import { hexOf } from './genesis.ts'
import { type Rpc, RpcError } from './rpc.ts'

export interface PlainTransaction {
  readonly chainId: number
  readonly privateKey: Uint8Array
  /** None where it makes a contract. */
  readonly to?: Uint8Array
  readonly data?: Uint8Array
  readonly wei?: bigint
  readonly gasPrice?: bigint
  readonly gasLimit?: bigint
}

export interface PlainCall extends Omit<PlainTransaction, 'data' | 'to'> {
  readonly to: Uint8Array
  readonly name: string
  readonly inputs: readonly AbiInput[]
}

export interface Receipt {
  readonly status: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly transactionHash: string
  readonly gasUsed: string
}

/** With a price that is good for a few blocks of a rising base fee. */
async function signTransaction(rpc: Rpc, of: PlainTransaction): Promise<string> {
  const { chainId, privateKey, data, wei = 0n, gasPrice = 1000n, gasLimit = 500_000n } = of
  const from = hexOf(addressOf(privateKey))
  const nonce = BigInt(await rpc('eth_getTransactionCount', from, 'pending'))
  const common = new Common({ chain: { ...Mainnet, chainId }, hardfork: Hardfork.London })
  const to = of.to && new Address(of.to)
  const fields = { nonce, gasLimit, gasPrice, value: wei, ...(to && { to }), ...(data && { data }) }
  return hexOf(createLegacyTx(fields, { common }).sign(privateKey).serialize())
}

export const signPlain = (rpc: Rpc, { name, inputs, ...of }: PlainCall): Promise<string> =>
  signTransaction(rpc, { ...of, data: encodeCall(abiItem(name), inputs) })

/** Gives the transaction's hash. */
export const sendPlain = async (rpc: Rpc, call: PlainCall): Promise<string> =>
  rpc('eth_sendRawTransaction', await signPlain(rpc, call))

/** A transaction of any other kind, which is waited for. */
export async function spend(rpc: Rpc, of: PlainTransaction): Promise<Receipt> {
  return landed(rpc, await rpc('eth_sendRawTransaction', await signTransaction(rpc, of)))
}

export const receiptOf = (rpc: Rpc, hash: string): Promise<Receipt | null> =>
  rpc<Receipt | null>('eth_getTransactionReceipt', hash).catch((error) => {
    // A node that has only just started looks through its blocks first.
    if (error instanceof RpcError && /indexing is in progress/.test(error.message)) return null
    throw error
  })

export const landed = (rpc: Rpc, hash: string): Promise<Receipt> =>
  until(() => receiptOf(rpc, hash), 'the receipt')
