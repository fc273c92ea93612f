import { type Case, fine, incomplete, undetermined, withGaps } from '../case.ts'
import { a, controller } from '../people.ts'
import { alive, at, booted, celsius, gap, hour, lost, minute } from '../records.ts'
import { control, damaged, erased } from '../streams.ts'
import { alone, left, leftWindow, shown, travel, whole, windows } from './shipped.ts'
import { bare, minutes, probeOf, sealedOnce } from './worlds.ts'

const idle = probeOf([...minutes(12), alive(at(31 * minute)), ...minutes(2, 32)], {
  promise: [3, 20 * minute],
})
const later = probeOf(minutes(2, 31), { promise: [3, 20 * minute] })
const late = probeOf([...minutes(10), ...minutes(20, 14)], { promise: null })
const gapped = probeOf([
  ...minutes(11),
  gap(at(15 * minute), 'radio', 4),
  ...minutes(15, 15),
  gap(at(31 * minute), 'radio', 1),
  ...minutes(4, 31),
])
const frameless = probeOf([...minutes(11), lost('frame'), ...minutes(28, 12)])
const unsynced = probeOf(
  minutes(40).map((_, i) => celsius(400, at(i * minute, { wall: null, clock: 0, bound: null }))),
)
const rebooted = probeOf(
  minutes(40).map((_, i) =>
    celsius(400, at(i * minute, { boot: 2, wall: null, clock: 0, bound: null })),
  ),
)
const strap = probeOf(
  Array.from({ length: 40 }, (_, i) => bare(i)),
  { number: 4, source: 'b0b0', kinds: ['heart-rate'], erasable: true },
)
const strapErased = control(a, [
  booted(at(0), 'kedge 1.0.0'),
  erased(at(hour), a, strap.tag, controller),
])
const holed = control(a, [damaged(at(hour), left, 11, 15, 40)])

export const shipments: readonly Case[] = [
  [
    'shipment',
    'a shipment with two members, one that joined, custody and close',
    shown(whole, windows),
    fine,
  ],
  [
    'shipment-of-one',
    'a shipment of one probe whose window is cut exactly',
    shown(alone(left, 11, 30), [leftWindow]),
    fine,
  ],
  ['shipment-of-none', 'a shipment without a single member', shown(travel([], [], []), []), fine],
  [
    'shipment-part-of-the-way',
    'events from the middle of a shipment say nothing of its members',
    shown(whole, [], { from: 1, to: 4 }),
    fine,
  ],
  [
    'shipment-member-silent',
    'a member of which nothing came within its promise',
    shown(alone(idle, 12, 11), [{ of: idle, from: 3, to: 12 }]),
    fine,
  ],
  [
    'shipment-member-silent-too-long',
    'a member of which nothing came for longer than its promise',
    shown(alone(left, 11, 10), [{ of: left, from: 3, to: 11 }]),
    incomplete,
  ],
  [
    'shipment-member-never-heard',
    'a member of which the first reading came after the close',
    shown(alone(later, 0, -1), [{ of: later, from: 0, to: 1 }]),
    fine,
  ],
  [
    'shipment-member-promises-nothing',
    'a member that promises nothing has no edges to keep',
    shown(alone(late, 12, 13), [{ of: late, from: 12, to: 14 }]),
    fine,
  ],
  [
    'shipment-member-with-gaps',
    'a member whose window begins and ends with a declared gap',
    shown(alone(gapped, 11, 27), [{ of: gapped, from: 11, to: 28 }]),
    withGaps,
  ],
  [
    'shipment-member-damaged',
    'a member whose first readings are gone and declared',
    sealedOnce(
      [holed, left, alone(left, 11, 30)],
      [{}, { from: 11, to: 31, gone: [[11, 15]] }, {}],
    ),
    withGaps,
  ],
  [
    'shipment-member-hidden',
    'a member with a hidden reading',
    shown(alone(left, 11, 30), [{ ...leftWindow, show: (i) => (i === 30 ? 'hide' : 'open') }]),
    undetermined,
  ],
  [
    'shipment-member-without-clock',
    'a member whose clock was never set keeps its edges by the monotonic clock',
    shown(alone(unsynced, 11, 30), [{ of: unsynced, from: 11, to: 31 }]),
    fine,
  ],
  [
    'shipment-member-of-unknown-time',
    'a member of another boot without a clock: nobody knows its edges',
    shown(alone(rebooted, 11, 30), [{ of: rebooted, from: 11, to: 31 }]),
    incomplete,
  ],
  [
    'shipment-member-erased',
    'a member that was erased has its window and no more',
    sealedOnce(
      [strapErased, strap, alone(strap, 11, 30)],
      [{}, { from: 11, to: 31, show: () => 'hide' }, {}],
    ),
    'PPPPPPPPPPPPPNPP complete',
  ],
  [
    'shipment-member-lost-at-its-edge',
    'a lost reading at the edge of a window is a declared gap',
    shown(alone(frameless, 11, 30), [{ of: frameless, from: 11, to: 31 }]),
    withGaps,
  ],
]
