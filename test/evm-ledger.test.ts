import test from 'ava'
import { anvilIsMissing, evmUnderTest, startChain } from './helpers/evm-ledger.ts'
import { ledgerSuite } from './ledger-suite.ts'

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  const chain = await startChain()
  test.after.always(() => chain[Symbol.asyncDispose]())
  ledgerSuite('evm on anvil', () => evmUnderTest(chain), { hashIds: [2] })
}
