// Part 2 of section 12: what may stand at the edges of a member's window.
import { type Case, fine, incomplete, undetermined } from '../case.ts'
import { a, controller } from '../people.ts'
import { alive, at, booted, close, hour, minute, open } from '../records.ts'
import { control, erased, type Stream } from '../streams.ts'
import { alone, past, shipment, shown, tagged, travel } from './shipped.ts'
import { bare, minutes, probeOf, sealedOnce } from './worlds.ts'

/** A reader that promises a sign of life every twenty minutes: this leaf is its first in the shipment. */
const reader = (firstAt: number): Stream =>
  probeOf([...minutes(1), alive(at(firstAt * minute)), ...minutes(1, 30)], {
    promise: [3, 20 * minute],
  })
const late = probeOf([...minutes(11), alive(at(28 * minute)), ...minutes(1, 32)], {
  promise: [3, 17 * minute],
})
/** A probe that closed after so many minutes. */
const closed = (after: number): Stream => probeOf([...minutes(after), close(at(after * minute))])
const forgetful = probeOf(minutes(40), { promise: null })
const strap = probeOf(
  Array.from({ length: 40 }, (_, i) => bare(i)),
  { number: 4, source: 'b0b0', kinds: ['heart-rate'], erasable: true },
)
const log = control(a, [booted(at(0), 'kedge 1.0.0'), erased(at(hour), a, strap.tag, controller)])
const quiet = probeOf([bare(5), alive(null), bare(29)], {
  number: 4,
  source: 'b0b0',
  kinds: ['heart-rate'],
  erasable: true,
  promise: [3, 20 * minute],
})
const one = travel([], [], [])
const inner = shipment([open(past(10), 'S-2', []), tagged(past(20)), close(past(30), [])])
const outer = probeOf(
  [open(past(10), 'S-3', [[inner.tag, 1]]), close(past(31), [[inner.tag, 2]])],
  { number: 12, source: 'dock-5/S-3', kinds: [], promise: null },
)

export const memberEdges: readonly Case[] = [
  [
    'shipment-member-of-one-reading',
    'a member of which one reading came, within its promise of either end',
    shown(alone(reader(20), 1, 1), [{ of: reader(20), from: 1, to: 2 }]),
    fine,
  ],
  [
    'shipment-member-begins-with-late-sign-of-life',
    'a sign of life that came later than one promise after the shipment opened',
    shown(alone(late, 11, 11), [{ of: late, from: 11, to: 12 }]),
    incomplete,
  ],
  [
    'shipment-member-closed-in-time',
    'a member that closed within its promise of the close of the shipment',
    shown(alone(closed(30), 11, 30), [{ of: closed(30), from: 11, to: 31 }]),
    fine,
  ],
  [
    'shipment-member-closed-too-soon',
    'a member that closed earlier than one promise before the shipment did',
    shown(alone(closed(28), 11, 28), [{ of: closed(28), from: 11, to: 29 }]),
    incomplete,
  ],
  [
    'shipment-member-begins-without-a-time',
    'a quiet leaf at the edge of a window shows nothing of its time',
    shown(alone(quiet, 1, 2), [{ of: quiet, from: 0, to: 3 }]),
    undetermined,
  ],
  [
    'shipment-member-of-less-than-nothing',
    'a member that promises nothing and ends two before its first index',
    shown(alone(forgetful, 31, 29), [{ of: forgetful, from: 11, to: 40 }]),
    incomplete,
  ],
  [
    'shipment-member-erased-and-silent',
    'an erased member of which nothing came has no edges to keep',
    sealedOnce(
      [log, strap, alone(strap, 12, 11)],
      [{}, { from: 11, to: 31, show: () => 'hide' }, {}],
    ),
    'PPPPPPPPPPPPPNPP complete',
  ],
  [
    'shipment-with-a-hidden-event',
    'a shipment of whose own events one is hidden',
    shown(one, [], { show: (i) => (i === 1 ? 'hide' : 'open') }),
    undetermined,
  ],
  [
    'shipment-of-a-shipment',
    'a shipment that travels in another',
    sealedOnce([inner, outer]),
    fine,
  ],
]
