import { keccak_256 } from '@noble/hashes/sha3.js'
import type { z } from 'zod'
import { readArtefact } from '../../contracts/artefact.ts'
import { concat, equalBytes, hexToBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { encodeRlp, rlpUint } from '../../evidence/rlp.ts'
import type { LedgerHost } from '../ledger.ts'
import { codeHash } from './contract.ts'
import { feeOf } from './fees.ts'
import { openNodes } from './nodes.ts'
import type { EvmOptions } from './options.ts'
import { isOutage } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { bytes, count, hash, hexOf } from './rpc/values.ts'
import { addressOf, signTransaction } from './transactions.ts'

/** Puts the anchor contract on a chain. Nothing is kept of it here: once its address is known it is one contract among others. */
export interface Deployment {
  readonly options: EvmOptions
  readonly account: Pick<LedgerHost, 'publicKey' | 'sign'>
  /** For ever: the contract has no way to change it. */
  readonly registrar: Uint8Array
  readonly onSent: (transaction: string, contract: string) => void
  pause(): Promise<void>
}

/** More than it takes: what is left over is not paid. */
const gasLimit = 5_000_000

export async function deployContract(
  { options, account, registrar, onSent, pause }: Deployment,
  signal: AbortSignal,
): Promise<{ readonly contract: Uint8Array; readonly block: number }> {
  const nodes = await openNodes(options)
  try {
    const [first] = nodes as [RpcNode, ...RpcNode[]]
    const ask = <T>(
      method: string,
      params: readonly unknown[],
      answer: z.ZodType<T>,
      node = first,
    ) => node.ask({ method, params, answer }, signal)
    const chainId = await ask('eth_chainId', [], count)
    if (chainId !== options.chainId) {
      throw new KedgeError(
        'LEDGER_MISMATCH',
        `${first.name} is of chain ${chainId}, not ${options.chainId}`,
      )
    }
    const from = addressOf(account.publicKey)
    const nonce = await ask('eth_getTransactionCount', [hexOf(from), 'latest'], count)
    const call = concat(hexToBytes(readArtefact().bytecode), new Uint8Array(12), registrar)
    const of = { chainId, nonce, fee: feeOf(options), gasLimit, to: new Uint8Array(), call }
    const signed = await signTransaction(of, (digest) => account.sign(digest))
    const contract = keccak_256(encodeRlp([from, rlpUint(nonce)])).subarray(12)
    onSent(hexOf(signed.hash), hexOf(contract))
    // The same bytes until they are there: some chains pass on nothing that pays nothing, so each node gets them.
    for (;;) {
      signal.throwIfAborted()
      for (const node of nodes) {
        await ask('eth_sendRawTransaction', [hexOf(signed.bytes)], hash, node).catch(
          isKnownOrPassing,
        )
      }
      const code = await ask('eth_getCode', [hexOf(contract), 'latest'], bytes(65_536)).catch(
        isKnownOrPassing,
      )
      if (code && equalBytes(keccak_256(code), codeHash)) {
        return { contract, block: await ask('eth_blockNumber', [], count) }
      }
      await pause()
    }
  } finally {
    for (const node of nodes) node[Symbol.dispose]()
  }
}

/** What is said of bytes that are there already, and what waiting may mend; anything else is for a person. */
function isKnownOrPassing(error: unknown): undefined {
  if (!isOutage(error)) throw error
  if (
    /insufficient funds|intrinsic gas|fee too low|underpriced|max fee per gas/i.test(error.message)
  ) {
    throw new KedgeError('LEDGER_UNREACHABLE', `the chain does not take it: ${error.message}`, {
      hint: 'Fund the account (kedge enrol account), or pay more: fee, gasPrice or maxFeePerGas in the configuration.',
    })
  }
  return undefined
}
