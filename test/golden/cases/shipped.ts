// A shipment with three probes, and ways to show it.
import type { Item } from '../bytes.ts'
import type { RangeCut } from '../evidence.ts'
import { a } from '../people.ts'
import {
  at,
  close,
  type Draft,
  hour,
  joins,
  type Member,
  minute,
  open,
  reading,
  second,
} from '../records.ts'
import { type Stream, stream } from '../streams.ts'
import { probe, sealedOnce } from './worlds.ts'

const half = 30 * second
/** Half a minute after minute i: between two readings of a probe. */
export const past = (i: number): Item => at(i * minute + half)

export const left = probe(1, 40)
export const right = probe(2, 40)
export const joiner = probe(3, 40)

export const shipment = (leaves: readonly Draft[], promise: Item = [3, hour]): Stream =>
  stream(a, { number: 9, source: 'dock-4/S-2026-117', kinds: ['custody', 'tag'], promise }, leaves)

const custody = (who: string, time: Item): Draft => reading('custody', who, time)
export const tagged = (time: Item): Draft =>
  reading('tag', 'urn:epc:id:sgtin:6901234.056789.1', time)

/** Opens after minute 10, joined after minute 20, closed after minute 30. */
export const travel = (
  first: readonly Member[],
  last: readonly Member[],
  between: readonly Draft[] = [joins(past(20), joiner.tag, 21)],
): Stream =>
  shipment([
    open(past(10), 'S-2026-117', first),
    custody('carrier 7', past(11)),
    ...between,
    tagged(past(25)),
    close(past(30), last),
  ])

export const usualFirst: readonly Member[] = [
  [left.tag, 11],
  [right.tag, 11],
]
export const usualLast: readonly Member[] = [
  [left.tag, 30],
  [right.tag, 30],
  [joiner.tag, 30],
]
export const whole = travel(usualFirst, usualLast)

/** The shipment whole, and these windows of its members. */
export const shown = (
  of: Stream,
  windows: readonly RangeCut[],
  range: Partial<RangeCut> = {},
): Item => sealedOnce([...windows.map((one) => one.of), of], [...windows, range])

export const windows: readonly RangeCut[] = [
  { of: left, from: 11, to: 31 },
  { of: right, from: 5, to: 40 },
  { of: joiner, from: 21, to: 31 },
]
export const [leftWindow, rightWindow, joinerWindow] = windows as [RangeCut, RangeCut, RangeCut]

/** A shipment with one member only. */
export const alone = (of: Stream, from: number, to: number): Stream =>
  travel([[of.tag, from]], [[of.tag, to]], [])
