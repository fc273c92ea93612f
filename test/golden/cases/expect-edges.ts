// Part 3 of section 12: where one side or the other just holds.
import { hex } from '../bytes.ts'
import { type Case, fine, incomplete, undetermined, withGaps } from '../case.ts'
import { at, celsius, close, minute, second, series } from '../records.ts'
import type { Stream } from '../streams.ts'
import { type Asked, asked, questioned, unbounded } from './asked.ts'
import { bare, minutes, probe, probeOf, sealedOnce } from './worlds.ts'

const whole = sealedOnce([probe(1, 40)])
const first = probeOf([...minutes(20), close(at(20 * minute))])
const open = probeOf(minutes(20))
/** Goes on from a stream, or from none, a reading a minute. */
const next = (before: Stream | null, from: number, boot = 1): Stream =>
  probeOf(
    series(20, (i) => celsius(400, at((from + i) * minute, { boot }))),
    { number: 2, predecessor: before?.tag ?? null },
  )
/** Goes on from the first one so long after its close. */
const lateBy = (ms: number): Stream =>
  probeOf([...minutes(1, 20 * minute + ms, 1), ...minutes(19, 22)], {
    number: 2,
    predecessor: first.tag,
  })
const quick = probeOf(
  series(60, (i) => celsius(400, at(20 * minute + (i + 1) * 20 * second))),
  { number: 2, predecessor: first.tag },
)
const bystander = probeOf([...minutes(20), close(at(20 * minute))], {
  number: 3,
  source: 'probe-3',
})
const unsynced = probeOf([
  ...minutes(20),
  close(at(20 * minute, { wall: null, clock: 0, bound: null })),
])
/** The same question put to each of two streams. */
const ofEach = (...streams: readonly Stream[]): readonly string[] =>
  streams.map(({ tag }) => asked(minute, 39 * minute, hex(tag)))
const strap = (shownLast: readonly number[]) =>
  sealedOnce(
    [
      probeOf(
        Array.from({ length: 10 }, (_, i) => bare(i)),
        { source: 'b0b0', kinds: ['heart-rate'], erasable: true },
      ),
    ],
    [{ show: (i) => (i === 9 ? shownLast : 'open') }],
  )
const promised = sealedOnce([
  probeOf(minutes(40), { promise: null }),
  probeOf(minutes(40, 10), { number: 2 }),
])
const tooLong = asked(minute, 60 * minute, 'b0b0')

const rows: readonly Asked[] = [
  [
    'expect-index-of-another-stream',
    'the index is there, but of another stream',
    sealedOnce([probe(1, 40), probe(2, 5)]),
    ['probe-2,0,39'],
    incomplete,
  ],
  [
    'expect-time-opened-at-the-end',
    'a stream that may just have opened at the end of the time asked for',
    whole,
    [asked(-60 * minute, -40)],
    withGaps,
  ],
  [
    'expect-time-opened-after-the-end',
    'a stream that cannot have opened before the time asked for was over',
    whole,
    [asked(-60 * minute, -41)],
    incomplete,
  ],
  [
    'expect-time-closed-at-the-start',
    'a stream that may just have closed at the start of the time asked for',
    sealedOnce([first]),
    [asked(20 * minute + 40, 60 * minute)],
    withGaps,
  ],
  [
    'expect-time-closed-before-the-start',
    'a stream that must have closed before the time asked for began',
    sealedOnce([first]),
    [asked(20 * minute + 41, 60 * minute)],
    incomplete,
  ],
  [
    'expect-time-over-unknown-bound-of-the-first',
    'a range that begins with a reading of unknown error',
    sealedOnce([probeOf([unbounded(0), ...minutes(10, 1)])]),
    [asked(minute, 5 * minute)],
    undetermined,
  ],
  [
    'expect-time-of-private-end-with-value-hidden',
    'a last reading that tells its time and nothing else ends too early',
    strap([6, 7, 8]),
    [tooLong],
    incomplete,
  ],
  [
    'expect-time-of-private-end-with-boot-hidden',
    'a last reading that does not tell its boot tells no time',
    strap([1, 5, 7, 8]),
    [tooLong],
    undetermined,
  ],
  [
    'expect-time-best-of-two',
    'of two streams of one source the better answer counts: a gap before nothing promised',
    promised,
    [asked(minute, 30 * minute)],
    withGaps,
  ],
  [
    'expect-time-joined-at-the-limit',
    'a stream that goes on as late as it promised',
    sealedOnce([first, lateBy(90 * second)]),
    ofEach(first, lateBy(90 * second)),
    fine,
  ],
  [
    'expect-time-joined-beyond-the-limit',
    'a stream that goes on a millisecond later than it promised',
    sealedOnce([first, lateBy(90 * second + 1)]),
    ofEach(first, lateBy(90 * second + 1)),
    withGaps,
  ],
  [
    'expect-time-joined-to-open',
    'a stream that goes on from one that was never closed',
    sealedOnce([open, next(open, 20)]),
    [asked(minute, 38 * minute, hex(next(open, 20).tag))],
    withGaps,
  ],
  [
    'expect-time-joined-to-a-stranger',
    'a stream that begins where another ends and does not say that it goes on from it',
    sealedOnce([first, next(null, 21)]),
    [asked(minute, 39 * minute, hex(next(null, 21).tag))],
    withGaps,
  ],
  [
    'expect-time-joined-to-a-cut-successor',
    'a stream whose successor is shown without its first reading',
    sealedOnce([first, quick], [{}, { from: 1 }]),
    [asked(minute, 39 * minute, hex(first.tag))],
    withGaps,
  ],
  [
    'expect-time-joined-past-another',
    'a stream that goes on from an open one does not go on from a closed one beside it',
    sealedOnce([open, next(open, 21), bystander]),
    [asked(minute, 39 * minute, hex(next(open, 21).tag))],
    withGaps,
  ],
  [
    'expect-time-joined-after-unknown-time',
    'nobody knows how long after a close without a clock a stream of another boot began',
    sealedOnce([unsynced, next(unsynced, 21, 2)]),
    [asked(minute, 39 * minute, hex(next(unsynced, 21, 2).tag))],
    withGaps,
  ],
]

export const expectEdges: readonly Case[] = questioned(rows)
