import { bytesToHex, equalBytes } from '../bytes.ts'
import { timeOf } from '../fields.ts'
import type { Descriptor, EvidenceFile, Expectation, FileStream, Range, Time } from '../model.ts'
import { type KnownWall, knownWall } from '../values.ts'
import { withinOnePromise } from './elapsed.ts'

/** How well a file covers what was asked (FORMAT.md section 12, part 3). */
export type Coverage = 'met' | 'met with a gap' | 'doubt' | 'break'

const from: readonly Coverage[] = ['met', 'met with a gap', 'doubt', 'break']
const worse = (a: Coverage, b: Coverage): Coverage => (from.indexOf(a) > from.indexOf(b) ? a : b)
const better = (a: Coverage, b: Coverage): Coverage => (from.indexOf(a) < from.indexOf(b) ? a : b)

export function coverageOf(file: EvidenceFile, asked: Expectation): Coverage {
  // Anybody may call a stream by another's tag: a tag means a tag.
  const isTag = /^[0-9a-f]{64}$/.test(asked.stream)
  const candidates = file.ranges.filter(({ stream }) => {
    const { tag, descriptor } = file.streams[stream] as FileStream
    return asked.stream === (isTag ? bytesToHex(tag) : descriptor.source)
  })
  if (asked.by === 'index') {
    if (new Set(candidates.map(({ stream }) => stream)).size > 1) return 'doubt'
    return candidates.some((range) => range.from <= asked.from && asked.to < range.to)
      ? 'met'
      : 'break'
  }
  return candidates.map((range) => coveredInTime(file, range, asked)).reduce(better, 'break')
}

function coveredInTime(file: EvidenceFile, range: Range, asked: Expectation): Coverage {
  const left = leftEnd(file, range, asked)
  const right = rightEnd(file, range, asked)
  const ends = worse(left.coverage, right.coverage)
  const promised = [...left.streams, ...right.streams].every(({ promise }) => promise !== null)
  return ends !== 'break' && !promised ? 'doubt' : ends
}

interface End {
  readonly coverage: Coverage
  /** The streams that the answer rests on. */
  readonly streams: readonly Descriptor[]
}

function leftEnd(file: EvidenceFile, range: Range, asked: Expectation): End {
  const { descriptor } = file.streams[range.stream] as FileStream
  const end = (coverage: Coverage): End => ({ coverage, streams: [descriptor] })
  const first = endTime(range, range.from)
  if (first === null) return end('doubt')
  if (first.wall.wallMs + first.wall.boundMs <= asked.from) return end('met')
  if (range.from !== 0 || first.wall.wallMs - first.wall.boundMs > asked.to) return end('break')
  const before = file.ranges.find((other) => {
    const { tag } = file.streams[other.stream] as FileStream
    if (descriptor.predecessor === null || !equalBytes(tag, descriptor.predecessor)) return false
    const close = closeTime(other)
    return close !== null && withinOnePromise(descriptor.promise, close, first.time)
  })
  if (before === undefined)
    return end(lacksPredecessor(file, descriptor) ? 'doubt' : 'met with a gap')
  const further = leftEnd(file, before, asked)
  return { ...further, streams: [descriptor, ...further.streams] }
}

/** Whoever leaves out the stream before must not gain by it. */
const lacksPredecessor = ({ streams }: EvidenceFile, { predecessor }: Descriptor): boolean =>
  predecessor !== null && !streams.some(({ tag }) => equalBytes(tag, predecessor))

function rightEnd(file: EvidenceFile, range: Range, asked: Expectation): End {
  const { tag, descriptor } = file.streams[range.stream] as FileStream
  const end = (coverage: Coverage): End => ({ coverage, streams: [descriptor] })
  const last = endTime(range, range.to - 1)
  if (last === null) return end('doubt')
  if (last.wall.wallMs - last.wall.boundMs >= asked.to) return end('met')
  const close = closeTime(range)
  if (close === null || last.wall.wallMs + last.wall.boundMs < asked.from) return end('break')
  const after = file.ranges.find((other) => {
    const next = (file.streams[other.stream] as FileStream).descriptor
    if (other.from !== 0 || next.predecessor === null) return false
    const first = timeOf(other.leaves.at(0))
    const follows = equalBytes(next.predecessor, tag)
    return follows && first !== null && withinOnePromise(next.promise, close, first)
  })
  if (after === undefined) return end('met with a gap')
  const further = rightEnd(file, after, asked)
  return { ...further, streams: [descriptor, ...further.streams] }
}

function endTime({ leaves }: Range, index: number): { time: Time; wall: KnownWall } | null {
  const time = timeOf(leaves.at(index))
  const wall = time && knownWall(time)
  return time && wall ? { time, wall } : null
}

/** When the stream was closed, where this range ends with its close. */
function closeTime({ leaves, to }: Range): Time | null {
  const last = leaves.at(to - 1)
  const isClose = last.form === 'opened' && last.record.type === 'close'
  return isClose ? timeOf(last) : null
}
