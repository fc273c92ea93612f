import type { Details } from '../../anchor-client/evidence/model.ts'

/** A reading of no real device says so in its own record, which is signed with it. */
export const markedSimulated = (details: Details | undefined): Details => {
  const others = (details ?? []).filter(([name]) => name !== 'simulated')
  return [...others, ['simulated', true] as const].sort(([a], [b]) => (a < b ? -1 : 1))
}
