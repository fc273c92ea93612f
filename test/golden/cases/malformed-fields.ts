// Line 1: fields of private readings that say what they cannot say.
import { encode, type Item, join, raw } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import { file, inLeaf, inRange } from '../evidence.ts'
import { privately } from '../records.ts'
import { append, change, list, pick, put } from '../tamper.ts'
import { bare, minutes, probeOf, sealedOnce } from './worlds.ts'

const vital = probeOf([bare(0)], { kinds: ['heart-rate'] })
const vitalFile = sealedOnce([vital])
const openingsAt = [file.ranges, 0, inRange.leaves, 0, inLeaf.openings]
const fielded = (number: number, content: Item): Item =>
  sealedOnce([
    probeOf([privately({ ...(bare(0) as { fields: object }).fields, [number]: content })], {
      kinds: null,
    }),
  ])
const leafAt = [file.ranges, 0, inRange.leaves, 0]
const [firstOpening = null] = list(pick(vitalFile, openingsAt))

const fields: readonly Forged[] = [
  ['openings-none', 'a private reading opened by nothing', put(vitalFile, openingsAt, [])],
  [
    'openings-left-out',
    'a private reading shown as a plain one',
    change(vitalFile, leafAt, (leaf) => list(leaf).slice(0, 2)),
  ],
  [
    'openings-of-plain',
    'a plain reading shown as a private one',
    change(sealedOnce([probeOf(minutes(1))]), leafAt, append([firstOpening])),
  ],
  [
    'openings-doubled',
    'one field opened twice',
    change(vitalFile, openingsAt, (items) => [firstOpening, ...list(items)]),
  ],
  [
    'openings-unsorted',
    'fields in another order than their numbers',
    change(vitalFile, openingsAt, (items) => [...list(items)].reverse()),
  ],
  [
    'opening-of-short-salt',
    'a field under a salt of 15 bytes',
    put(vitalFile, [...openingsAt, 0, 0], new Uint8Array(15)),
  ],
  [
    'field-not-shortest',
    'a field that writes its number longer than it is',
    put(vitalFile, [...openingsAt, 0, 1], encode([raw('1800'), 'heart-rate'])),
  ],
  [
    'field-with-rest',
    'a field with a byte after its end',
    change(vitalFile, [...openingsAt, 0, 1], (field) =>
      join(field as Uint8Array, Uint8Array.of(0)),
    ),
  ],
  [
    'field-of-number-12',
    'a thirteenth field',
    put(vitalFile, [...openingsAt, 6, 1], encode([12, null])),
  ],
  [
    'field-of-number-minus-1',
    'a field before the first',
    put(vitalFile, [...openingsAt, 0, 1], encode([-1, null])),
  ],
  ['field-kind-null', 'a private reading of no kind', fielded(0, null)],
  ['field-value-number', 'a private value as a bare number', fielded(1, 4)],
  ['field-unit-empty', 'a private unit of no letters', fielded(2, '')],
  ['field-unit-of-17', 'a private unit of seventeen letters', fielded(2, 'x'.repeat(17))],
  ['field-quality-empty', 'a private quality of no letters', fielded(3, '')],
  ['field-raw-number', 'a private raw value as a bare number', fielded(4, 4)],
  ['field-counter-negative', 'a private counter below nothing', fielded(5, -1)],
  ['field-boot-large', 'a private boot of 2 to the 32nd', fielded(6, 2 ** 32)],
  [
    'field-time-of-four',
    'a private time with one thing more than it has',
    fielded(8, [0, 1, 2, 3]),
  ],
  ['field-source-empty', 'a private source of no letters', fielded(9, '')],
  [
    'field-details-unsorted',
    'private details in another order than their letters',
    fielded(10, [
      ['b', 'x'],
      ['a', 'x'],
    ]),
  ],
  [
    'field-of-three',
    'a field with one thing more than it has',
    put(vitalFile, [...openingsAt, 0, 1], encode([0, 'heart-rate', null])),
  ],
  ['field-boot-null', 'a private reading of no boot', fielded(6, null)],
  ['field-mono-null', 'a private reading of no monotonic time', fielded(7, null)],
  [
    'field-time-bound-without-wall',
    'a private reading with an error of no wall',
    fielded(8, [null, 2, 40]),
  ],
  ['field-band-of-one', 'a band with one end', fielded(11, [[1, 0]])],
  ['field-band-of-text', 'a band from text to text', fielded(11, ['low', 'high'])],
]

export const malformedFields: readonly Case[] = all(failsAt(1), fields)
