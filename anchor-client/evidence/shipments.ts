import { bytesToHex } from './bytes.ts'
import { withinOnePromise } from './elapsed.ts'
import { isKnownReading, timeOf } from './fields.ts'
import type { EvidenceFile, FileStream, Leaf, Members, Range, Time } from './model.ts'
import { isReading } from './records.ts'
import { limitMs } from './stream.ts'

/** Every way in which the file's shipments are narrower than they say (FORMAT.md section 12, part 2). */
export function* shipmentFaults(file: EvidenceFile, erased: ReadonlySet<string>): Iterable<string> {
  for (const range of file.ranges) {
    const { source } = (file.streams[range.stream] as FileStream).descriptor
    const story = storyOf(range)
    if (!story.isShipment) continue
    for (const fault of storyFaults(file, story, erased)) yield `${source}: ${fault}`
  }
}

interface Entered {
  readonly tag: Uint8Array
  readonly start: number
  readonly at: Time | null
}

interface Story {
  readonly isShipment: boolean
  readonly fromOpen: boolean
  readonly close: { readonly time: Time | null; readonly members: Members } | null
  readonly entered: readonly Entered[]
}

function storyOf({ from, to, leaves }: Range): Story {
  let isShipment = false
  let fromOpen = false
  let close: Story['close'] = null
  const entered: Entered[] = []
  for (const [index, leaf] of leaves) {
    if (leaf.form !== 'opened') continue
    const { record } = leaf
    if (record.type === 'open') {
      isShipment = true
      fromOpen = from === 0
      for (const [tag, start] of record.members) entered.push({ tag, start, at: record.time })
    } else if (record.type === 'join') {
      entered.push({ tag: record.tag, start: record.start, at: record.time })
    } else if (record.type === 'close' && record.members !== null) {
      isShipment = true
      if (index === to - 1) close = { time: record.time, members: record.members }
    }
  }
  return { isShipment, fromOpen, close, entered }
}

function* storyFaults(
  file: EvidenceFile,
  { fromOpen, close, entered }: Story,
  erased: ReadonlySet<string>,
): Iterable<string> {
  if (!fromOpen) yield "the shipment's opening is missing"
  if (close === null) {
    yield "the shipment's close is missing"
    return
  }
  const lastOf = new Map(close.members.map(([tag, last]) => [bytesToHex(tag), last]))
  const names = new Set(entered.map(({ tag }) => bytesToHex(tag)))
  if (names.size < entered.length) yield 'a member joined twice'
  if (names.size !== lastOf.size || [...names].some((name) => !lastOf.has(name))) {
    yield 'the close names other members than joined'
    return
  }
  const streams = new Map(file.streams.map(({ tag }, i) => [bytesToHex(tag), i]))
  for (const member of entered) {
    const name = bytesToHex(member.tag)
    const window = { ...member, last: lastOf.get(name) as number, closedAt: close.time }
    const stream = streams.get(name)
    const fault =
      stream === undefined
        ? 'the file has nothing of it'
        : windowFault(file, stream, window, erased.has(name))
    if (fault) yield `member ${name.slice(0, 8)}…: ${fault}`
  }
}

interface Window extends Entered {
  readonly last: number
  readonly closedAt: Time | null
}

function windowFault(
  { streams, ranges }: EvidenceFile,
  stream: number,
  { start, last, at, closedAt }: Window,
  isErased: boolean,
): string | undefined {
  if (last < start - 1) return 'its last leaf comes before its first'
  const range = ranges.find(
    ({ stream: of, from, to }) => of === stream && from <= start && to >= last + 1,
  )
  if (range === undefined) return `the file does not span its leaves ${start} to ${last}`
  const { promise } = (streams[stream] as FileStream).descriptor
  if (limitMs(promise) === null || isErased) return undefined
  const close = (before: Time | null, after: Time | null) =>
    before !== null && after !== null && withinOnePromise(promise, before, after)
  if (last < start) {
    return close(at, closedAt) ? undefined : 'it is silent for longer than promised'
  }
  const first = edgeTime(range.leaves.at(start))
  if (first && !close(at, first)) return 'it begins later than one promise after joining'
  const end = edgeTime(range.leaves.at(last))
  if (end && !close(end, closedAt)) return 'it ends earlier than one promise before the close'
  return undefined
}

/** The time by which an edge is judged; a gap or something hidden there is judged elsewhere. */
function edgeTime(leaf: Leaf): Time | null {
  if (leaf.form !== 'opened' || leaf.record.type === 'gap') return null
  if (isReading(leaf.record) && !isKnownReading(leaf)) return null
  return timeOf(leaf)
}
