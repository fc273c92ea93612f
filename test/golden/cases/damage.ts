// Readings that are gone from the disk, declared and not.
import { type Item, join } from '../bytes.ts'
import { type Case, failsAt, incomplete, withGaps } from '../case.ts'
import { cut, file, inRange } from '../evidence.ts'
import { seeded, sm3 } from '../hash.ts'
import { history } from '../history.ts'
import { a } from '../people.ts'
import { at, booted, type Draft, day, minute } from '../records.ts'
import { control, damaged, rootAt } from '../streams.ts'
import { addHash, change, doubleHash, dropHash, flip, list, put } from '../tamper.ts'
import { alignedSpans } from '../tree.ts'
import { minutes, probe, probeOf, seal, sealedEvery, sealedOnce } from './worlds.ts'

const rebooted = booted(at(0), 'kedge 1.0.0')
const gone = probeOf(minutes(40))
const damagedFile = (
  records: readonly Draft[],
  runs: readonly (readonly [number, number])[] = [[7, 13]],
) => sealedOnce([control(a, [rebooted, ...records]), gone], [{}, { gone: runs }])
const lie = (item: Draft): Draft => [...list(item as readonly Item[]).slice(0, 6), rootAt(gone, 39)]

const declared: readonly Case[] = [
  [
    'damage-declared',
    'six readings gone from the disk, named in the control stream',
    damagedFile([damaged(at(minute), gone, 7, 13, 40)]),
    withGaps,
  ],
  [
    'damage-at-both-ends',
    'the first and the last readings of a range are gone',
    damagedFile(
      [damaged(at(minute), gone, 0, 5, 40), damaged(at(minute), gone, 33, 40, 40)],
      [
        [0, 5],
        [33, 40],
      ],
    ),
    withGaps,
  ],
  [
    'damage-of-everything',
    'a range of which nothing is left',
    damagedFile([damaged(at(minute), gone, 0, 40, 40)], [[0, 40]]),
    withGaps,
  ],
  [
    'damage-declared-in-two-records',
    'two records that together name what is gone',
    damagedFile([damaged(at(minute), gone, 4, 9, 40), damaged(at(2 * minute), gone, 9, 13, 40)]),
    withGaps,
  ],
  ['damage-undeclared', 'readings gone and nobody says so', damagedFile([]), incomplete],
  [
    'damage-declared-in-part',
    'one reading more is gone than was declared',
    damagedFile([damaged(at(minute), gone, 7, 12, 40)]),
    incomplete,
  ],
  [
    'damage-of-another-root',
    'damage declared under a root that the file does not carry',
    damagedFile([lie(damaged(at(minute), gone, 7, 13, 40))]),
    incomplete,
  ],
  [
    'damage-of-another-size',
    'damage declared under a seal that the file does not carry',
    damagedFile([damaged(at(minute), gone, 7, 13, 30)]),
    incomplete,
  ],
  [
    'damage-of-another-stream',
    'damage declared in another stream',
    damagedFile([damaged(at(minute), probe(2, 40), 7, 13, 40)]),
    incomplete,
  ],
]

/** Seals after 10, 20, 30 and 40 readings, and these gone. */
const acrossSeals = (run: readonly [number, number], seqs: readonly number[]): Item => {
  const log = control(a, [rebooted, damaged(at(minute), gone, ...run, 20)])
  const of = sealedEvery(10, [gone, log])
  return cut(
    of,
    [
      { of: log, from: 0, to: 2 },
      { of: gone, from: 3, to: 37, gone: [run] },
    ],
    seqs.map((seq) => seal(of, seq)),
  )
}

/** A probe of which so many readings came and none is left. */
const vast = (size: number): Item => {
  const of = probeOf([])
  const nodes = alignedSpans(0, size).map((span) => seeded('gone', ...span))
  const root = nodes.reduceRight((right, left) => sm3(Uint8Array.of(1), left, right))
  const log = control(a, [rebooted, [21, at(minute), of.tag, 0, size, size, root]])
  const grown = [
    [of, size, root],
    [log, 2],
  ] as const
  const from = history(a, [{ at: 40 * day, grown }])
  const ranges = [
    { of: log, from: 0, to: 2 },
    { of, from: 0, to: 0 },
  ]
  const tree = cut(from, ranges, [seal(from, 0)])
  const range = [file.ranges, 1]
  const emptied = put(tree, [...range, inRange.right], new Uint8Array())
  return put(emptied, [...range, inRange.leaves], [[size, join(...nodes)]])
}

const whole = damagedFile([damaged(at(minute), gone, 7, 13, 40)])
const nodes = [file.ranges, 1, inRange.leaves, 7, 1]

export const damage: readonly Case[] = [
  ...declared,
  [
    'damage-between-seals',
    'a run of damage that begins at one seal and ends at the next',
    acrossSeals([10, 20], [0, 1, 2, 3]),
    withGaps,
  ],
  [
    'damage-across-a-seal',
    'a seal inside a run of damage cannot be recomputed',
    acrossSeals([9, 11], [0, 1, 2, 3]),
    failsAt(5),
  ],
  [
    'damage-of-seventy-thousand',
    'seventy thousand readings gone and declared',
    vast(70_000),
    withGaps,
  ],
  [
    'damage-of-five-thousand-million',
    'five thousand million readings gone and declared',
    vast(5_000_000_001),
    withGaps,
  ],
  [
    'damage-of-a-trillion',
    'a trillion readings gone and declared are counted at once',
    vast(2 ** 40),
    withGaps,
  ],
  [
    'damage-of-a-trillion-asked',
    'and asked for at once',
    vast(2 ** 40),
    withGaps,
    { expect: [`probe-1,0,${2 ** 40 - 1}`], maxLagMs: 41 * day },
  ],
  ['damage-node-missing', 'a hash missing in a run', change(whole, nodes, dropHash), failsAt(5)],
  ['damage-node-unused', 'a hash too many in a run', change(whole, nodes, addHash), failsAt(5)],
  ['damage-node-doubled', 'a hash doubled in a run', change(whole, nodes, doubleHash), failsAt(5)],
  ['damage-node-changed', 'a hash changed in a run', change(whole, nodes, flip()), failsAt(5)],
  [
    'damage-shorter-than-said',
    'a run of one reading fewer than its hashes stand for',
    change(whole, [file.ranges, 1, inRange.leaves, 7, 0], (count) => (count as number) - 1),
    failsAt(5),
  ],
]
