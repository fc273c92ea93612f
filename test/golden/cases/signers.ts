import { type Case, fine } from '../case.ts'
import { checkpoint } from '../history.ts'
import { key } from '../keys.ts'
import { a, b, embedded, ledgers, w1 } from '../people.ts'
import { minute } from '../records.ts'
import { gateway } from '../streams.ts'
import { type KeyTrust, type Trust, trust } from '../trust.ts'
import { by, grown, stranger, takenAt, under, underAll } from './witnessed.ts'

export const keyed = (name: string, keys: readonly KeyTrust[], of = a): Trust =>
  trust(name, {
    gateways: [
      [of, keys],
      [b, [{ key: b.key }]],
    ],
    ledgers: [ledgers.embedded, ledgers.w1],
  })

const good = under([by(w1)])
export const unsigned = 'PPPPPPPPFPPPPNNP invalid'

/** Believes that the key of gateway a was stolen at this time. */
const stolen = (name: string, ms: number): Trust =>
  keyed(name, [{ key: a.key, compromisedAfter: ms }])
const fixed = takenAt + 2_000
const inTime = stolen('a-stolen-after', fixed)
const tooLate = stolen('a-stolen-before', fixed - 1)

export const signers: readonly Case[] = [
  [
    'key-for-just-this-size',
    'a key that may sign one size and signed it',
    good,
    fine,
    { trust: keyed('a-for-size-2', [{ key: a.key, from: 2, to: 2 }]) },
  ],
  [
    'gateway-unknown',
    'a gateway that the regulator does not know',
    good,
    unsigned,
    { trust: keyed('another-gateway', [{ key: a.key }], gateway(key('gateway c'))) },
  ],
  [
    'gateway-without-keys',
    'a gateway that the regulator knows without a key',
    good,
    unsigned,
    { trust: keyed('a-without-keys', []) },
  ],
  [
    'key-of-another-gateway',
    'a checkpoint of gateway a that gateway b signed',
    underAll([{ of: checkpoint(grown, 2, b.key), anchors: [by(w1)] }]),
    unsigned,
  ],
  [
    'key-of-another-incarnation',
    'a key that the regulator believes of another incarnation',
    good,
    unsigned,
    { trust: keyed('a-of-incarnation-1', [{ key: a.key, incarnation: 1 }]) },
  ],
  [
    'stolen-after-independent-anchor',
    'a stolen key still stands for what somebody else had taken before',
    good,
    fine,
    { trust: inTime },
  ],
  [
    'stolen-before-independent-anchor',
    'a stolen key does not stand for what was taken a millisecond too late',
    good,
    unsigned,
    { trust: tooLate },
  ],
  [
    'stolen-with-anchor-inside-the-gateway',
    'the ledger inside the gateway vouches for no stolen key',
    under([by(embedded, 2, 0)]),
    'PPPPPPPPFPPNNNNP invalid',
    { trust: inTime },
  ],
  [
    'stolen-with-witness-without-clock',
    'a witness without a clock vouches for no stolen key',
    under([by(w1, 2, null)]),
    'PPPPPPPPFPPPNNNP invalid',
    { trust: inTime },
  ],
  [
    'stolen-with-anchor-of-another-checkpoint',
    'an anchor vouches for its own checkpoint only',
    underAll([
      { of: checkpoint(grown, 2), anchors: [by(w1)] },
      { of: checkpoint(grown, 3), anchors: [by(w1, 3, 20 * minute)] },
    ]),
    unsigned,
    { trust: inTime },
  ],
  [
    'stolen-with-anchor-that-fails',
    'an anchor that does not hold vouches for no stolen key',
    under([by(w1, 3)]),
    'PPPPPPPPFFNNNNNP invalid',
    { trust: inTime },
  ],
  [
    'stolen-with-anchor-of-a-stranger',
    'a witness whom nobody knows vouches for no stolen key',
    under([by(stranger)]),
    'PPPPPPPPFNNNNNNP invalid',
    { trust: inTime },
  ],
  [
    'stolen-without-anchor',
    'a stolen key under no anchor at all',
    under([]),
    'PPPPPPPPFNNNNNNP invalid',
    { trust: inTime },
  ],
]
