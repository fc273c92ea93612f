// Line 10: anchors that do not hold, and forks.
import { encode, type Item, raw } from '../bytes.ts'
import type { Case, Forged } from '../case.ts'
import { cut } from '../evidence.ts'
import { checkpoint } from '../history.ts'
import { b, w1, w2 } from '../people.ts'
import { minute, start } from '../records.ts'
import { bytes, flip, list } from '../tamper.ts'
import { keep } from '../witness.ts'
import {
  by,
  grow,
  grown,
  sealedAt,
  stranger,
  takenAt,
  ten,
  unanchored,
  under,
} from './witnessed.ts'
import { seal } from './worlds.ts'

const broken = 'PPPPPPPPPFNNNNNP invalid'

/** The hospital's proof with its parts changed: key, rules, number, previous, wall, signature. */
const altered = (by: (parts: readonly Item[]) => readonly Item[]): Item => {
  const [before, entry] = keep(w1, [
    [checkpoint(grown, 1), takenAt],
    [checkpoint(grown, 2), takenAt],
  ])
  const whole = [w1.key.publicKey, 1, 1, before?.message ?? null, start + takenAt]
  return [1, encode(by([...whole, entry?.signature ?? null]))]
}
const [kind = null, proof = null] = list(by(w1))
const onGatewayB = grow(ten, undefined, b)
const fork = grow(ten, [4 * minute, sealedAt])

const spoilt: readonly Forged[] = [
  [
    'anchor-of-another-gateway',
    'an anchor that another gateway got',
    by(w1, 2, takenAt, onGatewayB),
  ],
  ['anchor-of-another-size', 'an anchor for another size', by(w1, 3)],
  [
    'anchor-of-another-root',
    'an anchor for another history of the same size',
    by(w1, 2, takenAt, fork),
  ],
  [
    'anchor-by-stranger-fails',
    'an anchor that does not hold, though nobody pinned its ledger',
    by(stranger, 3),
  ],
  [
    'anchor-signature-changed',
    'an anchor with one bit of its signature turned',
    [kind, flip(-1)(proof)],
  ],
  [
    'anchor-antedated',
    'an anchor whose time was set back',
    altered((p) => [...p.slice(0, 4), start + takenAt - 1, ...p.slice(5)]),
  ],
  [
    'anchor-without-its-time',
    'an anchor whose time was taken out',
    altered((p) => [...p.slice(0, 4), null, ...p.slice(5)]),
  ],
  [
    'anchor-renumbered',
    'an anchor under another number',
    altered((p) => [...p.slice(0, 2), 2, ...p.slice(3)]),
  ],
  [
    'anchor-of-other-rules',
    'an anchor that claims other rules than were signed',
    altered((p) => [p[0] ?? null, 0, ...p.slice(2)]),
  ],
  ['anchor-of-unknown-rules', 'a witness of rules that do not exist', by({ ...w1, rules: 2 })],
  [
    'anchor-under-another-key',
    'an anchor under the key of another witness',
    altered((p) => [w2.key.publicKey, ...p.slice(1)]),
  ],
  [
    'anchor-key-not-on-curve',
    'an anchor under a key that is no key',
    altered((p) => [flip(64)(p[0] ?? null), ...p.slice(1)]),
  ],
  ['anchor-empty', 'an anchor of no bytes', [1, new Uint8Array()]],
  ['anchor-cut', 'an anchor that ends too early', [1, bytes(proof).slice(0, -1)]],
  [
    'anchor-with-rest',
    'an anchor with a byte after its end',
    [1, Uint8Array.of(...bytes(proof), 0)],
  ],
  [
    'anchor-not-shortest',
    'an anchor that writes a number longer than it is',
    altered((p) => [...p.slice(0, 2), raw('1801'), ...p.slice(3)]),
  ],
  ['anchor-of-seven', 'an anchor with one thing more than it has', altered((p) => [...p, null])],
  ['anchor-too-long', 'an anchor of more than 1,024 bytes', [1, new Uint8Array(1_025)]],
]

/** The first seal from a fork, the second from the history that was anchored. */
const forkInside = (anchors: readonly Item[]): Item => {
  const range = { of: ten, from: 0, to: 10 }
  const inner = { seq: 0, checkpoints: [{ of: checkpoint(fork, 3), anchors }] }
  const [streams = null, ranges = null, seals = null] = list(
    cut(grown, [range], [seal(grown, 0), seal(grown, 1)]),
  )
  const [, , forked = null] = list(cut(fork, [{ ...range, to: 5 }], [inner]))
  return [streams, ranges, [list(forked)[0] ?? null, list(seals)[1] ?? null]]
}

export const forgedAnchors: readonly Case[] = [
  ...spoilt.map(([name, title, anchor]): Case => [name, title, under([anchor]), broken]),
  [
    'anchor-beside-a-good-one',
    'an anchor that does not hold is not healed by one that does',
    under([by(w1), by(w2, 3)]),
    broken,
  ],
  [
    'fork-inside-unanchored',
    'an inner seal on a fork that the gateway signed and no ledger took',
    forkInside([]),
    unanchored,
  ],
  [
    'fork-inside-with-the-real-anchor',
    'an inner seal on a fork with the anchor of the real history',
    forkInside([by(w1, 3)]),
    broken,
  ],
]
