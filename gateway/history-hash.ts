/** The hash of a gateway's history: one for the whole life of an incarnation, as its ledgers compute it. */
import type { HashId } from '../anchor-client/evidence/model.ts'
import { ledgerNamed } from '../anchor-client/ledgers/index.ts'
import { type LedgerEntry, ledgerNames } from './anchoring/ledger-host.ts'

export const hashNames = { 1: 'SM3', 2: 'SHA-256' } as const

/** The ledgers of a configuration that do not compute this hash, by name. */
export const ledgersWithout = (
  entries: readonly LedgerEntry[],
  hashId: HashId,
): readonly string[] => {
  const names = ledgerNames(entries)
  return names.filter((_, i) => !ledgerNamed[entries[i]?.ledger ?? '']?.hashIds.includes(hashId))
}

/** SM3 where every ledger computes it, else SHA-256, which they all do. */
export const hashFor = (entries: readonly LedgerEntry[]): HashId =>
  ledgersWithout(entries, 1).length === 0 ? 1 : 2
