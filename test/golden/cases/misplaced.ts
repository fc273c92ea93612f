import { all, type Case, type Forged, failsAt } from '../case.ts'
import { seeded } from '../hash.ts'
import { a, controller } from '../people.ts'
import {
  alive,
  at,
  booted,
  clockSet,
  close,
  configured,
  type Draft,
  gap,
  hour,
  joins,
  minute,
  noted,
  open,
  opened,
  reading,
  rotated,
  silent,
} from '../records.ts'
import { control, erased, type Stream } from '../streams.ts'
import { bare, minutes, probeOf, sealedOnce, vital } from './worlds.ts'

const anything = (leaves: readonly Draft[]): Stream =>
  probeOf(leaves, { source: 'ward 3, bed 12', kinds: null, promise: null })
const vital0 = probeOf([vital(0)], { kinds: ['heart-rate'] })
const needed = [1, 5, 6, 7, 8]

const misplaced: readonly Forged[] = [
  [
    'kind-not-in-descriptor',
    'a reading of a kind that its stream may not hold',
    sealedOnce([probeOf([reading('humidity', [40, 0], at(0))])]),
  ],
  [
    'kind-not-in-descriptor-private',
    'a private reading opened as a kind that its stream may not hold',
    sealedOnce([probeOf([bare(0)])]),
  ],
  [
    'kind-in-stream-without-kinds',
    'a reading in a stream that may hold none',
    sealedOnce([probeOf(minutes(1), { kinds: [] })]),
  ],
  [
    'reading-in-control-stream',
    'a reading in the control stream',
    sealedOnce([control(a, minutes(1))]),
  ],
  [
    'private-reading-in-control-stream',
    'a private reading in the control stream, its kind not opened',
    sealedOnce([control(a, [bare(0)])], [{ show: () => needed }]),
  ],
  [
    'open-later-than-first',
    'a shipment that opens after its first leaf',
    sealedOnce([anything([...minutes(1), open(at(minute), 'S-1', []), close(at(2 * minute), [])])]),
  ],
  [
    'open-in-control-stream',
    'a shipment that opens in the control stream',
    sealedOnce([control(a, [open(at(0), 'S-1', []), close(at(minute), [])])]),
  ],
  [
    'open-in-erasable-stream',
    'a shipment that opens in an erasable stream',
    sealedOnce([
      probeOf(
        [
          [3, null, 'S-1', []],
          [4, null, []],
        ],
        { erasable: true },
      ),
    ]),
  ],
  [
    'join-in-control-stream',
    'a join in the control stream',
    sealedOnce([control(a, [joins(at(0), seeded('member'), 0)])]),
  ],
  [
    'join-in-erasable-stream',
    'a join in an erasable stream',
    sealedOnce([probeOf([[8, null, seeded('member'), 0]], { erasable: true })]),
  ],
  [
    'close-not-last',
    'a reading after the close',
    sealedOnce([probeOf([...minutes(1), close(at(minute)), ...minutes(1, 2)])]),
  ],
  ...[
    booted(at(0), 'kedge 1.0.0'),
    configured(at(0), new Uint8Array()),
    opened(at(0), vital0.descriptor),
    clockSet(at(0)),
    rotated(at(0), a.key, 0),
    [21, at(0), vital0.tag, 0, 1, 1, seeded('a root')],
    erased(at(0), a, vital0.tag, controller),
    silent(at(0), seeded('a ledger')),
    noted(at(0), 'door', new Uint8Array()),
  ].map(
    (draft, i): Forged => [
      `control-record-${16 + i}-elsewhere`,
      `a record of code ${16 + i} outside the control stream`,
      sealedOnce([probeOf([...minutes(1), draft])]),
    ],
  ),
  [
    'plain-reading-in-erasable-stream',
    'a plain reading in an erasable stream',
    sealedOnce([probeOf(minutes(1), { erasable: true })]),
  ],
  ...[gap(at(0), 'radio', 1), alive(at(0)), close(at(0))].map(
    (draft, i): Forged => [
      `time-in-erasable-stream-${i + 1}`,
      'a structural leaf of an erasable stream that states a time',
      sealedOnce([probeOf([bare(0), draft], { erasable: true, kinds: null })]),
    ],
  ),
  ...[
    [5, null, 'radio', 1],
    [7, null],
    [4, null, null],
  ].map(
    (draft, i): Forged => [
      `time-left-out-${i + 1}`,
      'a structural leaf without a time where one is due',
      sealedOnce([probeOf([...minutes(1), draft])]),
    ],
  ),
  [
    'time-left-out-of-open',
    'a shipment that opens at no time',
    sealedOnce([anything([[3, null, 'S-1', []], close(at(hour), [])])]),
  ],
  [
    'time-left-out-of-join',
    'a join at no time',
    sealedOnce([anything([open(at(0), 'S-1', []), [8, null, seeded('member'), 0]])]),
  ],
]

export const misplacedLeaves: readonly Case[] = all(failsAt(4), misplaced)
