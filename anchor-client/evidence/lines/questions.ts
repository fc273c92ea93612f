import { bytesToHex } from '../bytes.ts'
import { timeOf } from '../fields.ts'
import type {
  Descriptor,
  EvidenceFile,
  Expectation,
  FileStream,
  Kinds,
  Range,
  Time,
} from '../model.ts'
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
  const ends = endsFor(file, asked)
  return candidates.map((range) => coveredInTime(file, range, ends)).reduce(better, 'break')
}

function coveredInTime(file: EvidenceFile, range: Range, ends: Ends): Coverage {
  const { streams } = file
  const left = ends.left(range)
  const right = ends.right(range)
  const promised = left.promised && right.promised && descriptorOf(streams, range).promise !== null
  const coverage = worse(left.coverage, right.coverage)
  return coverage !== 'break' && !promised ? 'doubt' : coverage
}

interface End {
  readonly coverage: Coverage
  /** Whether every stream that the answer rests on promises something. */
  readonly promised: boolean
}

interface Ends {
  left(range: Range): End
  right(range: Range): End
}

const descriptorOf = (streams: readonly FileStream[], { stream }: Range): Descriptor =>
  (streams[stream] as FileStream).descriptor

/** How each range's ends answer a question; each end is looked at once, however long the chain of streams. */
function endsFor({ streams, ranges }: EvidenceFile, asked: Expectation): Ends {
  const positions = new Map(streams.map(({ tag }, i) => [bytesToHex(tag), i]))
  const rangesOf = new Map<number, Range[]>()
  const successors = new Map<string, Range[]>()
  for (const range of ranges) {
    push(rangesOf, range.stream, range)
    const { predecessor } = descriptorOf(streams, range)
    if (predecessor !== null && range.from === 0) push(successors, bytesToHex(predecessor), range)
  }
  const answer = (coverage: Coverage, range: Range): End => ({
    coverage,
    promised: descriptorOf(streams, range).promise !== null,
  })

  const left: Ends['left'] = remembered((range) => {
    const descriptor = descriptorOf(streams, range)
    const first = endTime(range, range.from)
    if (first === null) return answer('doubt', range)
    if (first.wall.wallMs + first.wall.boundMs <= asked.from) return answer('met', range)
    if (range.from !== 0 || first.wall.wallMs - first.wall.boundMs > asked.to) {
      return answer('break', range)
    }
    if (descriptor.predecessor === null) return answer('met with a gap', range)
    const position = positions.get(bytesToHex(descriptor.predecessor))
    // Whoever leaves out the stream before must not gain by it.
    if (position === undefined) return answer('doubt', range)
    const before = rangesOf.get(position)?.find((other) => joins(other, range))
    if (before === undefined) return answer('met with a gap', range)
    const further = left(before)
    return { ...further, promised: further.promised && descriptor.promise !== null }
  })

  const right: Ends['right'] = remembered((range) => {
    const { tag, descriptor } = streams[range.stream] as FileStream
    const last = endTime(range, range.to - 1)
    if (last === null) return answer('doubt', range)
    if (last.wall.wallMs - last.wall.boundMs >= asked.to) return answer('met', range)
    const isClosed = closeTime(range) !== null
    if (!isClosed || last.wall.wallMs + last.wall.boundMs < asked.from) {
      return answer('break', range)
    }
    const after = successors.get(bytesToHex(tag))?.find((other) => joins(range, other))
    if (after === undefined) return answer('met with a gap', range)
    const further = right(after)
    return { ...further, promised: further.promised && descriptor.promise !== null }
  })

  /** Only the same source with the same kinds of reading goes on from a stream. */
  function joins(earlier: Range, later: Range): boolean {
    const [before, after] = [descriptorOf(streams, earlier), descriptorOf(streams, later)]
    const close = closeTime(earlier)
    const first = timeOf(later.leaves.at(0))
    const isSame = before.source === after.source && sameKinds(before.kinds, after.kinds)
    return (
      isSame && close !== null && first !== null && withinOnePromise(after.promise, close, first)
    )
  }

  return { left, right }
}

const sameKinds = (a: Kinds, b: Kinds): boolean =>
  a?.join() === b?.join() && (a === null) === (b === null)

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

function remembered<K, V>(find: (key: K) => V): (key: K) => V {
  const found = new Map<K, V>()
  return (key) => {
    const value = found.get(key) ?? find(key)
    found.set(key, value)
    return value
  }
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
