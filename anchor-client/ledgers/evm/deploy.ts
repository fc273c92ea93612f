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
import { broadcast } from './sending.ts'
import { addressOf, type SignedTransaction, signTransaction } from './transactions.ts'

/** Puts the anchor contract on a chain. Nothing is kept of it here: once its address is known it is one contract among others. */
export interface Deployment {
  readonly options: EvmOptions
  readonly account: Pick<LedgerHost, 'publicKey' | 'sign'>
  /** For ever: the contract has no way to change it. */
  readonly registrar: Uint8Array
  readonly onSent: (transaction: string, contract: string) => void
  /** What is waited for, in words: each time that it is something else. */
  readonly onWaiting?: (why: string) => void
  pause(): Promise<void>
}

/** More than it takes: what is left over is not paid. */
const gasLimit = 5_000_000

/** How often bytes are offered that no node takes, in words that nobody has listed. */
const mostOffers = 30

interface Deployed {
  readonly contract: Uint8Array
  readonly block: number
}

export async function deployContract(
  deployment: Deployment,
  signal: AbortSignal,
): Promise<Deployed> {
  const nodes = await openNodes(deployment.options)
  try {
    const signed = await firstOf(nodes, signal, (node) => signedBy(node, deployment, signal))
    return await untilThere(nodes, deployment, signed, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!isOutage(error)) throw error
    throw new KedgeError('LEDGER_UNREACHABLE', error.message, {
      hint: 'Nothing was sent. Check urls of this ledger in the configuration, and try again.',
      cause: error,
    })
  } finally {
    for (const node of nodes) node[Symbol.dispose]()
  }
}

/** From the first node that answers, or what the last one has failed with. */
async function firstOf<T>(
  nodes: readonly RpcNode[],
  signal: AbortSignal,
  question: (node: RpcNode) => Promise<T>,
): Promise<T> {
  let failure: unknown
  for (const node of nodes) {
    try {
      return await question(node)
    } catch (error) {
      signal.throwIfAborted()
      if (!isOutage(error)) throw error
      failure = error
    }
  }
  throw failure
}

interface Signed {
  readonly transaction: SignedTransaction
  readonly contract: Uint8Array
}

async function signedBy(
  node: RpcNode,
  { options, account, registrar }: Deployment,
  signal: AbortSignal,
): Promise<Signed> {
  const ask = <T>(method: string, params: readonly unknown[], answer: z.ZodType<T>) =>
    node.ask({ method, params, answer }, signal)
  const chainId = await ask('eth_chainId', [], count)
  if (chainId !== options.chainId) {
    throw mismatch(`${node.name} is of chain ${chainId}, not ${options.chainId}`, checkChain)
  }
  const block0 = await ask('eth_getBlockByNumber', ['0x0', false], z.object({ hash }))
  const genesis = genesisIn(options)
  if (genesis && !equalBytes(genesis, block0.hash)) {
    throw mismatch(`${node.name} has another block 0 than genesis says`, checkChain)
  }
  const named = contractIn(options)
  if (isOurs(await ask('eth_getCode', [hexOf(named), 'latest'], bytes(mostCode)))) {
    throw mismatch(
      `the contract is there already: ${hexOf(named)}`,
      'One is enough for a chain. For another one write zeros for contract in the configuration.',
    )
  }
  const from = addressOf(account.publicKey)
  const nonce = await ask('eth_getTransactionCount', [hexOf(from), 'latest'], count)
  const call = concat(hexToBytes(readArtefact().bytecode), new Uint8Array(12), registrar)
  const of = { chainId, nonce, fee: feeOf(options), gasLimit, to: new Uint8Array(), call }
  const transaction = await signTransaction(of, (digest) => account.sign(digest))
  const contract = keccak_256(encodeRlp([from, rlpUint(nonce)])).subarray(12)
  return { transaction, contract }
}

/** The same bytes until they are there: some chains pass on nothing that pays nothing, so each node gets them. */
async function untilThere(
  nodes: readonly RpcNode[],
  { onSent, onWaiting, pause }: Deployment,
  { transaction, contract }: Signed,
  signal: AbortSignal,
): Promise<Deployed> {
  let isTaken = false
  let told = ''
  const tell = (why: string) => {
    if (why !== told) onWaiting?.(why)
    told = why
  }
  for (let offers = 1; ; offers++) {
    signal.throwIfAborted()
    const said = await broadcast(nodes, transaction, signal)
    if (said.reply === 'taken') {
      if (!isTaken) onSent(hexOf(transaction.hash), hexOf(contract))
      isTaken = true
      tell('a block with it')
    } else {
      if (!isTaken && (said.reply === 'refused' || offers === mostOffers)) {
        throw notTaken(said.why)
      }
      tell(said.why)
    }
    const block = await firstOf(nodes, signal, (node) =>
      blockWith(node, transaction, contract, signal),
    ).catch((error: unknown) => {
      signal.throwIfAborted()
      if (!isOutage(error)) throw error
      tell(error.message)
      return null
    })
    if (block !== null) return { contract, block }
    await pause()
  }
}

/** The number of a block that has the contract, or null where there is none so far. */
async function blockWith(
  node: RpcNode,
  { from, nonce }: SignedTransaction,
  contract: Uint8Array,
  signal: AbortSignal,
): Promise<number | null> {
  const ask = <T>(method: string, params: readonly unknown[], answer: z.ZodType<T>) =>
    node.ask({ method, params, answer }, signal)
  // The number first: what came into a block between the two questions is in the code then.
  const next = await ask('eth_getTransactionCount', [hexOf(from), 'latest'], count)
  const code = await ask('eth_getCode', [hexOf(contract), 'latest'], bytes(mostCode))
  if (isOurs(code)) return ask('eth_blockNumber', [], count)
  if (next > nonce && code.length === 0) {
    throw new KedgeError('LEDGER_UNREACHABLE', 'the account sent something else meanwhile', {
      hint: 'Let no two processes use one account, and try again.',
    })
  }
  return null
}

const mostCode = 65_536

const isOurs = (code: Uint8Array): boolean => equalBytes(keccak_256(code), codeHash)

const checkChain = 'Check chainId, genesis and urls of this ledger in the configuration.'

const notTaken = (why: string): KedgeError =>
  new KedgeError('LEDGER_UNREACHABLE', `the chain does not take it: ${why}`, {
    hint: 'Fund the account (kedge enrol account), pay more (fee, gasPrice or maxFeePerGas in the configuration), or ask whoever runs the chain whether this account may send.',
  })
