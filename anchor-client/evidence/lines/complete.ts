import { bytesToHex, equalBytes } from '../bytes.ts'
import { wallOf } from '../fields.ts'
import type { Damage, EvidenceFile, Questions } from '../model.ts'
import { isReading } from '../records.ts'
import type { JudgedSeal } from './anchors.ts'
import { leavesOf, type SealedStream, sealsInTurn } from './claim.ts'
import { fixedTimesOf, lagMs } from './dated.ts'
import { controlRecords } from './erased.ts'
import { countOf, type Finding, fail, notChecked, pass, quoted } from './finding.ts'
import { type Notes, watchPromise } from './promises.ts'
import { coverageOf } from './questions.ts'
import { shipmentFaults } from './shipments.ts'

/** Line 16: nothing is missing that is not declared, and the file is as wide as it was asked to be. */
export interface Completeness extends Finding {
  readonly gaps: number
}

export interface Judged {
  readonly file: EvidenceFile
  readonly streams: readonly SealedStream[]
  readonly seals: readonly JudgedSeal[]
  /** Tags in hex. */
  readonly erased: ReadonlySet<string>
  readonly isFixedBefore: boolean
}

export function completeLine(judged: Judged, questions: Questions): Completeness {
  const { file, erased } = judged
  const found = collect()
  const damages = controlRecords(file, 'damage')
  for (const stream of judged.streams) seePromises(judged, stream, damages, found)
  for (const { isDoubt, why } of shipmentFaults(file, erased)) {
    const pile = isDoubt ? found.doubts : found.breaks
    pile.add(() => why)
  }
  for (const asked of questions.expect) {
    const coverage = coverageOf(file, asked)
    const about = () => `${asked.stream} as asked for`
    if (coverage === 'break') found.breaks.add(() => `the file does not cover ${about()}`)
    if (coverage === 'doubt')
      found.doubts.add(() => `nothing shows that the file covers ${about()}`)
    if (coverage === 'met with a gap') found.gaps.add(() => `${about()} opens or closes within`)
  }
  if (questions.maxLagMs !== null) seeLag(judged, questions.maxLagMs, found)
  return { ...findingOf(judged, found), gaps: found.gaps.count }
}

function findingOf({ file }: Judged, { breaks, doubts, hidden, gaps }: Found): Finding {
  if (breaks.count > 0) return fail(breaks.text())
  if (hidden.count > 0 || doubts.count > 0) {
    const some = hidden.count > 0 ? [`${countOf(hidden.count, 'reading')} hidden`] : []
    return notChecked([...some, ...(doubts.count > 0 ? [doubts.text()] : [])].join('; '))
  }
  const free = file.streams.filter(({ descriptor }) => descriptor.promise === null)
  const names = free.slice(0, 3).map(({ descriptor }) => quoted(descriptor.source))
  const nothing = free.length > 0 ? `; nothing promised by ${names.join(', ')}` : ''
  const more = free.length > names.length ? ` and ${free.length - names.length} more` : ''
  const declared =
    gaps.count > 0 ? `${countOf(gaps.count, 'declared gap')}: ${gaps.text()}` : 'no gap'
  return pass(`every index is there, ${declared}${nothing}${more}`)
}

function seePromises(
  { erased }: Judged,
  { stream, ranges, segments }: SealedStream,
  damages: readonly Damage[],
  found: Found,
): void {
  const { tag, descriptor } = stream
  const prefix = `${descriptor.source}: `
  const isErased = erased.has(bytesToHex(tag))
  const notes: Notes = {
    broken: (why) => isErased || found.breaks.add(() => prefix + why()),
    hidden: () => isErased || found.hidden.add(() => ''),
    gap: (why) => found.gaps.add(() => prefix + why()),
  }
  // A damage record counts only if it names a sealed state that the file carries.
  const isDeclared = spansOf(
    damages.filter(
      (damage) =>
        equalBytes(damage.tag, tag) &&
        segments.some(
          ({ segment: { size, root } }) => size === damage.size && equalBytes(root, damage.root),
        ),
    ),
  )
  for (const range of ranges) {
    const watch = watchPromise(descriptor.promise, notes)
    for (const [index, leaf] of range.leaves) {
      watch.see(index, leaf)
      if (leaf.form === 'run' && !isDeclared(index, index + leaf.count)) {
        found.breaks.add(() => `${prefix}leaves from ${index} are gone, and no damage is declared`)
      }
    }
  }
}

/** Whether a run lies in the union of the damages; runs are asked about in ascending order. */
function spansOf(damages: readonly Damage[]): (from: number, to: number) => boolean {
  const spans: { from: number; to: number }[] = []
  for (const { from, to } of [...damages].sort((a, b) => a.from - b.from)) {
    const last = spans.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else spans.push({ from, to })
  }
  let at = 0
  return (from, to) => {
    while ((spans[at]?.to ?? Number.POSITIVE_INFINITY) < to) at += 1
    return (spans[at]?.from ?? Number.POSITIVE_INFINITY) <= from
  }
}

function seeLag(
  { streams, seals, erased, isFixedBefore }: Judged,
  most: number,
  found: Found,
): void {
  if (!isFixedBefore) {
    found.doubts.add(() => 'nothing shows when it was fixed (line fixed-before)')
    return
  }
  const fixedTimes = fixedTimesOf(seals)
  for (const sealed of streams) {
    if (erased.has(bytesToHex(sealed.stream.tag))) continue
    const { source } = sealed.stream.descriptor
    const sealOf = sealsInTurn(sealed)
    for (const [index, leaf] of leavesOf(sealed)) {
      const fixed = fixedTimes.get(sealOf(index))
      const wall = wallOf(leaf)
      if (fixed && wall) {
        if (lagMs(wall, fixed.timeMs) > most) {
          found.breaks.add(() => `${source}: leaf ${index} was fixed later than asked`)
        }
      } else if (leaf.form === 'hidden' || (leaf.form === 'opened' && isReading(leaf.record))) {
        found.doubts.add(() => `${source}: nothing shows how late leaf ${index} was fixed`)
      }
    }
  }
}

/** Counts, and keeps the first few in words: a hostile file may hold a million. */
interface Pile {
  readonly count: number
  add(why: () => string): void
  text(): string
}

interface Found {
  readonly breaks: Pile
  readonly doubts: Pile
  readonly hidden: Pile
  readonly gaps: Pile
}

const collect = (): Found => ({ breaks: pile(), doubts: pile(), hidden: pile(), gaps: pile() })

function pile(): Pile {
  const first: string[] = []
  let count = 0
  return {
    get count() {
      return count
    },
    add(why) {
      count += 1
      if (first.length < 3) first.push(why())
    },
    text: () =>
      first.join('; ') + (count > first.length ? `; and ${count - first.length} more` : ''),
  }
}
