/** What the ledgers of a configuration say of this gateway, asked of them directly: none of it is secret. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { ledgerNamed } from '../../anchor-client/ledgers/index.ts'
import type { FoundHead } from '../../anchor-client/ledgers/ledger.ts'
import { asked, type Fault } from '../anchoring/asked.ts'
import { type LedgerEntry, ledgerNames, noAccount, openLedgers } from '../anchoring/ledger-host.ts'
import type { Marker } from '../data-folder.ts'

interface EnrolmentRow {
  readonly ledger: string
  readonly gateway: string
  readonly incarnation: number
  /** `own`: this gateway's own ledger, where it registers itself. */
  readonly state: 'own' | 'unregistered' | 'open' | 'closed' | 'frozen' | 'unknown'
  /** The key that is registered there. */
  readonly keyId: string | null
  readonly size: number | null
  readonly why: string | null
}

export async function* enrolledAt(
  entries: readonly LedgerEntry[],
  { gateway, incarnation }: Pick<Marker, 'gateway' | 'incarnation'>,
  signal: AbortSignal,
): AsyncGenerator<EnrolmentRow, void> {
  const of = { gateway: bytesToHex(gateway), incarnation }
  for (const ledger of ledgerNames(entries.filter(isOwn))) {
    yield { ledger, ...of, state: 'own', keyId: null, size: null, why: null }
  }
  const others = entries.filter((entry) => !isOwn(entry))
  await using host = await openLedgers(others, ledgerNamed, noAccounts)
  for (const { name, error } of host.closed) yield rowOf(name, of, unknown(error.message))
  for (const { name, session } of host.opened) {
    const head = await asked(signal, (until) => session.head(gateway, incarnation, until))
    yield rowOf(name, of, head)
  }
}

/** Its files are this gateway's own, and held by it while it runs. */
const isOwn = ({ ledger }: LedgerEntry): boolean => ledger === 'embedded'

/** Asking needs none. */
const noAccounts = {
  nowMs: () => Date.now(),
  keyFor: async () => noAccount,
  isFirstUse: () => false,
}

const unknown = (why: string): FoundHead => ({ state: 'unknown', why })

function rowOf(
  ledger: string,
  of: { gateway: string; incarnation: number },
  head: FoundHead | Fault,
): EnrolmentRow {
  const row = { ledger, ...of, keyId: null, size: null, why: null }
  switch (head.state) {
    case 'registered': {
      const { stands, size, keyId } = head
      return { ...row, state: stands, keyId: bytesToHex(keyId), size }
    }
    case 'absent':
      return { ...row, state: 'unregistered' }
    case 'unknown':
    case 'fault':
      return { ...row, state: 'unknown', why: head.why }
  }
}
