/** What is amiss with each ledger, as `kedge status` shows it: several things may be, and each ends by itself. */
import type { Health } from '../health.ts'
import type { AnchorEvent, Matter } from './outbox.ts'

type AnchorTrouble = Extract<AnchorEvent, { event: 'anchor-trouble' }>

/** Worst first. */
const matters: readonly Matter[] = ['ledger', 'store', 'notice']

export function openTroubles(health: Pick<Health, 'degraded' | 'well'>) {
  const standing = new Map<string, string>()
  return ({ ledger, matter, state, why }: AnchorTrouble): void => {
    if (state === 'over') standing.delete(`${ledger} ${matter}`)
    else standing.set(`${ledger} ${matter}`, why)
    const whys = matters.flatMap((one) => standing.get(`${ledger} ${one}`) ?? [])
    if (whys.length === 0) health.well(`anchor ${ledger}`)
    else health.degraded(`anchor ${ledger}`, whys.join('; '))
  }
}
