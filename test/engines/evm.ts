/** The `evm` ledger on anvil, everywhere, and on geth with its Clique signers, where Go can build it. */
import type { Suites } from './engine.ts'
import { anvilProgram } from './evm/anvil.ts'
import { buildGeth } from './evm/geth-program.ts'

const suites = (name: string) =>
  ['', '-ledger', '-outages'].map((of) => `evm/${name}${of}.suite.ts`)

export const evm: Suites = {
  on: [
    {
      name: 'anvil',
      missing: async () =>
        anvilProgram() === null ? '@foundry-rs/anvil has no program for this machine' : null,
      files: suites('anvil'),
    },
    { name: 'geth', missing: buildGeth, files: suites('geth') },
  ],
}
