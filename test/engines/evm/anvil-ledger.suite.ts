import test from 'ava'
import { evmUnderTest, startChain } from '../../helpers/evm-ledger.ts'
import { ledgerSuite } from '../../ledger-suite.ts'

// A block comes when it comes, and is final under another; `npm test` has one that seals at once.
const chain = await startChain({ blockSeconds: 1 })
test.after.always(() => chain[Symbol.asyncDispose]())

ledgerSuite('anvil', () => evmUnderTest(chain, { confirmations: 1 }), { hashIds: [2] })
