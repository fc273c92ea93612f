import type { Block } from './blocks.ts'
import type { EvmOptions } from './options.ts'
import { mostPerGas, type TransactionFee } from './transactions.ts'

/** What a transaction pays is said in the configuration, and never guessed. */
export function feeOf(options: EvmOptions): TransactionFee {
  const { fee, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = options
  switch (fee) {
    case 'zero':
      return { kind: 'price', price: 0n }
    case 'legacy':
      return { kind: 'price', price: BigInt(gasPrice) }
    case 'eip1559': {
      const cap = BigInt(maxFeePerGas)
      const tip = BigInt(maxPriorityFeePerGas)
      return { kind: 'cap', cap, tip: tip < cap ? tip : cap }
    }
  }
}

/** Why a transaction with this fee is in no block for now, or null: a node may keep it for ever without a word. */
export function tooCheap(fee: TransactionFee, { baseFee, number }: Block): string | null {
  const most = mostPerGas(fee)
  if (baseFee === null || baseFee <= most) return null
  return `the base fee of block ${number} is ${baseFee} wei, and a transaction pays at most ${most}: raise fee, gasPrice or maxFeePerGas of this ledger`
}
