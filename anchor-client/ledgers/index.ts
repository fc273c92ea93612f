import { embedded } from './embedded.ts'
import { evm } from './evm.ts'
import { witness } from './witness.ts'

/** One line a ledger; the name is what `ledger:` says in the configuration. */
export const ledgers = { embedded, witness, evm }
