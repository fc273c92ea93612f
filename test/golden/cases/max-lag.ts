// Part 4 of section 12: how soon a reading was fixed.
import type { Item } from '../bytes.ts'
import { type Answer, type Case, fine, incomplete, undetermined } from '../case.ts'
import { cut } from '../evidence.ts'
import { a, embedded } from '../people.ts'
import { at, hour, noted, second } from '../records.ts'
import { control } from '../streams.ts'
import { unbounded } from './asked.ts'
import { daily, fourDays } from './basics.ts'
import { minutes, probe, probeOf, seal, sealedOnce } from './worlds.ts'

const lag = 23 * hour + 4 * second + 40
const days = cut(
  fourDays,
  [{ of: daily, from: 0, to: 96 }],
  [0, 1, 2, 3].map((seq) => seal(fourDays, seq)),
)
const oneSeal = cut(fourDays, [{ of: daily, from: 0, to: 96 }], [seal(fourDays, 3)])
const inside = cut(fourDays, [{ of: daily, from: 0, to: 96 }], [seal(fourDays, 3, [embedded])])
const structural = sealedOnce([
  control(a, [noted(at(0, { wall: null, clock: 0, bound: null }), 'x', new Uint8Array())]),
])
const forty = 40 * 24 * hour + 3 * second + 40

const byLag: readonly (readonly [string, string, Item, number, Answer])[] = [
  ['max-lag', 'every reading was fixed by the next midnight', days, lag, fine],
  ['max-lag-missed', 'a reading fixed one millisecond later than asked', days, lag - 1, incomplete],
  ['max-lag-thinned', 'with the last seal alone the lag is four days', oneSeal, lag, incomplete],
  [
    'max-lag-without-independent-anchor',
    'a ledger inside the gateway fixes nothing in time',
    inside,
    4 * 24 * hour,
    'PPPPPPPPPPPNNNNN undetermined',
  ],
  [
    'max-lag-of-hidden',
    'nobody knows when a hidden reading was taken',
    sealedOnce([probe(1, 5)], [{ show: (i) => (i === 2 ? 'hide' : 'open') }]),
    forty,
    undetermined,
  ],
  [
    'max-lag-of-unknown-bound',
    'a reading of unknown error has an unknown lag',
    sealedOnce([probeOf([...minutes(3), unbounded(3)])]),
    forty,
    undetermined,
  ],
  ['max-lag-of-known', 'the same without it', sealedOnce([probe(1, 3)]), forty, fine],
  ['max-lag-of-structural', 'a record without a clock is passed over', structural, 0, fine],
]

export const maxLag: readonly Case[] = byLag.map(
  ([name, title, tree, maxLagMs, answer]): Case => [name, title, tree, answer, { maxLagMs }],
)
