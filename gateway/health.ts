/** What is not as it should be, by matter: the list behind `degraded` in `kedge status`. */
export interface Health {
  /** Told again with another reason, the newer one stands. */
  degraded(matter: string, why: string): void
  well(matter: string): void
  readonly reasons: readonly Reason[]
}

interface Reason {
  readonly matter: string
  readonly why: string
  readonly since: string
}

export function openHealth(onChange: (reason: Reason, isOver: boolean) => void): Health {
  const reasons = new Map<string, Reason>()
  return {
    degraded(matter, why) {
      const before = reasons.get(matter)
      if (before?.why === why) return
      const reason = { matter, why, since: before?.since ?? new Date().toISOString() }
      reasons.set(matter, reason)
      onChange(reason, false)
    },
    well(matter) {
      const reason = reasons.get(matter)
      if (reason === undefined) return
      reasons.delete(matter)
      onChange(reason, true)
    },
    get reasons() {
      return Array.from(reasons.values())
    },
  }
}
