// Part 1 of section 12: what a counter promise lets pass between neighbours.
import type { Item } from '../bytes.ts'
import { fine, incomplete, withGaps } from '../case.ts'
import { alive, at, celsius, type Draft, day, gap, lost, minute, second } from '../records.ts'
import type { Promised } from './promised.ts'

/** A counted reading, a minute after the one before unless said otherwise. */
const counted = (i: number, counter: number | undefined, time: Item = at(i * minute)): Draft =>
  celsius(400 + i, time, counter === undefined ? {} : { counter })

const counter = (modulus: number): Item => [1, modulus, 90 * second]

export const counters: readonly Promised[] = [
  [
    'counter-continuous',
    'a counter that wraps at its modulus misses nothing',
    counter(65_536),
    [counted(0, 65_534), counted(1, 65_535), counted(2, 0), counted(3, 1)],
    fine,
  ],
  [
    'counter-jump',
    'a counter that jumps without a gap betrays a missing reading',
    counter(65_536),
    [counted(0, 7), counted(1, 9)],
    incomplete,
  ],
  [
    'counter-repeats',
    'a counter that stands still means that all but one turn is missing',
    counter(65_536),
    [counted(0, 7), counted(1, 7)],
    incomplete,
  ],
  [
    'counter-gap',
    'a gap that counts what the counter misses',
    counter(65_536),
    [counted(0, 65_534), gap(at(4 * minute), 'radio', 3), counted(4, 2)],
    withGaps,
  ],
  [
    'counter-gap-too-small',
    'a gap that counts less than the counter misses',
    counter(65_536),
    [counted(0, 65_534), gap(at(4 * minute), 'radio', 2), counted(4, 2)],
    incomplete,
  ],
  [
    'counter-gaps-add-up',
    'two gaps and a lost reading together cover what the counter misses',
    counter(256),
    [
      counted(0, 10),
      gap(at(2 * minute), 'radio', 2),
      lost('frame'),
      gap(at(5 * minute), 'radio', 1),
      counted(5, 15),
    ],
    withGaps,
  ],
  [
    'counter-gap-of-unknown-count',
    'a gap without a count covers any number',
    counter(256),
    [counted(0, 10), gap(at(90 * minute), 'battery', null), counted(90, 100)],
    withGaps,
  ],
  [
    'counter-gap-covers-only-once',
    'a gap before one reading does not cover what is missing before the next',
    counter(256),
    [counted(0, 10), gap(at(2 * minute), 'radio', 5), counted(2, 12), counted(3, 14)],
    incomplete,
  ],
  [
    'counter-left-out',
    'a stream that promises a counter holds a reading without one',
    counter(256),
    [counted(0, 10), counted(1, undefined), counted(2, 12)],
    incomplete,
  ],
  [
    'counter-beyond-modulus',
    'a counter as large as its modulus',
    counter(256),
    [counted(0, 255), counted(1, 256)],
    incomplete,
  ],
  [
    'counter-late',
    'a counter that misses nothing does not excuse a silence',
    counter(256),
    [counted(0, 10), counted(2, 11)],
    incomplete,
  ],
  [
    'counter-suspend',
    'a suspend of sixteen days in which the counter wrapped to look continuous',
    counter(256),
    [counted(0, 10), counted(16 * 24 * 60 + 1, 11)],
    incomplete,
  ],
  [
    'counter-suspend-by-wall',
    'the same where only the wall clock saw the days pass',
    counter(256),
    [counted(0, 10), counted(1, 11, at(16 * day + minute, { mono: 2 * minute }))],
    incomplete,
  ],
  [
    'counter-suspend-by-mono',
    'the same where only the monotonic clock saw the days pass',
    counter(256),
    [counted(0, 10), counted(1, 11, at(minute, { mono: 16 * day }))],
    incomplete,
  ],
  [
    'counter-suspend-declared',
    'the same with the gap declared',
    counter(256),
    [counted(0, 10), gap(at(16 * day), 'suspend', null), counted(16 * 24 * 60 + 1, 11)],
    withGaps,
  ],
  [
    'counter-ends-with-sign-of-life',
    'a sign of life does not stand for the readings that a counter promises',
    counter(65_536),
    [counted(0, 7), counted(1, 8), alive(at(16 * day))],
    incomplete,
  ],
  [
    'counter-gap-of-none',
    'a gap of none does not excuse a month in which the counter may have gone round',
    counter(256),
    [counted(0, 10), gap(at(30 * day), 'radio', 0), counted(0, 11, at(30 * day + second))],
    incomplete,
  ],
  [
    'counter-of-large-modulus',
    'a counter that practically never wraps misses just what it misses',
    counter(2 ** 48),
    [counted(0, 0), gap(at(4 * minute), 'radio', 4), counted(5, 5)],
    withGaps,
  ],
  [
    'counter-of-large-modulus-gap-too-small',
    'and not one fewer',
    counter(2 ** 48),
    [counted(0, 0), gap(at(4 * minute), 'radio', 3), counted(5, 5)],
    incomplete,
  ],
]
