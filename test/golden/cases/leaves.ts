// Golden: what leaves may say (sections 1 and 5).
import { type Item, utf8 } from '../bytes.ts'
import { type Case, fine, undetermined, withGaps } from '../case.ts'
import { seeded } from '../hash.ts'
import { key } from '../keys.ts'
import { a, controller } from '../people.ts'
import {
  alive,
  at,
  booted,
  celsius,
  clockSet,
  close,
  configured,
  type Draft,
  gap,
  lost,
  minute,
  noted,
  open,
  opened,
  reading,
  rotated,
  silent,
} from '../records.ts'
import { control, erased, type Stream, stream } from '../streams.ts'
import { bare, minutes, probeOf, sealedOnce, vital } from './worlds.ts'

const anything = (leaves: readonly Draft[]): Stream =>
  probeOf(leaves, { source: 'ward 3, bed 12', kinds: null, promise: null })

const values: readonly Item[] = [
  [4250, -3],
  [-1, 18],
  [0, -18],
  [2 ** 53 - 1, 0],
  [-(2 ** 53 - 1), 0],
  'E200 3412 0123',
  '体温 😀',
  'x'.repeat(256),
  Uint8Array.of(0),
  new Uint8Array(256).fill(255),
  true,
  false,
  null,
  [
    ['dia', [81, 0]],
    ['map', [975, -1]],
    ['sys', [121, 0]],
  ],
  [
    ['a', [2, 0]],
    ['aB_-9', [1, 0]],
  ],
  'e\u0301 is not \u00e9',
  '\0',
]

const everyClock = [
  at(0, { wall: null, clock: 0, bound: null }),
  at(1, { wall: null, clock: 1, bound: null }),
  at(2, { clock: 0, bound: null }),
  at(3, { clock: 1, bound: null }),
  at(4, { clock: 1, bound: 2 ** 40 }),
  at(5, { clock: 2, bound: 0 }),
  at(6, { clock: 3, wall: 253_402_300_799_999, bound: 2 ** 48 }),
  at(7, { clock: 1, wall: 0, bound: 0, mono: 2 ** 53 - 1, boot: 2 ** 32 - 1 }),
]

const shipment = stream(a, { number: 9, source: 'x'.repeat(256), kinds: null }, [
  open(at(0), 'S'.repeat(256), []),
  close(at(1), []),
])
/** Streams that promise the least and the most that can be promised. */
const extremes = [
  [1, 2, 1],
  [1, 2 ** 48, 2 ** 48],
  [2, 1, 0],
  [3, 1],
].map((promise, i) =>
  stream(
    a,
    {
      number: 2 ** 32 - 1 - i,
      source: 's',
      kinds: Array.from({ length: 32 }, (_, k) => `k${10 + k}`),
      promise,
    },
    [reading('k10', [1, 0], at(0), { counter: 1 })],
  ),
)

const vitals = probeOf([vital(0), vital(1), bare(2)], {
  source: 'bed 12',
  kinds: ['heart-rate'],
})
const needed = [0, 1, 5, 6, 7, 8]

const controlRecords: readonly Draft[] = [
  booted(at(0, { wall: null, clock: 0, bound: null }), 'kedge 1.0.0'),
  configured(at(1), utf8('site: ward\n'.repeat(40))),
  configured(at(2), new Uint8Array()),
  opened(at(3), vitals.descriptor),
  clockSet(at(4)),
  rotated(at(5), key('gateway a, second'), 12),
  [21, at(6), vitals.tag, 0, 1, 1, seeded('a root that no file carries')],
  erased(at(7), a, seeded('a stream that is not here'), controller),
  silent(at(8), seeded('a ledger')),
  noted(at(9), 'door', Uint8Array.of(1)),
  noted(at(9), 'door', new Uint8Array()),
  gap(at(10), 'disk', null),
  lost('frame'),
  alive(at(11)),
  close(at(12)),
]

export const leaves: readonly Case[] = [
  [
    'values',
    'every type of value, and its largest and smallest',
    sealedOnce([anything(values.map((value, i) => reading('thing', value, at(i))))]),
    fine,
  ],
  [
    'reading-with-everything',
    'a reading with unit, quality, raw value, counter, source and details',
    sealedOnce([
      anything([
        reading(
          'blood-pressure',
          [
            ['dia', [81, 0]],
            ['sys', [121, 0]],
          ],
          at(0),
          {
            unit: 'mm[Hg]',
            quality: 'cuff loose',
            raw: [
              ['dia', [8, 1]],
              ['sys', [12, 1]],
            ],
            counter: 2 ** 53 - 1,
            source: 'cuff, left arm',
            details: [
              ['battery', [87, 0]],
              ['firmware', '2.1'],
              ['on', true],
              ['raw', Uint8Array.of(1)],
            ],
          },
        ),
        reading('a', false, at(1), { raw: true, details: [['x', null]] }),
      ]),
    ]),
    fine,
  ],
  [
    'as-long-as-allowed',
    'names, texts and lists as long as they may be',
    sealedOnce([
      anything([
        reading(
          'k'.repeat(32),
          Array.from({ length: 16 }, (_, i) => [`v${10 + i}`.padEnd(32, 'V'), [i, 0]]),
          at(0),
          {
            unit: 'u'.repeat(16),
            quality: 'q'.repeat(256),
            source: 's'.repeat(256),
            details: Array.from({ length: 16 }, (_, i) => [`d${10 + i}`, 'd'.repeat(256)]),
          },
        ),
      ]),
      control(a, [booted(at(0), 'p'.repeat(256))]),
      shipment,
      ...extremes,
    ]),
    fine,
  ],
  [
    'clocks',
    'every clock, with and without a wall and a bound',
    sealedOnce([anything(everyClock.map((time) => celsius(1, time)))]),
    fine,
  ],
  [
    'structural-records',
    'gap, lost, alive and close beside readings',
    sealedOnce([
      probeOf([
        ...minutes(2),
        alive(at(minute)),
        gap(at(3 * minute), 'radio', 1),
        ...minutes(1, 3),
        lost('frame'),
        ...minutes(1, 5),
        close(at(6 * minute)),
      ]),
    ]),
    withGaps,
  ],
  [
    'control-records',
    'every record that the control stream may hold',
    sealedOnce([control(a, controlRecords)]),
    withGaps,
  ],
  ['private-opened', 'private readings with every field opened', sealedOnce([vitals]), fine],
  [
    'private-opened-as-needed',
    'private readings with kind, value, counter and time opened: the rest stays secret',
    sealedOnce([vitals], [{ show: () => needed }]),
    fine,
  ],
  [
    'private-band-only',
    'a private reading of which only the band is told',
    sealedOnce([vitals], [{ show: (i) => (i === 1 ? [11] : 'open') }]),
    undetermined,
  ],
  ...needed.map(
    (hidden): Case => [
      `private-without-field-${hidden}`,
      `a private reading whose field ${hidden} stays closed leaves the promise undetermined`,
      sealedOnce(
        [vitals],
        [{ show: (i) => (i === 1 ? needed.filter((field) => field !== hidden) : 'open') }],
      ),
      undetermined,
    ],
  ),
  [
    'private-of-every-type',
    'private readings of every type of value, with raw value, source, quality and details',
    sealedOnce([
      probeOf(
        values.map((value, i) =>
          bare(i, {
            1: value,
            3: 'fair',
            4: value,
            9: 'left arm',
            10: [['note', 'x']],
            11: null,
          }),
        ),
        { kinds: null, source: 'bed 12' },
      ),
    ]),
    fine,
  ],
]
