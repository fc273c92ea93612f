// Forged: a header shown as another (line 7).
import type { Item } from '../bytes.ts'
import { type Case, failsAt } from '../case.ts'
import { cut, file, inCheckpoint, inSeal } from '../evidence.ts'
import { checkpoint, type History, history, signedCheckpoint } from '../history.ts'
import { a, b, w1 } from '../people.ts'
import { minute } from '../records.ts'
import { gateway } from '../streams.ts'
import { change, flip, list, pick, put } from '../tamper.ts'
import { by, grow, grown, sealedAt, takenAt, ten, under } from './witnessed.ts'
import { anchorsBy, seal } from './worlds.ts'

const good = under([by(w1)])
const range = { of: ten, from: 0, to: 10 }
const path = [file.seals, 0, inSeal.checkpoints, 0]
const header = [file.seals, 0, inSeal.header]
const other = grow(ten, [4 * minute, sealedAt - 1])
const foreign = history(b, [{ at: sealedAt, grown: [[ten, 10]] }])
const reborn = history(gateway(a.key, 1), [{ at: sealedAt, grown: [[ten, 10]] }])
const misnumbered = history(a, [
  { at: minute, grown: [] },
  { at: sealedAt, grown: [[ten, 10]], seq: 0 },
])
const sha = grow(ten, undefined, { ...a, hash: 2 })

/** Header 0 under a second checkpoint, which says what it likes. */
const alsoUnder = (size: number, root: Uint8Array): Item => {
  const from = history(a, [
    { at: sealedAt, grown: [[ten, 10]] },
    ...[20, 30, 40].map((i) => ({ at: i * minute, grown: [] })),
  ])
  const of = checkpoint(from, 3)
  const forged = signedCheckpoint(a, size, root)
  const anchors = (one: typeof of) => anchorsBy(one, checkpoint(from, 1), takenAt, [w1])
  const tree = cut(
    from,
    [range],
    [
      {
        seq: 0,
        checkpoints: [
          { of, anchors: anchors(of) },
          { of: forged, anchors: anchors(forged) },
        ],
      },
    ],
  )
  return put(
    tree,
    [file.seals, 0, inSeal.checkpoints, 1, inCheckpoint.path],
    pick(tree, [...path, inCheckpoint.path]),
  )
}
const mixed = (first: History, second: History): Item => {
  const [, , early = null] = list(cut(first, [{ ...range, to: 5 }], [seal(first, 0)]))
  const [streams = null, ranges = null, late = null] = list(cut(second, [range], [seal(second, 1)]))
  return [streams, ranges, [...list(early), ...list(late)]]
}
const sameSize = (): Item => {
  const [, , early = null] = list(cut(other, [{ ...range, to: 5 }], [seal(other, 0, [w1], 2)]))
  const [streams = null, ranges = null, late = null] = list(cut(grown, [range], [seal(grown, 1)]))
  return [streams, ranges, [...list(early), ...list(late)]]
}
const sameRoot = checkpoint(
  history(a, [
    { at: sealedAt, grown: [[ten, 10]] },
    ...[20, 30, 40].map((i) => ({ at: i * minute, grown: [] })),
  ]),
  3,
).root

export const forgedHistories: readonly Case[] = [
  [
    'header-swapped',
    'a header in the place of the one that was signed',
    put(good, header, other.batches[1]?.header ?? null),
    failsAt(7),
  ],
  [
    'header-misnumbered',
    'a header under the number of another',
    cut(misnumbered, [range], [seal(misnumbered, 1)]),
    failsAt(7),
  ],
  [
    'header-beyond-checkpoint',
    'a checkpoint from before the header',
    put(good, [...path, inCheckpoint.size], 1),
    failsAt(7),
  ],
  [
    'header-of-another-gateway',
    'a header of another gateway',
    cut(foreign, [range], [seal(foreign, 0)]),
    failsAt(7),
  ],
  [
    'header-of-another-incarnation',
    'a header of another incarnation',
    cut(reborn, [range], [seal(reborn, 0)]),
    failsAt(7),
  ],
  [
    'checkpoint-root-changed',
    'a checkpoint of another root',
    change(good, [...path, inCheckpoint.root], flip()),
    failsAt(7),
  ],
  [
    'checkpoint-of-another-size',
    'a checkpoint of another size',
    put(good, [...path, inCheckpoint.size], 3),
    failsAt(7),
  ],
  [
    'checkpoint-of-another-hash',
    'a history of SM3 shown as one of SHA-256',
    put(good, [...path, inCheckpoint.hash], 2),
    failsAt(7),
  ],
  ['two-hashes', 'two seals from histories of two hashes', mixed(sha, grown), failsAt(7)],
  ['one-root-under-two-sizes', 'one root signed for two sizes', alsoUnder(4, sameRoot), failsAt(7)],
  ['two-roots-of-one-size', 'two histories of one size', sameSize(), failsAt(7)],
]
