// Rotations, incarnations and the two hashes of a history.
import type { Item } from '../bytes.ts'
import { type Case, fine } from '../case.ts'
import { cut } from '../evidence.ts'
import { checkpoint, history, rotationMessage } from '../history.ts'
import { key, sign } from '../keys.ts'
import { a, w1 } from '../people.ts'
import { at, minute, rotated, second } from '../records.ts'
import { control, gateway, stream } from '../streams.ts'
import { keyed, unsigned } from './signers.ts'
import { grown, ten } from './witnessed.ts'
import { minutes, seal, sealedEvery, sealOf } from './worlds.ts'

const next = key('gateway a, second')
const told = control(a, [rotated(at(6 * minute), next, 1)])
const handedOver = history(a, [
  { at: 4 * minute + second, grown: [[ten, 5]] },
  {
    at: 6 * minute + second,
    grown: [
      [ten, 7],
      [told, 1],
    ],
    rotation: { key: next, signature: sign(next, rotationMessage(a, 1, next)) },
  },
  { at: 9 * minute + second, grown: [[ten, 10]] },
])
const rotation: Item = cut(
  handedOver,
  [
    { of: told, from: 0, to: 1 },
    { of: ten, from: 0, to: 10 },
  ],
  [
    seal(handedOver, 0),
    seal(handedOver, 1),
    sealOf(handedOver, 2, checkpoint(handedOver, 3, next)),
  ],
)
const bothKeys = keyed('a-rotated', [
  { key: a.key, to: 2 },
  { key: next, from: 3, to: null },
])

const later = gateway(a.key, 1)
const laterProbe = stream(
  later,
  { number: 1, source: 'probe-1', promise: [2, minute, minute / 2] },
  minutes(10),
)
const previous: Item = [0, 5, 1, checkpoint(grown, 5).root]
const reborn = (said: Item): Item => {
  const from = history(later, [
    { at: 9 * minute + second, grown: [[laterProbe, 10]], previous: said },
    { at: 20 * minute, grown: [] },
  ])
  return cut(from, [{ of: laterProbe, from: 0, to: 10 }], [seal(from, 0, [w1], 2)])
}
const secondLife = keyed('a-second-life', [{ key: a.key }, { key: a.key, incarnation: 1 }])

const guomi = sealedEvery(5, [ten])
const western = { ...a, hash: 2 } as const
const westernHistory = sealedEvery(5, [ten], minute, western)

const whole = [{ of: ten, from: 0, to: 10 }]

export const lives: readonly Case[] = [
  ['rotation', 'a key handed over to the next in between', rotation, fine, { trust: bothKeys }],
  [
    'rotation-not-known',
    'a regulator who has not heard of the new key',
    rotation,
    unsigned,
    { trust: keyed('a-not-rotated', [{ key: a.key }]) },
  ],
  [
    'rotation-of-a-size-too-late',
    'a new key that signed a size which was still the old one’s',
    rotation,
    unsigned,
    {
      trust: keyed('a-rotated-later', [
        { key: a.key, to: 3 },
        { key: next, from: 4 },
      ]),
    },
  ],
  [
    'rotation-of-a-size-too-early',
    'an old key that signed a size which was already the new one’s',
    rotation,
    unsigned,
    {
      trust: keyed('a-rotated-earlier', [
        { key: a.key, to: 1 },
        { key: next, from: 2 },
      ]),
    },
  ],
  [
    'second-life',
    'a second incarnation that names the end of the first',
    reborn(previous),
    fine,
    { trust: secondLife },
  ],
  [
    'second-life-of-nothing',
    'a second incarnation that knows no end of the first',
    reborn(null),
    fine,
    { trust: secondLife },
  ],
  ['second-life-unknown', 'a second incarnation that nobody granted', reborn(previous), unsigned],
  ['history-of-sm3', 'a history of SM3', cut(guomi, whole, [seal(guomi, 0), seal(guomi, 1)]), fine],
  [
    'history-of-sha256',
    'a history of SHA-256, its streams and batches still of SM3',
    cut(westernHistory, whole, [seal(westernHistory, 0), seal(westernHistory, 1)]),
    fine,
  ],
]
