import { bytesToHex } from '../bytes.ts'
import { isKnownReading, timeOf } from '../fields.ts'
import type { EvidenceFile, FileStream, Leaf, Members, Range, Time } from '../model.ts'
import { isReading } from '../records.ts'
import { limitMs } from '../stream.ts'
import { withinOnePromise } from './elapsed.ts'

/** One way in which a shipment is narrower than it says, or in which nothing shows that it is not. */
export interface ShipmentFault {
  readonly isDoubt: boolean
  readonly why: string
}

const broken = (why: string): ShipmentFault => ({ isDoubt: false, why })

/** Everything that is wrong with the file's shipments (FORMAT.md section 12, part 2). */
export function* shipmentFaults(
  file: EvidenceFile,
  erased: ReadonlySet<string>,
): Iterable<ShipmentFault> {
  const streams = new Map(file.streams.map(({ tag }, i) => [bytesToHex(tag), i]))
  const leafAt = rememberedLeaves()
  for (const range of file.ranges) {
    const { source } = (file.streams[range.stream] as FileStream).descriptor
    const story = storyOf(range)
    if (!story.isShipment) continue
    for (const { isDoubt, why } of storyFaults({ file, streams, leafAt, erased }, story)) {
      yield { isDoubt, why: `${source}: ${why}` }
    }
  }
}

/** What is looked up for every member of every shipment. */
interface Known {
  readonly file: EvidenceFile
  /** Positions in the file, by tag in hex. */
  readonly streams: ReadonlyMap<string, number>
  leafAt(range: Range, index: number): Leaf
  readonly erased: ReadonlySet<string>
}

/** A leaf that many shipments ask for is decoded once. */
function rememberedLeaves(): Known['leafAt'] {
  const byRange = new Map<Range, Map<number, Leaf>>()
  return (range, index) => {
    const leaves = byRange.get(range) ?? new Map<number, Leaf>()
    byRange.set(range, leaves)
    const leaf = leaves.get(index) ?? range.leaves.at(index)
    leaves.set(index, leaf)
    return leaf
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

function* storyFaults(known: Known, { fromOpen, close, entered }: Story): Iterable<ShipmentFault> {
  const { streams, erased } = known
  if (!fromOpen) yield broken("the shipment's opening is missing")
  if (close === null) {
    yield broken("the shipment's close is missing")
    return
  }
  const lastOf = new Map(close.members.map(([tag, last]) => [bytesToHex(tag), last]))
  const names = new Set(entered.map(({ tag }) => bytesToHex(tag)))
  if (names.size < entered.length) yield broken('a member joined twice')
  if (names.size !== lastOf.size || [...names].some((name) => !lastOf.has(name))) {
    yield broken('the close names other members than joined')
    return
  }
  for (const member of entered) {
    const name = bytesToHex(member.tag)
    const window = { ...member, last: lastOf.get(name) as number, closedAt: close.time }
    const stream = streams.get(name)
    const faults =
      stream === undefined
        ? [broken('the file has nothing of it')]
        : windowFaults(known, stream, window, erased.has(name))
    for (const { isDoubt, why } of faults) {
      yield { isDoubt, why: `member ${name.slice(0, 8)}…: ${why}` }
    }
  }
}

interface Window extends Entered {
  readonly last: number
  readonly closedAt: Time | null
}

function* windowFaults(
  { file: { streams, ranges }, leafAt }: Known,
  stream: number,
  { start, last, at, closedAt }: Window,
  isErased: boolean,
): Iterable<ShipmentFault> {
  if (last < start - 1) return yield broken('its last leaf comes before its first')
  const range = ranges.find(
    ({ stream: of, from, to }) => of === stream && from <= start && to >= last + 1,
  )
  if (range === undefined) {
    return yield broken(`the file does not span its leaves ${start} to ${last}`)
  }
  const { promise } = (streams[stream] as FileStream).descriptor
  if (limitMs(promise) === null || isErased) return
  const areClose = (before: Time | null, after: Time | null) =>
    before !== null && after !== null && withinOnePromise(promise, before, after)
  if (last < start) {
    if (!areClose(at, closedAt)) yield broken('it is silent for longer than promised')
    return
  }
  const first = leafAt(range, start)
  const end = leafAt(range, last)
  if (isUndated(first) || isUndated(end)) {
    yield { isDoubt: true, why: 'nothing shows when its first or last leaf was' }
  }
  const [firstTime, endTime] = [edgeTime(first), edgeTime(end)]
  if (firstTime && !areClose(at, firstTime)) {
    yield broken('it begins later than one promise after joining')
  }
  if (endTime && !areClose(endTime, closedAt)) {
    yield broken('it ends earlier than one promise before the close')
  }
}

/** A sign of life in an erasable stream states no time, and so shows nothing of an edge. */
const isUndated = (leaf: Leaf): boolean =>
  leaf.form === 'opened' &&
  'time' in leaf.record &&
  leaf.record.time === null &&
  leaf.record.type !== 'gap'

/** The time by which an edge is judged; a gap or something hidden there is judged elsewhere. */
function edgeTime(leaf: Leaf): Time | null {
  if (leaf.form !== 'opened' || leaf.record.type === 'gap') return null
  if (isReading(leaf.record) && !isKnownReading(leaf)) return null
  return timeOf(leaf)
}
