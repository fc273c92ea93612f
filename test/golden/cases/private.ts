// Private readings where what is hidden, and what is not, makes the difference.
import type { Item } from '../bytes.ts'
import { type Case, fine, incomplete, undetermined } from '../case.ts'
import { a, controller } from '../people.ts'
import { alive, at, booted, type Draft, gap, lost, minute, start } from '../records.ts'
import { control, damaged, erased, type Stream } from '../streams.ts'
import { list } from '../tamper.ts'
import { bare, minutes, probe, probeOf, sealedOnce } from './worlds.ts'

const wearing = (leaves: readonly Draft[], promise: Item = [2, minute, minute / 2]): Stream =>
  probeOf(leaves, { source: 'bed 12', kinds: ['heart-rate'], promise })

const counted = (counters: readonly number[]): Item =>
  sealedOnce([
    wearing(
      counters.map((counter, i) => bare(i, { 5: counter })),
      [1, 256, 2 * minute],
    ),
  ])

const clockless = wearing([
  bare(0, { 8: [null, 0, null] }),
  bare(1, { 8: [start + minute, 2, null] }),
  bare(2),
])

/** Readings at these minutes of which the second is hidden. */
const secondHidden = (...at: readonly number[]): Item =>
  sealedOnce(
    [probeOf(at.flatMap((i) => minutes(1, i)))],
    [{ show: (i) => (i === 1 ? 'hide' : 'open') }],
  )

const fifth = probe(1, 5)
const sixth = probe(2, 5)
const mistaken = list(damaged(at(minute), fifth, 1, 3, 5) as readonly Item[])
const misfiled: Draft = mistaken.map((part, i) => (i === 2 ? sixth.tag : part))

const pseudonym = (leaf: Draft): Item => {
  const epoch = probeOf([bare(0), leaf], {
    number: 5,
    source: 'c0ffee',
    kinds: ['heart-rate'],
    erasable: true,
  })
  const log = control(a, [booted(at(0), 'kedge 1.0.0'), erased(at(0), a, epoch.tag, controller)])
  return sealedOnce([log, epoch], [{}, { show: (i) => (i === 0 ? 'hide' : 'open') }])
}
const erasedWithGap = 'PPPPPPPPPPPPPNPP complete-with-declared-gaps'

export const privates: readonly Case[] = [
  ['private-counter', 'a private counter that wraps', counted([254, 255, 0, 1]), fine],
  ['private-counter-jump', 'a private counter that jumps', counted([254, 255, 1]), incomplete],
  [
    'private-without-wall',
    'private readings whose clock was not set, or nobody knows how well',
    sealedOnce([clockless]),
    fine,
  ],
  [
    'private-without-wall-within-lag',
    'a private reading of unknown time has an unknown lag',
    sealedOnce([clockless]),
    undetermined,
    { maxLagMs: 41 * 24 * 60 * minute },
  ],
  [
    'hidden-between-far-readings',
    'nothing is judged across a hidden reading',
    secondHidden(0, 15, 30),
    undetermined,
  ],
  [
    'hidden-before-far-readings',
    'after a hidden reading the promise is judged again',
    secondHidden(0, 1, 2, 9),
    incomplete,
  ],
  [
    'quiet-leaves-keep-no-period',
    'a quiet leaf does not stand for a reading that was promised',
    sealedOnce([
      probeOf([bare(0), alive(null), bare(2)], {
        source: 'c0ffee',
        kinds: ['heart-rate'],
        erasable: true,
      }),
    ]),
    incomplete,
  ],
  [
    'reading-from-before-a-sign-of-life',
    'a reading that is older than the sign of life before it, though nothing is promised',
    sealedOnce([
      probeOf([...minutes(1, 5), alive(at(9 * minute)), ...minutes(1, 7)], { promise: null }),
    ]),
    incomplete,
  ],
  [
    'readings-of-one-moment',
    'two readings of one moment',
    sealedOnce([probeOf([...minutes(1), ...minutes(1)])]),
    fine,
  ],
  [
    'damage-declared-of-the-neighbour',
    'damage declared under the right root and the wrong stream',
    sealedOnce([control(a, [misfiled]), fifth, sixth], [{}, { gone: [[1, 3]] }, {}]),
    incomplete,
  ],
  [
    'erased-with-gap-only',
    'a gap in an erased stream',
    pseudonym(gap(null, 'strap', 1)),
    erasedWithGap,
  ],
  [
    'erased-with-lost-only',
    'a lost reading in an erased stream',
    pseudonym(lost('frame')),
    erasedWithGap,
  ],
]
