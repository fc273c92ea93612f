// Line 4: fields of private readings that are not what was committed.
import { encode, type Item } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import { file, inLeaf, inRange } from '../evidence.ts'
import { change, flip, list, pick, put } from '../tamper.ts'
import { bare, probeOf, sealedOnce, vital } from './worlds.ts'

const vitals = probeOf([vital(0), bare(1)], { kinds: ['heart-rate'] })
const good = sealedOnce([vitals])
const openings = (leaf: number) => [file.ranges, 0, inRange.leaves, leaf, inLeaf.openings]
const [salt = null, value = null] = list(pick(good, [...openings(0), 1]))

const forged: readonly Forged[] = [
  [
    'field-value-changed',
    'a private reading opened with another value',
    put(good, [...openings(0), 1, 1], encode([1, [61, 0]])),
  ],
  [
    'field-salt-changed',
    'a private reading opened with another salt',
    change(good, [...openings(0), 1, 0], flip()),
  ],
  [
    'field-of-another-reading',
    'a private reading opened with the value of the one before',
    put(good, [...openings(1), 1], [salt, value]),
  ],
  [
    'field-of-a-filler',
    'a private reading opened where there are only random bytes',
    change(good, openings(1), (items) => insertBand(list(items))),
  ],
  [
    'field-under-another-number',
    'a unit opened as a quality',
    change(good, [...openings(0), 3], () => [
      pick(good, [...openings(0), 2, 0]),
      encode([3, '/min']),
    ]),
  ],
]

function insertBand(items: readonly Item[]): Item {
  return [...items, [salt, encode([11, null])]]
}

export const forgedFields: readonly Case[] = all(failsAt(4), forged)
