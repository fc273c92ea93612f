/** The `evm` ledger on anvil, everywhere, and on geth with its Clique signers, where Go can build it. */
import type { Suites } from './engine.ts'
import { anvilProgram } from './evm/anvil.ts'
import { buildGeth } from './evm/geth-program.ts'

export const evm: Suites = {
  on: [
    {
      name: 'anvil',
      missing: async () =>
        anvilProgram() === null ? '@foundry-rs/anvil has no program for this machine' : null,
      files: ['evm/anvil.suite.ts'],
    },
    { name: 'geth', missing: buildGeth, files: ['evm/geth.suite.ts'] },
  ],
}
