// Line 1: records that say what they cannot say.
import { encode, type Item, raw, utf8 } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import { seeded } from '../hash.ts'
import { a, controller } from '../people.ts'
import { at, celsius, type Draft, open, reading, start } from '../records.ts'
import { control, erased } from '../streams.ts'
import { minutes, probeOf, sealedOnce } from './worlds.ts'

const tags = [seeded('member 1'), seeded('member 2')].sort(Buffer.compare)
const [low = seeded(''), high = seeded('')] = tags

const descriptor: readonly Item[] = [a.id, 0, 1, 'probe-1', ['temperature'], false, null, null]
const anything = (draft: Draft): Item =>
  sealedOnce([probeOf([...minutes(1), draft], { kinds: null, promise: null })])
const inControl = (draft: Draft): Item => sealedOnce([control(a, [draft])])
const timed = (time: Item): Item => anything(celsius(415, time))
const valued = (value: Item): Item => anything(reading('thing', value, at(0)))
const detailed = (details: Item): Item => anything(reading('thing', null, at(0), { details }))
const plain = celsius(415, at(0)) as readonly Item[]
const parted = (changes: Readonly<Record<number, Item>>): Item =>
  anything(plain.map((part, i) => changes[i] ?? part))
const erasure = erased(at(0), a, low, controller) as readonly Item[]

