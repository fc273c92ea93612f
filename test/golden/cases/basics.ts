// Golden: what ordinary files look like.

import { utf8 } from '../bytes.ts'
import { type Case, fine, undetermined } from '../case.ts'
import { cut } from '../evidence.ts'
import { history } from '../history.ts'
import { a, embedded, w1 } from '../people.ts'
import {
  at,
  booted,
  configured,
  hour,
  minute,
  opened,
  reading,
  second,
  series,
} from '../records.ts'
import { control } from '../streams.ts'
import { minutes, probe, probeOf, seal, sealedEvery, sealedOnce } from './worlds.ts'

const probes = [1, 2, 3, 4].map((number) => probe(number, 100))
const [p1 = probe(1, 100), p2 = p1, p3 = p1] = probes
/** Four probes, a hundred minutes, a batch every five: twenty headers. */
export const store = sealedEvery(5, probes)

export const daily = probeOf(minutes(96, 0, hour), { promise: [2, hour, minute] })
/** Four days of a reading every hour, sealed each midnight. */
export const fourDays = sealedEvery(24, [daily], hour)

const log = control(a, [
  booted(at(-30 * second), 'kedge 1.0.0'),
  configured(at(-20 * second), utf8('site: warehouse\n')),
  opened(at(-10 * second), p1.descriptor),
  opened(at(-10 * second), p2.descriptor),
])
const logged = history(a, [
  {
    at: 2 * hour,
    grown: [
      [log, 4],
      [p1, 60],
      [p2, 61],
    ],
  },
])

const long = probeOf(
  series(2_000, (i) => reading('t', [400 + ((i * 37) % 90), -2], at(i * minute))),
  { kinds: ['t'] },
)

export const oneReading = cut(
  store,
  [{ of: p2, from: 41, to: 42 }],
  [seal(store, 8, [embedded], 20)],
)

const quiet = history(a, [
  { at: 10 * minute, grown: [[p1, 10]] },
  { at: 70 * minute, grown: [] },
  { at: 80 * minute, grown: [[p1, 60]] },
  { at: 140 * minute, grown: [] },
])

export const basics: readonly Case[] = [
  [
    'one-reading',
    'one reading among many, anchored only inside its own gateway',
    oneReading,
    'PPPPPPPPPPPNNNNP complete',
  ],
  [
    'one-reading-without-trust',
    'without a trust file the hashes and signatures hold and nobody vouches for them',
    oneReading,
    'PPPPPPPPNNNNNNNP undetermined',
    { trust: null },
  ],
  [
    'one-reading-independent',
    'one reading under an anchor that somebody else keeps',
    cut(store, [{ of: p2, from: 41, to: 42 }], [seal(store, 8, [w1], 10)]),
    fine,
  ],
  [
    'one-reading-first-header',
    'the first reading of all under the first header of all has no path',
    cut(store, [{ of: p1, from: 0, to: 1 }], [seal(store, 0)]),
    fine,
  ],
  [
    'range-of-four-days',
    'four days with a seal a day: the stream is fixed at each of them',
    cut(
      fourDays,
      [{ of: daily, from: 3, to: 94 }],
      [0, 1, 2, 3].map((seq) => seal(fourDays, seq)),
    ),
    fine,
  ],
  ['range-of-2000', 'two thousand readings in one range', sealedOnce([long]), fine],
  [
    'range-with-hidden-readings',
    'a hidden reading leaves the promise undetermined',
    sealedOnce([probeOf(minutes(6))], [{ show: (i) => (i === 2 ? 'hide' : 'open') }]),
    undetermined,
  ],
  [
    'range-all-hidden',
    'with nothing opened nothing is disclosed and nothing determined',
    sealedOnce([probeOf(minutes(6))], [{ show: () => 'hide' }]),
    'PPPNPPPPPPPPPNNN undetermined',
  ],
  [
    'streams-and-their-openings',
    'two probes and the control stream that says when each was opened',
    cut(
      logged,
      [
        { of: log, from: 0, to: 4 },
        { of: p1, from: 5, to: 30 },
        { of: p2, from: 0, to: 61 },
      ],
      [seal(logged, 0)],
    ),
    fine,
  ],
  [
    'two-ranges-of-one-stream',
    'two ranges of one probe, proved together',
    cut(
      store,
      [
        { of: p1, from: 1, to: 4 },
        { of: p1, from: 7, to: 9 },
        { of: p3, from: 2, to: 5 },
      ],
      [seal(store, 0), seal(store, 1)],
    ),
    fine,
  ],
  [
    'range-before-the-seal-between',
    'a range that ends where a seal ends, and another under the next seal',
    cut(
      store,
      [
        { of: p1, from: 0, to: 5 },
        { of: p1, from: 6, to: 8 },
      ],
      [seal(store, 0), seal(store, 1)],
    ),
    fine,
  ],
  [
    'heartbeat-headers',
    'batches without a segment stand in the history as signs of life',
    cut(quiet, [{ of: p1, from: 0, to: 60 }], [seal(quiet, 0, [w1], 2), seal(quiet, 2, [w1], 4)]),
    fine,
  ],
]
