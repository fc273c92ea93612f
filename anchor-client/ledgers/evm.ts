import { KedgeError } from '../evidence/errors.ts'
import { openChain } from './evm/chain.ts'
import { openNonceBook } from './evm/nonce-book.ts'
import { openNodes } from './evm/open-nodes.ts'
import { contractIn, type EvmOptions, evmOptions } from './evm/options.ts'
import { openEvmSession } from './evm/session.ts'
import type { Account } from './evm/standing.ts'
import { addressOf } from './evm/transactions.ts'
import { defineLedger, type LedgerHost } from './ledger.ts'

/** The anchor contract on an EVM chain. Truth is the contract's state and the head's height, never a lone receipt. */
export const evm = defineLedger({
  summary: 'The anchor contract on a chain with an EVM: Besu, geth and others, over JSON-RPC',
  options: evmOptions,
  account: 'secp256k1',
  // On most chains SM3 would cost 118,000 gas a node.
  hashIds: [2],
  async connect(options, host) {
    const nodes = await openNodes(options)
    const contract = contractIn(options)
    const account = await accountOf(options, contract, host)
    const { genesis = null, final = null } = account?.book ?? {}
    const chain = openChain(nodes, options, contract, { genesis, final })
    const session = openEvmSession({ chain, options, contract, account, nowMs: host.nowMs })
    try {
      // Whose the contract is shows now, if anybody answers; what is not meant at all shows as well.
      const soon = AbortSignal.timeout(Math.min(options.timeoutMs, introductionMs))
      await session.describe(soon)
    } catch (error) {
      if (isLasting(error)) {
        await session[Symbol.asyncDispose]()
        throw error
      }
    }
    return session
  },
})

/** A gateway starts without its chain, too: so long it waits to hear who is there. */
const introductionMs = 5000

const isLasting = (error: unknown): boolean =>
  error instanceof KedgeError && error.code === 'LEDGER_MISMATCH'

async function accountOf(
  { path, chainId }: EvmOptions,
  contract: Uint8Array,
  { publicKey, sign }: LedgerHost,
): Promise<Account | null> {
  // Whoever only looks needs none.
  if (publicKey.length !== 65) return null
  const address = addressOf(publicKey)
  const book = await openNonceBook({ folder: path, chainId, contract, account: address })
  return { address, book, sign }
}