const records: readonly Forged[] = [
  [
    'record-not-shortest',
    'a record that writes a number longer than it is',
    parted({ 6: raw('1800') }),
  ],
  [
    'record-with-rest',
    'a record with a byte after its end',
    anything(raw(`${Buffer.from(encode(plain)).toString('hex')}00`)),
  ],
  ['record-empty', 'a record of no bytes', anything(raw(''))],
  ['record-not-array', 'a record that is a number', anything(raw('01'))],
  ['record-of-no-parts', 'a record of no parts', anything([])],
  ['record-code-0', 'a record of code 0', anything([0, at(0)])],
  ['record-code-9', 'a record of code 9', anything([9, at(0)])],
  ['record-code-25', 'a record of code 25', inControl([25, at(0)])],
  ['record-code-negative', 'a record of a negative code', anything([-1, at(0)])],
  ['reading-of-eleven', 'a reading with one thing more than it has', anything([...plain, null])],
  ['reading-of-nine', 'a reading with one thing less than it has', anything(plain.slice(0, 9))],
  ['reading-without-kind', 'a reading of no kind', parted({ 1: raw('f6') })],
  ['reading-of-kind-with-digit-first', 'a kind that begins with a digit', parted({ 1: '2nd' })],
  ['reading-unit-empty', 'a unit of no letters', parted({ 3: '' })],
  ['reading-unit-of-17', 'a unit of seventeen letters', parted({ 3: 'x'.repeat(17) })],
  ['reading-quality-empty', 'a quality of no letters', parted({ 4: '' })],
  ['reading-counter-negative', 'a negative counter', parted({ 6: -1 })],
  ['reading-without-time', 'a reading at no time', parted({ 7: raw('f6') })],
  ['reading-source-empty', 'a source of no letters', parted({ 8: '' })],
  ['time-of-four', 'a time with one thing less than it has', timed([1, 0, start, 2])],
  ['time-of-large-boot', 'a boot of 2 to the 32nd', timed(at(0, { boot: 2 ** 32 }))],
  ['time-of-negative-mono', 'a time before its boot', timed(at(0, { mono: -1 }))],
  ['time-before-1970', 'a wall before 1970', timed(at(0, { wall: -1 }))],
  ['time-after-9999', 'a wall after the year 9999', timed(at(0, { wall: 253_402_300_800_000 }))],
  ['time-of-unknown-clock', 'a clock that does not exist', timed(at(0, { clock: 4 }))],
  ['time-bound-negative', 'an error below nothing', timed(at(0, { bound: -1 }))],
  ['time-bound-without-wall', 'an error of no wall', timed(at(0, { wall: null, bound: 40 }))],
  [
    'time-bound-of-unset-clock',
    'an error of a clock that was never set',
    timed(at(0, { clock: 0, bound: 40 })),
  ],
  ['decimal-exponent-19', 'a value times ten to the nineteenth', valued([1, 19])],
  ['decimal-exponent-minus-19', 'a value by ten to the nineteenth', valued([1, -19])],
  ['decimal-of-three', 'a value of three numbers', valued([1, 2, 3])],
  ['decimal-of-text', 'a value whose exponent is text', valued([1, '0'])],
  ['several-empty', 'a value of several, of which there are none', valued([])],
  [
    'several-of-17',
    'a value of seventeen',
    valued(Array.from({ length: 17 }, (_, i) => [`k${10 + i}`, [1, 0]])),
  ],
  [
    'several-unsorted',
    'several values in another order than their letters',
    valued([
      ['sys', [1, 0]],
      ['dia', [1, 0]],
    ]),
  ],
  [
    'several-doubled',
    'one of several values twice',
    valued([
      ['sys', [1, 0]],
      ['sys', [1, 0]],
    ]),
  ],
  ['several-of-text', 'several values of which one is text', valued([['sys', 'high']])],
  [
    'several-in-chinese',
    'several values under names that are no letters',
    valued([['高压', [1, 0]]]),
  ],
  ['details-empty', 'details of which there are none', detailed([])],
  [
    'details-unsorted',
    'details in another order than their letters',
    detailed([
      ['b', 'x'],
      ['a', 'x'],
    ]),
  ],
  ['details-of-several', 'several values among the details', detailed([['a', [['sys', [1, 0]]]]])],
  ['details-in-capitals', 'details under a name in capitals', detailed([['Note', 'x']])],
  ['open-without-id', 'a shipment without a name', anything(open(at(0), '', []))],
  [
    'open-members-unsorted',
    'members in another order than their tags',
    anything([
      3,
      at(0),
      'S-1',
      [
        [high, 0],
        [low, 0],
      ],
    ]),
  ],
  [
    'open-members-doubled',
    'one member twice',
    anything([
      3,
      at(0),
      'S-1',
      [
        [low, 0],
        [low, 1],
      ],
    ]),
  ],
  [
    'open-member-negative',
    'a member that begins before its first index',
    anything([3, at(0), 'S-1', [[low, -1]]]),
  ],
  [
    'close-member-negative',
    'a member that ends two before its first index',
    anything([4, at(0), [[low, -2]]]),
  ],
  ['gap-negative', 'a gap of less than nothing', anything([5, at(0), 'radio', -1])],
  ['gap-without-cause', 'a gap without a cause', anything([5, at(0), '', 1])],
  ['lost-with-time', 'a lost reading that states a time', anything([6, 'frame', at(0)])],
  ['join-negative', 'a member that joins before its first index', anything([8, at(0), low, -1])],
  [
    'control-record-without-time',
    'a control record at no time',
    inControl([16, null, 'kedge 1.0.0']),
  ],
  ['boot-without-program', 'a boot of no program', inControl([16, at(0), ''])],
  [
    'stream-record-of-no-descriptor',
    'an opening of something that is no stream',
    inControl([18, at(0), utf8('probe-1')]),
  ],
  [
    'stream-record-not-shortest',
    'an opening of a stream whose description is not written as it must be',
    inControl([18, at(0), encode(descriptor.map((part, i) => (i === 1 ? raw('1800') : part)))]),
  ],
  [
    'rotation-record-of-short-key',
    'a rotation to a key of 64 bytes',
    inControl([20, at(0), new Uint8Array(64), 1]),
  ],
  ['damage-of-nothing', 'damage of no leaves', inControl([21, at(0), low, 5, 5, 9, high])],
  [
    'damage-beyond-size',
    'damage beyond the size that it names',
    inControl([21, at(0), low, 5, 10, 9, high]),
  ],
  ['config-of-text', 'a configuration that is text', inControl([17, at(0), 'site: ward'])],
  ['silent-of-short-ledger', 'a ledger of 31 bytes', inControl([23, at(0), new Uint8Array(31)])],
  [
    'damage-of-short-root',
    'damage under a root of 31 bytes',
    inControl([21, at(0), low, 5, 6, 9, new Uint8Array(31)]),
  ],
  [
    'damage-of-negative-start',
    'damage that begins before the first leaf',
    inControl([21, at(0), low, -1, 6, 9, high]),
  ],
  [
    'erase-of-short-tag',
    'an erasure of a tag of 31 bytes',
    inControl([22, at(0), new Uint8Array(31), ...erasure.slice(3)]),
  ],
  [
    'erase-of-short-order',
    'an erasure whose order is 31 bytes',
    inControl([...erasure.slice(0, 3), new Uint8Array(31), ...erasure.slice(4)]),
  ],
  [
    'erase-of-short-key',
    'an erasure whose key is 64 bytes',
    inControl([...erasure.slice(0, 4), new Uint8Array(64), ...erasure.slice(5)]),
  ],
  [
    'erase-of-short-signature',
    'an erasure whose signature is 63 bytes',
    inControl([...erasure.slice(0, 5), new Uint8Array(63)]),
  ],
  ['note-without-name', 'a note without a name', inControl([24, at(0), '', new Uint8Array()])],
  [
    'private-of-383-bytes',
    'a private reading with a byte less than twelve commitments',
    anything([2, new Uint8Array(383)]),
  ],
]

export const malformedRecords: readonly Case[] = all(failsAt(1), records)
