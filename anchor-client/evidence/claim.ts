import { compareBytes } from './bytes.ts'
import { encodeAnchor } from './file.ts'
import { countOf, type Finding, failOnFirst } from './finding.ts'
import type { EvidenceFile, FileStream, Range, Seal, SealSegment } from './model.ts'

/** Line 2: what the file claims is stated in one way, and nothing in it is without use. */
export const claimLine = (file: EvidenceFile): Finding =>
  failOnFirst(
    faults(file),
    () => `${countOf(file.ranges.length, 'range')} under ${countOf(file.seals.length, 'seal')}`,
  )

function* faults(file: EvidenceFile): Iterable<string> {
  yield* streamFaults(file)
  yield* rangeFaults(file)
  yield* sealFaults(file)
  yield* coverFaults(file)
}

function* streamFaults({ streams, ranges }: EvidenceFile): Iterable<string> {
  for (const [before, after] of neighbours(streams)) {
    if (before.descriptor.number >= after.descriptor.number)
      yield 'streams are not in ascending order'
  }
  const used = new Set(ranges.map(({ stream }) => stream))
  for (const [i, { descriptor }] of streams.entries()) {
    if (!used.has(i)) yield `stream ${descriptor.source} has no range`
  }
}

function* rangeFaults({ ranges }: EvidenceFile): Iterable<string> {
  for (const [before, after] of neighbours(ranges)) {
    const sameStream = before.stream === after.stream
    if (before.stream > after.stream || (sameStream && before.to >= after.from)) {
      yield 'ranges are not ascending and apart'
    }
  }
}

function* sealFaults({ seals }: EvidenceFile): Iterable<string> {
  for (const [before, after] of neighbours(seals)) {
    if (before.header.seq >= after.header.seq) yield 'seals are not in ascending order'
  }
  for (const { header, segments, beaconProof, checkpoints } of seals) {
    const seal = `seal ${header.seq}`
    for (const [before, after] of neighbours(segments)) {
      if (before.stream >= after.stream) yield `${seal} names its streams out of order`
    }
    for (const [before, after] of neighbours(checkpoints)) {
      if (before.size >= after.size) yield `${seal} has checkpoints out of order`
    }
    for (const { anchors } of checkpoints) {
      if (checkpoints.length > 1 && anchors.length === 0) {
        yield `${seal} has a checkpoint without use: it is not anchored`
      }
      for (const [before, after] of neighbours(anchors.map(encodeAnchor))) {
        if (compareBytes(before, after) >= 0) yield `${seal} has anchors doubled or out of order`
      }
    }
    if (beaconProof !== null && header.beacon === null) {
      yield `${seal} proves a beacon that its header does not name`
    }
  }
}

function* coverFaults(file: EvidenceFile): Iterable<string> {
  const grown = new Map<number, number>()
  for (const { header, segments } of file.seals) {
    for (const { stream, size } of segments) {
      if (size <= (grown.get(stream) ?? 0)) yield `a stream did not grow until seal ${header.seq}`
      grown.set(stream, size)
    }
  }
  let placed = 0
  for (const { stream, range, segments } of sealedRanges(file)) {
    placed += segments.length
    const covering = segments.filter(({ segment }) => segment.size >= range.to)
    if (covering.length !== 1) {
      const name = `range ${range.from} to ${range.to - 1} of ${stream.descriptor.source}`
      yield covering.length === 0 ? `${name} is under no seal` : `${name} has a seal without use`
    }
  }
  const all = file.seals.reduce((sum, { segments }) => sum + segments.length, 0)
  if (placed < all) yield 'a seal names a stream before any of its leaves in the file'
}

/** A range with its segments in the seals that it is under: ascending by size, the last one covering it. */
export interface SealedRange {
  readonly range: Range
  readonly stream: FileStream
  readonly segments: readonly { readonly seal: Seal; readonly segment: SealSegment }[]
}

export function sealedRanges({ streams, ranges, seals }: EvidenceFile): SealedRange[] {
  const segmentsByStream = new Map<number, SealedRange['segments'][number][]>()
  for (const seal of seals) {
    for (const segment of seal.segments) {
      const list = segmentsByStream.get(segment.stream) ?? []
      segmentsByStream.set(segment.stream, list)
      list.push({ seal, segment })
    }
  }
  return ranges.map((range, i) => {
    const next = ranges[i + 1]
    const end = next?.stream === range.stream ? next.from : Number.POSITIVE_INFINITY
    const segments = (segmentsByStream.get(range.stream) ?? []).filter(
      ({ segment }) => segment.size > range.from && segment.size <= end,
    )
    return { range, stream: streams[range.stream] as FileStream, segments }
  })
}

/** The first carried seal that covers each leaf, as the leaves of the range are walked in order. */
export function sealsInTurn({ segments }: SealedRange): (index: number) => Seal {
  let at = 0
  return (index) => {
    while ((segments[at]?.segment.size ?? Number.POSITIVE_INFINITY) <= index) at += 1
    return segments[at]?.seal as Seal
  }
}

function* neighbours<T>(list: readonly T[]): Iterable<readonly [T, T]> {
  for (let i = 1; i < list.length; i++) yield [list[i - 1] as T, list[i] as T]
}
