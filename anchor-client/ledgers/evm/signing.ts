import { equalBytes } from '../../evidence/bytes.ts'
import type { Outcome } from '../ledger.ts'
import type { Block } from './blocks.ts'
import type { View } from './chain.ts'
import { feeOf, tooCheap } from './fees.ts'
import { refused } from './judging.ts'
import { isRevert, outcomeOfRevert } from './refusals.ts'
import { RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { bytes, count, hexOf, quantity, quantityOf } from './rpc/values.ts'
import type { Account, EvmParts } from './standing.ts'
import { nameOf } from './storage.ts'
import { mostPerGas, type SignedTransaction, signTransaction } from './transactions.ts'

/** Signs a call with the next number of the account, or says why it would not be taken. Sends nothing. */
export async function signCall(
  { options, contract }: EvmParts,
  account: Account,
  call: Uint8Array,
  { node, known, head, final }: View,
  signal: AbortSignal,
): Promise<SignedTransaction | Outcome> {
  const refusal = await tryCall(node, head, contract, account.address, call, options, signal)
  if (refusal) return refusal
  const fee = feeOf(options)
  const cheap = tooCheap(fee, head)
  if (cheap !== null) return refused('not-permitted', cheap)
  const needed = BigInt(options.gasLimit) * mostPerGas(fee)
  if (needed > 0n) {
    const params = [hexOf(account.address), nameOf(head)]
    const held = await node.ask({ method: 'eth_getBalance', params, answer: quantity }, signal)
    if (held < needed) {
      const why = `account ${hexOf(account.address)} holds ${held} wei, and a transaction may cost ${needed}`
      return refused('not-permitted', why)
    }
  }
  const nonce = await nonceAt(node, account.address, head, signal)
  if ((await nonceAt(node, account.address, final, signal)) !== nonce) {
    return { state: 'unknown', why: 'an earlier transaction of this account is not final yet' }
  }
  const { chainId, gasLimit } = options
  const wanted = { chainId, nonce, fee, gasLimit, to: contract, call }
  const signed = await signTransaction(wanted, account.sign)
  if (!equalBytes(signed.from, account.address)) {
    return { state: 'unknown', why: 'the account was not signed with its own key' }
  }
  const entry = { nonce, bytes: signed.bytes }
  await account.book.write({ genesis: known.genesis, entry, final })
  return signed
}

async function tryCall(
  node: RpcNode,
  head: Block,
  to: Uint8Array,
  from: Uint8Array,
  call: Uint8Array,
  { gasLimit }: { readonly gasLimit: number },
  signal: AbortSignal,
): Promise<Outcome | null> {
  const asked = { from: hexOf(from), to: hexOf(to), data: hexOf(call), gas: quantityOf(gasLimit) }
  const params = [asked, nameOf(head)]
  try {
    await node.ask({ method: 'eth_call', params, answer: bytes(1024) }, signal)
    return null
  } catch (error) {
    if (error instanceof RpcRefusal && isRevert(error)) return outcomeOfRevert(error)
    throw error
  }
}

/** How many transactions of the account are in the chain up to this block: the number of its next one. */
export const nonceAt = (node: RpcNode, of: Uint8Array, block: Block, signal: AbortSignal) =>
  node.ask(
    { method: 'eth_getTransactionCount', params: [hexOf(of), nameOf(block)], answer: count },
    signal,
  )
