import { wallOf } from '../fields.ts'
import type { Seal } from '../model.ts'
import { formatTime } from '../rfc3339.ts'
import { type KnownWall, knownWall } from '../values.ts'
import type { JudgedSeal } from './anchors.ts'
import { leavesOf, type SealedStream, sealsInTurn } from './claim.ts'
import { type Finding, fail, notChecked, pass } from './finding.ts'
import { isIndependent } from './signed.ts'

/** Line 13: everything was fixed before the anchoring block, and states no time after it. */
export function fixedBeforeLine(
  seals: readonly JudgedSeal[],
  streams: readonly SealedStream[],
): Finding {
  const fixedTimes = fixedTimesOf(seals)
  const undated = seals.find(({ fixed }) => fixed === null)
  for (const { seal } of seals) {
    const fixed = fixedTimes.get(seal)
    const wall = knownWall(seal.header)
    if (fixed && wall && isLater(wall, fixed)) {
      return fail(`header ${seal.header.seq} states ${formatTime(wall.wallMs)}, after its anchor`)
    }
  }
  let worstLagMs = 0
  let worstBoundMs = 0
  let dated = 0
  let undatedLeaves = 0
  for (const sealed of streams) {
    const sealOf = sealsInTurn(sealed)
    for (const [index, leaf] of leavesOf(sealed)) {
      const fixed = fixedTimes.get(sealOf(index))
      const wall = fixed && wallOf(leaf)
      if (!fixed) continue
      if (!wall) {
        undatedLeaves += 1
        continue
      }
      dated += 1
      if (isLater(wall, fixed)) {
        const { source } = sealed.stream.descriptor
        return fail(`${source}, leaf ${index} states ${formatTime(wall.wallMs)}, after its anchor`)
      }
      worstLagMs = Math.max(worstLagMs, lagMs(wall, fixed.timeMs))
      worstBoundMs = Math.max(worstBoundMs, wall.boundMs)
    }
  }
  if (undated) {
    return notChecked(
      isIndependent(undated)
        ? 'the independent ledger states no time'
        : 'no independent anchor dates it',
    )
  }
  const last = Math.max(...seals.map(({ fixed }) => fixed?.timeMs ?? 0))
  const before = `fixed before ${formatTime(last)}`
  if (dated === 0)
    return pass(`${before}; how late cannot be said, as no leaf has a time with a bound`)
  const lag = `at most ${duration(worstLagMs)} after its time`
  const others = undatedLeaves === 0 ? '' : `, but for ${undatedLeaves} without such a time`
  return pass(`${before}, ${lag}, times good to ${duration(worstBoundMs)}${others}`)
}

export const fixedTimesOf = (
  seals: readonly JudgedSeal[],
): ReadonlyMap<Seal, NonNullable<JudgedSeal['fixed']>> =>
  new Map(seals.flatMap(({ seal, fixed }) => (fixed ? [[seal, fixed] as const] : [])))

/** How long after its own time a leaf was fixed, at the most. */
export const lagMs = ({ wallMs, boundMs }: KnownWall, fixedMs: number): number =>
  fixedMs - (wallMs - boundMs)

const isLater = ({ wallMs, boundMs }: KnownWall, fixed: NonNullable<JudgedSeal['fixed']>) =>
  wallMs > fixed.timeMs + boundMs + fixed.toleranceMs

function duration(ms: number): string {
  if (ms < 120_000) return `${Math.ceil(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.ceil(ms / 60_000)} min`
  return `${Math.ceil(ms / 3_600_000).toLocaleString('en')} h`
}
