import { compareBytes } from '../bytes.ts'
import { encodeAnchor } from '../file.ts'
import type { EvidenceFile, FileStream, Leaf, Range, Seal, SealSegment } from '../model.ts'
import { countOf, type Finding, failOnFirst } from './finding.ts'

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
    if (sameStream && before.right.length > 0) {
      yield 'a range has hashes to its right, and another range after it'
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
  for (const { stream, ranges, segments } of sealedStreams(file)) {
    const { source } = stream.descriptor
    for (const [before, after] of neighbours(segments)) {
      if (before.segment.size >= after.segment.size) {
        yield `${source} did not grow until seal ${after.seal.header.seq}`
      }
    }
    const end = ranges.at(-1)?.to ?? 0
    const covering = segments.filter(({ segment }) => segment.size >= end)
    if (covering.length === 0) yield `${source} is not under a seal up to ${end - 1}`
    if (covering.length > 1) yield `${source} has a seal without use`
    for (const { segment } of segments) {
      const isWithin = ranges.some(({ from, to }) => from < segment.size && segment.size <= to)
      if (segment.size < end && !isWithin) yield `${source} has a seal outside its ranges`
    }
  }
}

/** A stream with its ranges and its segments in the seals that carry it, the last of which covers all. */
export interface SealedStream {
  readonly stream: FileStream
  readonly ranges: readonly Range[]
  readonly segments: readonly { readonly seal: Seal; readonly segment: SealSegment }[]
}

export function sealedStreams({ streams, ranges, seals }: EvidenceFile): SealedStream[] {
  const sealed = streams.map((stream) => ({
    stream,
    ranges: [] as Range[],
    segments: [] as { seal: Seal; segment: SealSegment }[],
  }))
  for (const range of ranges) sealed[range.stream]?.ranges.push(range)
  for (const seal of seals) {
    for (const segment of seal.segments) sealed[segment.stream]?.segments.push({ seal, segment })
  }
  return sealed
}

/** All leaves of a stream that the file carries, in order. */
export function* leavesOf({ ranges }: SealedStream): Iterable<readonly [number, Leaf]> {
  for (const { leaves } of ranges) yield* leaves
}

/** The first carried seal that covers each leaf, as the leaves of the stream are walked in order. */
export function sealsInTurn({ segments }: SealedStream): (index: number) => Seal {
  let at = 0
  return (index) => {
    while ((segments[at]?.segment.size ?? Number.POSITIVE_INFINITY) <= index) at += 1
    return segments[at]?.seal as Seal
  }
}

function* neighbours<T>(list: readonly T[]): Iterable<readonly [T, T]> {
  for (let i = 1; i < list.length; i++) yield [list[i - 1] as T, list[i] as T]
}
