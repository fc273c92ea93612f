// Line 2: nothing in a file without use, and everything in its order.
import { type Item, utf8 } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import { cut, file, inCheckpoint, inRange, inSeal, type RangeCut } from '../evidence.ts'
import { checkpoint, history } from '../history.ts'
import { a, w1, w2 } from '../people.ts'
import { minute } from '../records.ts'
import { append, change, drop, insert, list, pick, put, swap } from '../tamper.ts'
import { by, grown, underAll } from './witnessed.ts'
import { minutes, probe, probeOf, seal, sealedEvery, sealedOnce } from './worlds.ts'

const p1 = probe(1, 20)
const p2 = probe(2, 20)
const pair = sealedEvery(5, [p1, p2])
/** Two ranges of one probe, proved together, and one of another. */
const ranges: readonly RangeCut[] = [
  { of: p1, from: 1, to: 5 },
  { of: p1, from: 7, to: 9 },
  { of: p2, from: 2, to: 5 },
]
const good = cut(pair, ranges, [seal(pair, 0), seal(pair, 1)])
const whole = cut(pair, [{ of: p1, from: 0, to: 10 }], [seal(pair, 0), seal(pair, 1)])
const [, otherRanges = null] = list(cut(pair, [{ of: p1, from: 3, to: 8 }], [seal(pair, 1)]))
const third = cut(
  pair,
  [{ of: p1, from: 0, to: 20 }],
  [0, 1, 2, 3].map((seq) => seal(pair, seq)),
)
const sealOf = (tree: Item, i: number): Item => pick(tree, [file.seals, i])
const segments = (i: number) => [file.seals, i, inSeal.segments]
const checkpoints = [file.seals, 0, inSeal.checkpoints]
const anchors = [...checkpoints, 0, inCheckpoint.anchors]

const shrinking = history(a, [
  { at: 20 * minute, grown: [[p1, 10]] },
  { at: 21 * minute, grown: [[p1, 5]] },
])
/** A stream that says these sizes one after the other, and a range of its first seven. */
const sizes = (...of: readonly number[]): Item => {
  const from = history(
    a,
    of.map((size, i) => ({ at: (20 + i) * minute, grown: [[p1, size]] })),
  )
  const range = { of: p1, from: 0, to: 7 }
  const [streams = null, ranges = null] = list(cut(from, [range], [seal(from, of.length - 1)]))
  const seals = of.map((_, seq) => {
    const alone = cut(from, [{ ...range, to: 1 }], [seal(from, seq)])
    return pick(alone, [file.seals, 0])
  })
  return [streams, ranges, seals]
}
/** Seals that carry a segment of one stream each. */
const turns = (seqs: readonly [number, number]): Item => {
  const both = [
    { of: p1, from: 0, to: 3 },
    { of: p2, from: 0, to: 3 },
  ]
  const single = (i: number) =>
    change(
      cut(pair, both, [seal(pair, seqs[i] ?? 0)]),
      [file.seals, 0, inSeal.segments],
      drop(1 - i),
    )
  const [streams = null, ranges = null] = list(cut(pair, both, [seal(pair, 0)]))
  const right = pick(cut(pair, [{ of: p1, from: 0, to: 3 }], [seal(pair, seqs[0])]), [
    file.ranges,
    0,
    inRange.right,
  ])
  return [
    streams,
    put(ranges, [0, inRange.right], right),
    [sealOf(single(0), 0), sealOf(single(1), 0)],
  ]
}
const twins = [probe(1, 5), probeOf(minutes(5), { source: 'probe-1, the other' })]

const onTwo = underAll([
  { of: checkpoint(grown, 2), anchors: [by(w1)] },
  { of: checkpoint(grown, 4), anchors: [by(w2, 4, 31 * minute)] },
])
const twice = underAll([{ of: checkpoint(grown, 2), anchors: [by(w1), by(w2)] }])

/** The streams of two ranges the other way round, in every place that names them. */
const turned = (): Item => {
  const [streams = null, both = null, seals = null] = list(sealedOnce([p1, p2]))
  const rename = (at: number, to: number) => put(list(both)[at] ?? null, [inRange.stream], to)
  const renamed = change(seals, [0, inSeal.segments], (items) =>
    [...list(items)].reverse().map((item, i) => put(item, [0], i)),
  )
  return [swap(0, 1)(streams), [rename(1, 0), rename(0, 1)], renamed]
}

