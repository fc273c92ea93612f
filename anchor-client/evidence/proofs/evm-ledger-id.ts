import { concat, u64, utf8 } from '../bytes.ts'
import { sm3 } from '../sm3.ts'

/** One anchor contract on one EVM chain. */
export interface EvmContract {
  readonly chainId: number
  /** The hash of block 0. */
  readonly genesis: Uint8Array
  readonly contract: Uint8Array
}

const prefix = utf8('kedge/evm/v1\0')

/** What a beacon and a record call the ledger that this contract is (FORMAT.md section 2). */
export const evmLedgerId = ({ chainId, genesis, contract }: EvmContract): Uint8Array =>
  sm3(concat(prefix, u64(chainId), genesis, contract))
