import { type Case, fine, incomplete, undetermined, withGaps } from '../case.ts'
import { at, close, gap, hour, lost, minute } from '../records.ts'
import { type Asked, asked, neighbours, questioned, unbounded, whole } from './asked.ts'
import { bare, minutes, probe, probeOf, sealedOnce } from './worlds.ts'

const first = probeOf([...minutes(20), close(at(20 * minute))])
const strap = probeOf(
  Array.from({ length: 10 }, (_, i) => bare(i)),
  { source: 'b0b0', kinds: ['heart-rate'], erasable: true },
)

const byTime: readonly Asked[] = [
  [
    'expect-time',
    'a range with a neighbour on each side of the time asked for',
    neighbours,
    [asked(10 * minute, 20 * minute)],
    fine,
  ],
  [
    'expect-time-of-another-zone',
    'the same asked in Shanghai',
    neighbours,
    ['probe-1,2026-03-01T08:10:00+08:00,2026-03-01T08:20:00+08:00'],
    fine,
  ],
  [
    'expect-time-of-half-an-hour-west',
    'the same asked in Newfoundland',
    neighbours,
    ['probe-1,2026-02-28T20:40:00-03:30,2026-02-28T20:50:00-03:30'],
    fine,
  ],
  [
    'expect-time-of-half-an-hour-east',
    'the same asked in India',
    neighbours,
    ['probe-1,2026-03-01T05:40:00+05:30,2026-03-01T05:50:00+05:30'],
    fine,
  ],
  [
    'expect-time-at-the-bounds',
    'the ends lie beyond the time asked for by just their own error',
    neighbours,
    [asked(9 * minute + 40, 21 * minute - 40)],
    fine,
  ],
  [
    'expect-time-left-of-the-bound',
    'a first reading that may be a millisecond too late',
    neighbours,
    [asked(9 * minute + 39, 21 * minute - 40)],
    incomplete,
  ],
  [
    'expect-time-right-of-the-bound',
    'a last reading that may be a millisecond too early',
    neighbours,
    [asked(9 * minute + 40, 21 * minute - 39)],
    incomplete,
  ],
  [
    'expect-time-finer-than-milliseconds',
    'a finer time widens the question to whole milliseconds',
    neighbours,
    ['probe-1,2026-03-01T00:09:00.0409999Z,2026-03-01T00:20:59.9599Z'],
    fine,
  ],
  [
    'expect-time-finer-on-the-left',
    'a hundredth of a microsecond before the first reading may have been',
    neighbours,
    ['probe-1,2026-03-01T00:09:00.03999999Z,2026-03-01T00:20:00Z'],
    incomplete,
  ],
  [
    'expect-time-finer-on-the-right',
    'a nanosecond after the last reading may have been',
    neighbours,
    ['probe-1,2026-03-01T00:10:00Z,2026-03-01T00:20:59.960000001Z'],
    incomplete,
  ],
  [
    'expect-time-opened-inside',
    'a stream that opens inside the time asked for is a declared gap',
    whole,
    [asked(-hour, 20 * minute)],
    withGaps,
  ],
  [
    'expect-time-closed-inside',
    'a stream that closes inside the time asked for is a declared gap',
    sealedOnce([first]),
    [asked(minute, hour)],
    withGaps,
  ],
  [
    'expect-time-ended-inside',
    'a stream that was not closed and ends inside the time asked for',
    whole,
    [asked(minute, hour)],
    incomplete,
  ],
  [
    'expect-time-before-the-stream',
    'a stream that opened after the time asked for',
    whole,
    [asked(-hour, -minute)],
    incomplete,
  ],
  [
    'expect-time-after-the-stream',
    'a stream that closed before the time asked for',
    sealedOnce([first]),
    [asked(hour, 2 * hour)],
    incomplete,
  ],
  [
    'expect-time-with-a-gap',
    'a gap inside stays a gap',
    sealedOnce([probeOf([...minutes(5), gap(at(10 * minute), 'radio', 5), ...minutes(5, 10)])]),
    [asked(minute, 13 * minute)],
    withGaps,
  ],
  [
    'expect-time-of-nothing-promised',
    'who promises nothing answers no question by time',
    sealedOnce([probeOf(minutes(40), { promise: null })]),
    [asked(minute, 20 * minute)],
    undetermined,
  ],
  [
    'expect-time-of-nothing-promised-and-too-short',
    'but who ends too early has broken it',
    sealedOnce([probeOf(minutes(40), { promise: null })]),
    [asked(minute, hour)],
    incomplete,
  ],
  [
    'expect-time-over-unknown-bound',
    'a wall clock of unknown error answers no question by time',
    sealedOnce([probeOf([...minutes(10), unbounded(10)])]),
    [asked(minute, 5 * minute)],
    undetermined,
  ],
  [
    'expect-time-over-hidden-end',
    'a range that begins with a hidden reading',
    sealedOnce([probe(1, 40)], [{ show: (i) => (i === 0 ? 'hide' : 'open') }]),
    [asked(minute, 5 * minute)],
    undetermined,
  ],
  [
    'expect-time-over-lost-end',
    'a range that ends with a lost reading, which has no time',
    sealedOnce([probeOf([...minutes(10), lost('frame')])]),
    [asked(minute, 5 * minute)],
    undetermined,
  ],
  [
    'expect-time-private',
    'private readings with their times opened',
    sealedOnce([strap]),
    [asked(minute, 8 * minute, 'b0b0')],
    fine,
  ],
]

export const expectTime: readonly Case[] = questioned(byTime)
