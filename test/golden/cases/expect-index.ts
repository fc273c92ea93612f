// Part 3 of section 12, asked by index.
import { hex } from '../bytes.ts'
import { type Case, fine, incomplete } from '../case.ts'
import { cut } from '../evidence.ts'
import { at, celsius, minute } from '../records.ts'
import { type Asked, asked, neighbours, questioned, whole } from './asked.ts'
import { daily, fourDays } from './basics.ts'
import { minutes, probe, probeOf, seal, sealedOnce } from './worlds.ts'

const excursion = probeOf([
  ...minutes(25),
  ...[25, 26, 27, 28].map((i) => celsius(1200, at(i * minute))),
  ...minutes(11, 29),
])
const cutBefore = sealedOnce([excursion], [{ to: 25 }])

const byIndex: readonly Asked[] = [
  ['expect-index', 'every index that was asked for is there', neighbours, ['probe-1,9,21'], fine],
  [
    'expect-index-one-too-early',
    'one index before the range',
    neighbours,
    ['probe-1,8,21'],
    incomplete,
  ],
  [
    'expect-index-one-too-late',
    'one index after the range',
    neighbours,
    ['probe-1,9,22'],
    incomplete,
  ],
  [
    'expect-index-by-tag',
    'a stream asked for by its tag',
    neighbours,
    [`${hex(probe(1, 40).tag)},10,20`],
    fine,
  ],
  [
    'expect-unknown-stream',
    'a stream that the file does not have',
    whole,
    ['probe-7,0,1'],
    incomplete,
  ],
  [
    'expect-several',
    'of two questions one is answered',
    whole,
    ['probe-1,0,39', 'probe-2,0,39'],
    incomplete,
  ],
  [
    'expect-index-across-two-ranges',
    'two ranges do not make one',
    cut(
      fourDays,
      [
        { of: daily, from: 0, to: 20 },
        { of: daily, from: 30, to: 45 },
      ],
      [seal(fourDays, 1)],
    ),
    ['probe-1,15,35'],
    incomplete,
  ],
  [
    'excursion-cut-off',
    'a range cut just before an excursion is complete as it is',
    cutBefore,
    [],
    fine,
  ],
  [
    'excursion-cut-off-asked-by-index',
    'and incomplete for who asks for more',
    cutBefore,
    ['probe-1,0,39'],
    incomplete,
  ],
  [
    'excursion-cut-off-asked-by-time',
    'and incomplete for who asks for the time of it',
    cutBefore,
    [asked(5 * minute, 30 * minute)],
    incomplete,
  ],
]

export const expectIndex: readonly Case[] = questioned(byIndex)