const forged: readonly Forged[] = [
  ['streams-of-one-number', 'two streams of one number', sealedOnce(twins)],
  ['streams-out-of-order', 'streams in another order than their numbers', turned()],
  [
    'stream-twice',
    'one stream named twice',
    change(whole, [file.streams], (items) => append(list(items)[0] ?? null)(items)),
  ],
  [
    'stream-without-range',
    'a stream of which nothing is shown',
    change(whole, [file.streams], append([p2.tag, p2.descriptor])),
  ],
  [
    'range-without-seal',
    'a range that ends after its last seal',
    change(whole, [file.seals], drop(1)),
  ],
  [
    'range-under-two-seals',
    'a range with a seal more than it needs',
    change(
      cut(pair, [{ of: p1, from: 0, to: 10 }], [seal(pair, 1)]),
      [file.seals],
      append(sealOf(third, 2)),
    ),
  ],
  [
    'seal-before-range',
    'a seal from before the range begins',
    put(
      change(whole, [file.seals], (items) => items),
      [file.ranges],
      pick(cut(pair, [{ of: p1, from: 6, to: 10 }], [seal(pair, 1)]), [file.ranges]),
    ),
  ],
  [
    'two-ranges-under-one-seal',
    'a range whose only seal belongs to the range after it',
    put(
      cut(pair, [{ of: p1, from: 7, to: 9 }], [seal(pair, 1)]),
      [file.ranges],
      [
        pick(cut(pair, [{ of: p1, from: 1, to: 4 }], [seal(pair, 1)]), [file.ranges, 0]),
        pick(cut(pair, [{ of: p1, from: 7, to: 9 }], [seal(pair, 1)]), [file.ranges, 0]),
      ],
    ),
  ],
  [
    'ranges-out-of-order',
    'ranges in another order than their indices',
    change(good, [file.ranges], swap(0, 1)),
  ],
  [
    'ranges-out-of-stream-order',
    'ranges in another order than their streams',
    change(good, [file.ranges], swap(1, 2)),
  ],
  [
    'ranges-twice',
    'one range twice',
    change(good, [file.ranges], (items) => insert(0, list(items)[0] ?? null)(items)),
  ],
  [
    'ranges-touching',
    'two ranges that are one',
    cut(
      pair,
      [
        { of: p1, from: 1, to: 5 },
        { of: p1, from: 5, to: 9 },
      ],
      [seal(pair, 0), seal(pair, 1)],
    ),
  ],
  [
    'ranges-overlapping',
    'two ranges that overlap',
    change(whole, [file.ranges], append(list(otherRanges)[0] ?? null)),
  ],
  [
    'seals-out-of-order',
    'seals in another order than their headers',
    change(good, [file.seals], swap(0, 1)),
  ],
  [
    'seal-twice',
    'one seal twice',
    change(whole, [file.seals], (items) => append(list(items)[1] ?? null)(items)),
  ],
  [
    'stream-that-shrinks',
    'a stream that is shorter in the later seal',
    put(
      cut(shrinking, [{ of: p1, from: 0, to: 8 }], [seal(shrinking, 0)]),
      [file.seals],
      [
        sealOf(cut(shrinking, [{ of: p1, from: 0, to: 8 }], [seal(shrinking, 0)]), 0),
        sealOf(cut(shrinking, [{ of: p1, from: 0, to: 5 }], [seal(shrinking, 1)]), 0),
      ],
    ),
  ],
  ['inner-sizes-fall', 'a stream that is shorter in a later inner seal', sizes(5, 3, 10)],
  ['inner-sizes-stay', 'a stream that is as long in two inner seals', sizes(5, 5, 10)],
  [
    'seals-of-two-streams-out-of-order',
    'seals of two streams in another order than their headers',
    turns([1, 0]),
  ],
  ['seals-of-two-streams-under-one-header', 'one header in two seals', turns([0, 0])],
  [
    'segment-twice',
    'one segment twice in its seal',
    change(good, segments(0), (items) => insert(0, list(items)[0] ?? null)(items)),
  ],
  [
    'segments-out-of-order',
    'segments in another order than their streams',
    change(good, segments(0), swap(0, 1)),
  ],
  [
    'segment-without-range',
    'a segment of a stream whose range it does not concern',
    change(good, segments(1), (items) => append(list(secondSegments(pair))[1] ?? null)(items)),
  ],
  [
    'checkpoints-out-of-order',
    'checkpoints in another order than their sizes',
    change(onTwo, checkpoints, swap(0, 1)),
  ],
  [
    'checkpoint-twice',
    'one checkpoint twice',
    change(onTwo, checkpoints, (items) => insert(0, list(items)[0] ?? null)(items)),
  ],
  [
    'checkpoint-without-anchor',
    'a second checkpoint that nobody took',
    underAll([
      { of: checkpoint(grown, 2), anchors: [by(w1)] },
      { of: checkpoint(grown, 4), anchors: [] },
    ]),
  ],
  [
    'anchors-out-of-order',
    'anchors in another order than their bytes',
    change(twice, anchors, swap(0, 1)),
  ],
  [
    'anchor-twice',
    'one anchor twice',
    change(twice, anchors, (items) => insert(0, list(items)[0] ?? null)(items)),
  ],
  [
    'broken-anchors-out-of-order',
    'anchors that do not hold still have their order',
    put(onTwo, anchors, [
      [1, utf8('b')],
      [1, utf8('a')],
    ]),
  ],
]

function secondSegments(from: typeof pair): Item {
  const both = [
    { of: p1, from: 0, to: 10 },
    { of: p2, from: 0, to: 10 },
  ]
  return pick(cut(from, both, [seal(from, 0), seal(from, 1)]), segments(1))
}

export const claims: readonly Case[] = all(failsAt(2), forged)
