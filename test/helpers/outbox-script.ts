import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import type { LedgerSession, Outcome, Prepared } from '../../anchor-client/ledgers/ledger.ts'
import { signal } from './ledger-under-test.ts'

/** The embedded ledger's rules behind a worse connection: each method as it is, but for what is told here. */
export const changed = (session: LedgerSession, told: Partial<LedgerSession>): LedgerSession => ({
  ...session,
  registrar: session.registrar,
  ...told,
})

export const unknown = { state: 'unknown', why: 'nobody answers' } as const

/**
 * A chain before the embedded ledger's rules, which outlives its connections: bytes lie in a pool, then in a
 * block, and only after some more asking they are final. A block may be lost again, once each, with all that was
 * known of the bytes.
 */
export function slowChain({ reorganises = false } = {}) {
  const pool = new Map<string, { readonly prepared: Prepared; asked: number }>()
  const lost = new Set<string>()
  const seen: string[] = []
  const say = (outcome: Outcome): Outcome => {
    seen.push(outcome.state === 'known' && outcome.place ? 'included' : outcome.state)
    return outcome
  }
  async function look(session: LedgerSession, { bytes }: Prepared): Promise<Outcome> {
    const id = bytesToHex(bytes)
    const entry = pool.get(id)
    if (entry === undefined) return say(unknown)
    entry.asked += 1
    const isLost = !reorganises || lost.has(id)
    const hash = new Uint8Array(32).fill(isLost ? 9 : 7)
    const place = { height: entry.asked, hash, timeMs: null, cost: null }
    if (entry.asked < 3) return say({ state: 'known', place: null })
    if (entry.asked < 5) return say({ state: 'known', place })
    if (isLost) return say(await session.send(entry.prepared, signal))
    lost.add(id)
    pool.delete(id)
    return say(unknown)
  }
  return {
    seen,
    over: (session: LedgerSession) =>
      changed(session, {
        async send(prepared) {
          const id = bytesToHex(prepared.bytes)
          if (!pool.has(id)) pool.set(id, { prepared, asked: 0 })
          return look(session, prepared)
        },
        status: (prepared) => look(session, prepared),
      }),
  }
}
