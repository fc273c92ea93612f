// Streams and ranges that pose as others.
import { hex } from '../bytes.ts'
import { type Case, failsAt, fine, incomplete, undetermined } from '../case.ts'
import { cut, file, inRange } from '../evidence.ts'
import { a } from '../people.ts'
import { alive, at, booted, close, minute } from '../records.ts'
import { control } from '../streams.ts'
import { pick, put } from '../tamper.ts'
import { asked } from './asked.ts'
import { alone, shown } from './shipped.ts'
import { bare, minutes, probe, probeOf, seal, sealedEvery, sealedOnce } from './worlds.ts'

const real = probe(1, 10)
const poser = probeOf(minutes(5), { number: 2, source: hex(real.tag) })
const successor = probeOf(minutes(10, 10), { number: 2, predecessor: real.tag })
const twins = sealedOnce([real, successor])

const other = probe(1, 10)
const rewritten = probeOf([...minutes(2, 50), ...minutes(8, 2)])
const sealed = sealedEvery(5, [other])
const ranges = [
  { of: other, from: 0, to: 2 },
  { of: other, from: 7, to: 10 },
]
const together = cut(sealed, ranges, [seal(sealed, 1)])
const rewrittenSeal = sealedEvery(10, [rewritten])
/** The frontier that a range of another past would have on its left. */
const otherPast = pick(
  cut(rewrittenSeal, [{ of: rewritten, from: 7, to: 10 }], [seal(rewrittenSeal, 0)]),
  [file.ranges, 0, inRange.left],
)

const closed = probeOf([...minutes(10), close(at(10 * minute))])

const log = control(a, [booted(at(0), 'kedge 1.0.0'), booted(at(minute), 'kedge 1.0.0')])

/** A wearable that was heard once in a shipment of days, between two signs of life that state no time. */
const strap = probeOf([alive(null), bare(2 * 24 * 60), alive(null)], {
  number: 4,
  source: 'b0b0',
  kinds: ['heart-rate'],
  erasable: true,
  promise: [3, 20 * minute],
})

export const twinCases: readonly Case[] = [
  [
    'expect-source-that-is-a-tag',
    "a stream that is called by another's tag does not answer for it",
    sealedOnce([poser]),
    incomplete,
    { expect: [`${hex(real.tag)},0,4`] },
  ],
  [
    'expect-index-of-two-streams',
    'an index says nothing where two streams have the same name',
    twins,
    undetermined,
    { expect: ['probe-1,0,9'] },
  ],
  [
    'expect-index-of-one-of-two-streams',
    'by its tag each of two streams of one name answers',
    twins,
    fine,
    { expect: [`${hex(successor.tag)},0,9`] },
  ],
  [
    'expect-joined-to-another-source',
    'a stream that goes on from another probe does not answer with its readings',
    sealedOnce([
      closed,
      probeOf(minutes(10, 10), { number: 2, source: 'probe-2', predecessor: closed.tag }),
    ]),
    'PPPPPPPPPPPPPNNP complete-with-declared-gaps',
    { expect: [asked(5 * minute, 15 * minute, 'probe-2')] },
  ],
  ['ranges-proved-together', 'two ranges of one probe and what lies between', together, fine],
  [
    'ranges-of-two-histories',
    'a later range that brings its own past',
    put(together, [file.ranges, 1, inRange.left], otherPast),
    failsAt(5),
  ],
  [
    'range-with-right-before-another',
    'a range that is not the last and yet has hashes to its right',
    put(together, [file.ranges, 0, inRange.right], new Uint8Array(32)),
    failsAt(2),
  ],
  [
    'hidden-in-control-stream',
    'a control record that is hidden',
    sealedOnce([log], [{ show: () => 'hide' }]),
    failsAt(4),
  ],
  [
    'shipment-member-without-times-at-its-ends',
    'signs of life without a time show nothing of when a member came and went',
    shown(alone(strap, 0, 2), [{ of: strap, from: 0, to: 3 }]),
    'PPPPPPPPPPPPPNNN undetermined',
  ],
]
