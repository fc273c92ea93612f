import { keccak_256 } from '@noble/hashes/sha3.js'
import { z } from 'zod'
import { readArtefact } from '../../contracts/artefact.ts'
import { concat, equalBytes, hexToBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { encodeRlp, rlpUint } from '../../evidence/rlp.ts'
import type { LedgerHost } from '../ledger.ts'
import { codeHash } from './contract.ts'
import { feeOf } from './fees.ts'
import { mismatch } from './lies.ts'
import { openNodes } from './open-nodes.ts'
import { contractIn, type EvmOptions, genesisIn } from './options.ts'
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
      throw mismatch(`${first.name} is of chain ${chainId}, not ${options.chainId}`, checkChain)
    }
    const block0 = await ask('eth_getBlockByNumber', ['0x0', false], z.object({ hash }))
    const genesis = genesisIn(options)
    if (genesis && !equalBytes(genesis, block0.hash)) {
      throw mismatch(`${first.name} has another block 0 than genesis says`, checkChain)
    }
    const named = contractIn(options)
    const there = await ask('eth_getCode', [hexOf(named), 'latest'], bytes(65_536))
    if (equalBytes(keccak_256(there), codeHash)) {
      throw mismatch(
        `the contract is there already: ${hexOf(named)}`,
        'One is enough for a chain. For another one write zeros for contract in the configuration.',
      )
    }
    const from = addressOf(account.publicKey)
    const nonce = await ask('eth_getTransactionCount', [hexOf(from), 'latest'], count)
    const call = concat(hexToBytes(readArtefact().bytecode), new Uint8Array(12), registrar)
    const of = { chainId, nonce, fee: feeOf(options), gasLimit, to: new Uint8Array(), call }
    const signed = await signTransaction(of, (digest) => account.sign(digest))
    const contract = keccak_256(encodeRlp([from, rlpUint(nonce)])).subarray(12)
    // The same bytes until they are there: some chains pass on nothing that pays nothing, so each node gets them.
    let isTaken = false
    for (;;) {
      signal.throwIfAborted()
      for (const node of nodes) {
        const params = [hexOf(signed.bytes)]
        const taken = await ask('eth_sendRawTransaction', params, hash, node).catch(passing)
        if (taken && !isTaken) onSent(hexOf(signed.hash), hexOf(contract))
        isTaken ||= taken !== undefined
      }
      const at = [hexOf(contract), 'latest']
      const code = await ask('eth_getCode', at, bytes(65_536)).catch(passing)
      if (code && equalBytes(keccak_256(code), codeHash)) {
        return { contract, block: await ask('eth_blockNumber', [], count) }
      }
      const next = await ask('eth_getTransactionCount', [hexOf(from), 'latest'], count)
      if (next > nonce && code?.length === 0) {
        throw new KedgeError('LEDGER_UNREACHABLE', 'the account sent something else meanwhile', {
          hint: 'Let no two processes use one account, and try again.',
        })
      }
      await pause()
    }
  } finally {
    for (const node of nodes) node[Symbol.dispose]()
  }
}

const checkChain = 'Check chainId, genesis and urls of this ledger in the configuration.'

/** What is said of bytes that are there already, and what waiting may mend; anything else is for a person. */
function passing(error: unknown): undefined {
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
