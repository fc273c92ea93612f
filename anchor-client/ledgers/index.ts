import { embedded } from './embedded.ts'
import { evm } from './evm.ts'
import type { Ledger } from './ledger.ts'
import { witness } from './witness.ts'

/** One line a ledger; the name is what `ledger:` says in the configuration. */
export const ledgers = { embedded, witness, evm }

/** For whoever has an entry of a configuration, already checked: each ledger takes the options that are its own. */
export const ledgerNamed = ledgers as unknown as Readonly<Record<string, Ledger>>
