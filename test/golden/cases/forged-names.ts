// Forged: a stream shown as another (lines 3 and 6).
import type { Item } from '../bytes.ts'
import { type Case, failsAt } from '../case.ts'
import { cut, file, inStream } from '../evidence.ts'
import { history } from '../history.ts'
import { a, b, w1 } from '../people.ts'
import { gateway, type Stream } from '../streams.ts'
import { change, flip, put } from '../tamper.ts'
import { by, sealedAt, ten, under } from './witnessed.ts'
import { minutes, probe, probeOf, seal, sealedOnce } from './worlds.ts'

const good = under([by(w1)])
const two = probe(2, 10)
const looser = probeOf(minutes(10), { promise: null })
const renamed = (of: Stream): Item =>
  put(
    put(good, [file.streams, 0, inStream.descriptor], of.descriptor),
    [file.streams, 0, inStream.tag],
    of.tag,
  )

/** Two streams side by side, whoever's they are, under a header of gateway a. */
const beside = (other: Stream): Item => sealedOnce([ten, other])
const twoOfB = probe(2, 10, b)
const twoOfSecondLife = probe(2, 10, gateway(a.key, 1))

const names: readonly Case[] = [
  [
    'probe-shown-as-another',
    'a probe shown under the description of another',
    put(good, [file.streams, 0, inStream.descriptor], two.descriptor),
    failsAt(3),
  ],
  [
    'probe-shown-as-another-with-its-tag',
    'a probe shown under the description and the tag of another',
    renamed(two),
    failsAt(6),
  ],
  [
    'promise-forgotten',
    'a probe shown as if it had promised nothing',
    put(good, [file.streams, 0, inStream.descriptor], looser.descriptor),
    failsAt(3),
  ],
  ['promise-forgotten-with-tag', 'the same under a tag that fits', renamed(looser), failsAt(6)],
  [
    'tag-changed',
    'one bit of a tag turned',
    change(good, [file.streams, 0, inStream.tag], flip()),
    failsAt(3),
  ],
  ['streams-of-two-gateways', 'streams of two gateways in one file', beside(twoOfB), failsAt(3)],
  [
    'streams-of-two-incarnations',
    'streams of two incarnations in one file',
    beside(twoOfSecondLife),
    failsAt(3),
  ],
]

const unsorted = (count?: number): Item => {
  const pair = [ten, two].sort((x, y) => -Buffer.compare(x.tag, y.tag))
  const of = history(a, [
    {
      at: sealedAt,
      grown: pair.map((one) => [one, 10]),
      unsorted: true,
      ...(count === undefined ? {} : { count }),
    },
  ])
  return cut(
    of,
    pair.map((one) => ({ of: one, from: 0, to: 10 })),
    [seal(of, 0)],
  )
}
const miscounted = (count: number): Item => {
  const of = history(a, [
    {
      at: sealedAt,
      grown: [
        [ten, 10],
        [two, 10],
        [probe(3, 10), 10],
      ],
      count,
    },
  ])
  return cut(
    of,
    [
      { of: ten, from: 0, to: 10 },
      { of: two, from: 0, to: 10 },
      { of: probe(3, 10), from: 0, to: 10 },
    ],
    [seal(of, 0)],
  )
}

const batches: readonly Case[] = [
  [
    'segments-not-by-tag',
    'a batch in which two streams stand the wrong way round',
    unsorted(),
    failsAt(6),
  ],
  [
    'header-counts-too-few',
    'a header that counts fewer segments than it has',
    miscounted(2),
    failsAt(6),
  ],
  [
    'header-counts-too-many',
    'a header that counts more segments than it has',
    miscounted(5),
    failsAt(6),
  ],
]

export const forgedNames: readonly Case[] = [...names, ...batches]
