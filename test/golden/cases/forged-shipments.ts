import { type Case, incomplete } from '../case.ts'
import { seeded } from '../hash.ts'
import { at, close, joins, minute, open } from '../records.ts'
import {
  alone,
  joiner,
  joinerWindow,
  left,
  leftWindow,
  past,
  rightWindow,
  shipment,
  shown,
  tagged,
  travel,
  usualFirst,
  usualLast,
  whole,
  windows,
} from './shipped.ts'
import { minutes, probeOf, sealedOnce } from './worlds.ts'

const torn = probeOf([...minutes(15), ...minutes(20, 18)])

export const forgedShipments: readonly Case[] = [
  [
    'shipment-without-a-member',
    'a shipment shown without one of its members',
    shown(whole, [leftWindow, joinerWindow]),
    incomplete,
  ],
  [
    'shipment-without-the-joined-member',
    'a shipment shown without the member that joined on the way',
    shown(whole, [leftWindow, rightWindow]),
    incomplete,
  ],
  [
    'shipment-window-starts-late',
    'a member shown from one reading too late',
    shown(whole, [{ ...leftWindow, from: 12 }, rightWindow, joinerWindow]),
    incomplete,
  ],
  [
    'shipment-window-ends-early',
    'a member shown up to one reading too early',
    shown(whole, [{ ...leftWindow, to: 30 }, rightWindow, joinerWindow]),
    incomplete,
  ],
  [
    'shipment-first-edge-late',
    'a member that begins later than one promise after the shipment opened',
    shown(alone(left, 13, 30), [{ of: left, from: 11, to: 31 }]),
    incomplete,
  ],
  [
    'shipment-first-edge-long-before',
    'a member whose first leaf is from long before the shipment opened',
    shown(alone(left, 3, 30), [{ of: left, from: 3, to: 31 }]),
    incomplete,
  ],
  [
    'shipment-last-edge-early',
    'a member that ends earlier than one promise before the shipment closed',
    shown(alone(left, 11, 28), [{ of: left, from: 11, to: 31 }]),
    incomplete,
  ],
  [
    'shipment-join-edge-late',
    'a joined member that begins later than one promise after it joined',
    shown(travel(usualFirst, usualLast, [joins(past(20), joiner.tag, 23)]), [
      leftWindow,
      rightWindow,
      joinerWindow,
    ]),
    incomplete,
  ],
  [
    'shipment-never-closed',
    'a shipment that was never closed',
    shown(shipment([open(past(10), 'S-2026-117', usualFirst), tagged(past(25))]), [
      leftWindow,
      rightWindow,
    ]),
    incomplete,
  ],
  [
    'shipment-cut-before-its-close',
    'a shipment shown without its close',
    shown(whole, windows, { to: 4 }),
    incomplete,
  ],
  [
    'shipment-cut-after-its-opening',
    'a shipment shown without its opening',
    shown(whole, windows, { from: 1 }),
    incomplete,
  ],
  [
    'shipment-closed-without-members',
    'a shipment whose close names nobody',
    shown(shipment([open(past(10), 'S-1', usualFirst), close(past(30))]), [
      leftWindow,
      rightWindow,
    ]),
    incomplete,
  ],
  [
    'shipment-close-without-shipment',
    'a probe that closes as if it were a shipment',
    sealedOnce([probeOf([...minutes(2), close(at(2 * minute), [])])]),
    incomplete,
  ],
  [
    'shipment-close-forgets-a-member',
    'a close that does not name a member of the opening',
    shown(travel(usualFirst, usualLast.slice(1)), windows),
    incomplete,
  ],
  [
    'shipment-close-invents-a-member',
    'a close that names a member that never joined',
    shown(travel(usualFirst, usualLast, []), windows),
    incomplete,
  ],
  [
    'shipment-joined-twice',
    'a member that joins although it was there from the start',
    shown(travel(usualFirst, usualLast.slice(0, 2), [joins(past(20), left.tag, 21)]), windows),
    incomplete,
  ],
  [
    'shipment-ends-before-it-begins',
    'a member whose last reading lies two before its first',
    shown(alone(left, 31, 29), [{ of: left, from: 11, to: 40 }]),
    incomplete,
  ],
  [
    'shipment-of-unknown-stream',
    'a member that is no stream of this gateway',
    shown(travel([[seeded('nobody'), 0]], [[seeded('nobody'), 3]], []), [leftWindow]),
    incomplete,
  ],
  [
    'shipment-promise-broken-inside',
    'a member with a hole in its window',
    shown(alone(torn, 11, 27), [{ of: torn, from: 11, to: 28 }]),
    incomplete,
  ],
  [
    'shipment-silent',
    'a shipment whose own events came further apart than it promised',
    shown(
      shipment(
        [open(past(10), 'S-1', []), tagged(past(25)), close(past(30), [])],
        [3, 10 * minute],
      ),
      [],
    ),
    incomplete,
  ],
]
