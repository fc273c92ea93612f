// Forged: what is shown does not lead to what was sealed (lines 5 to 7).
import type { Item } from '../bytes.ts'
import { type Case, failsAt, undetermined } from '../case.ts'
import {
  cut,
  file,
  inCheckpoint,
  inLeaf,
  inRange,
  inSeal,
  inSegment,
  type RangeCut,
} from '../evidence.ts'
import { history } from '../history.ts'
import { a, w1 } from '../people.ts'
import { at, celsius, gap, minute } from '../records.ts'
import {
  addHash,
  change,
  doubleHash,
  drop,
  dropHash,
  flip,
  insert,
  list,
  put,
  swap,
} from '../tamper.ts'
import { store } from './basics.ts'
import { minutes, probe, probeOf, seal, sealedOnce } from './worlds.ts'

const leaf = (i: number) => [file.ranges, 0, inRange.leaves, i]
const left = [file.ranges, 0, inRange.left]
const right = [file.ranges, 0, inRange.right]
const segment = [file.seals, 0, inSeal.segments, 0]
const segmentPath = [...segment, inSegment.path]
const checkpointPath = [file.seals, 0, inSeal.checkpoints, 0, inCheckpoint.path]

const readings = probeOf(minutes(6))
const six = sealedOnce([readings])
const withGap = probeOf([...minutes(3), gap(at(4 * minute), 'radio', 2), ...minutes(3, 5)])

const honest = probeOf(minutes(20))
const rewritten = probeOf([...minutes(4), celsius(500, at(4 * minute)), ...minutes(15, 5)])
const rewriting = history(a, [
  { at: 10 * minute, grown: [[honest, 10]] },
  { at: 20 * minute, grown: [[rewritten, 20]] },
])

const range: RangeCut = { of: probe(2, 100), from: 21, to: 24 }
const middle = cut(store, [range], [seal(store, 4, [w1], 11)])

/** Another hundredth of a degree in a plain reading. */
const warmer = (record: Item): Item => {
  const bytes = (record as Uint8Array).slice()
  const mantissa = bytes.findIndex((byte, i) => byte === 0x82 && bytes[i + 1] === 0x19) + 3
  bytes[mantissa] = (bytes[mantissa] ?? 0) ^ 1
  return bytes
}

const forged: readonly (readonly [string, string, Item, 5 | 6 | 7])[] = [
  [
    'stream-rewritten',
    'a stream rewritten between two carried seals',
    cut(rewriting, [{ of: rewritten, from: 0, to: 15 }], [seal(rewriting, 0), seal(rewriting, 1)]),
    5,
  ],
  [
    'gap-hidden-as-reading',
    'a gap hidden as a reading breaks the root of its stream',
    sealedOnce([withGap], [{ show: (i) => (i === 3 ? 'hide' : 'open') }]),
    5,
  ],
  [
    'reading-changed',
    'one digit of an opened reading changed',
    change(six, [...leaf(2), inLeaf.record], warmer),
    5,
  ],
  [
    'salt-changed',
    'the salt of an opened reading changed',
    change(six, [...leaf(2), inLeaf.salt], flip()),
    5,
  ],
  [
    'leaf-left-out',
    'a reading left out and the others moved up',
    change(six, [file.ranges, 0, inRange.leaves], drop(2)),
    5,
  ],
  [
    'leaf-doubled',
    'a reading shown twice',
    change(middle, [file.ranges, 0, inRange.leaves], (items) =>
      insert(2, list(items)[2] ?? null)(items),
    ),
    5,
  ],
  [
    'leaves-swapped',
    'two readings in the wrong order',
    change(six, [file.ranges, 0, inRange.leaves], swap(2, 3)),
    5,
  ],
  [
    'range-shifted',
    'readings shown under indices that are not theirs',
    put(middle, [file.ranges, 0, inRange.a], 20),
    5,
  ],
  ['left-missing', 'a hash missing on the left of a range', change(middle, left, dropHash), 5],
  ['left-unused', 'a hash too many on the left of a range', change(middle, left, addHash), 5],
  ['left-doubled', 'a hash doubled on the left of a range', change(middle, left, doubleHash), 5],
  ['left-changed', 'a hash changed on the left of a range', change(middle, left, flip()), 5],
  ['right-missing', 'a hash missing on the right of a range', change(middle, right, dropHash), 5],
  ['right-unused', 'a hash too many on the right of a range', change(middle, right, addHash), 5],
  ['right-doubled', 'a hash doubled on the right of a range', change(middle, right, doubleHash), 5],
  ['right-changed', 'a hash changed on the right of a range', change(middle, right, flip()), 5],
  [
    'segment-root-changed',
    'a segment with another root than its leaves have',
    change(middle, [...segment, inSegment.root], flip()),
    5,
  ],
  [
    'segment-path-missing',
    'a hash missing in the path of a segment',
    change(middle, segmentPath, dropHash),
    6,
  ],
  [
    'segment-path-unused',
    'a hash too many in the path of a segment',
    change(middle, segmentPath, addHash),
    6,
  ],
  [
    'segment-path-doubled',
    'a hash doubled in the path of a segment',
    change(middle, segmentPath, doubleHash),
    6,
  ],
  [
    'segment-path-changed',
    'a hash changed in the path of a segment',
    change(middle, segmentPath, flip()),
    6,
  ],
  [
    'segment-position-changed',
    'a segment at the position of another',
    change(middle, [...segment, inSegment.position], (position) => (position as number) ^ 1),
    6,
  ],
  [
    'segment-position-beyond',
    'a segment beyond the number that the header states',
    put(middle, [...segment, inSegment.position], 4),
    6,
  ],
  [
    'header-path-missing',
    'a hash missing in the path of a header',
    change(middle, checkpointPath, dropHash),
    7,
  ],
  [
    'header-path-unused',
    'a hash too many in the path of a header',
    change(middle, checkpointPath, addHash),
    7,
  ],
  [
    'header-path-doubled',
    'a hash doubled in the path of a header',
    change(middle, checkpointPath, doubleHash),
    7,
  ],
  [
    'header-path-changed',
    'a hash changed in the path of a header',
    change(middle, checkpointPath, flip()),
    7,
  ],
]

export const forgedTrees: readonly Case[] = [
  ...forged.map(([name, title, tree, line]): Case => [name, title, tree, failsAt(line)]),
  [
    'reading-swapped-for-its-commit',
    'an opened reading swapped for its commit keeps the root and loses the promise',
    put(six, leaf(2), readings.leaves[2]?.commit ?? null),
    undetermined,
  ],
]
