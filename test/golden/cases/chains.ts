// Lines 10 to 13 for the contract on an EVM chain: what is enough, and what leaves a line open.
import { type Case, fine } from '../case.ts'
import { type Block, slotOf } from '../chain.ts'
import { cut } from '../evidence.ts'
import { seeded } from '../hash.ts'
import { checkpoint } from '../history.ts'
import { key } from '../keys.ts'
import { a, embedded, w1 } from '../people.ts'
import { gateway, stream } from '../streams.ts'
import { trust } from '../trust.ts'
import {
  blocks,
  bySigners,
  byState,
  chainLedger,
  consortium,
  grownWest,
  holding,
  outsider,
  pinning,
  s1,
  s2,
  s3,
  signers,
  under,
  zeroed,
} from './on-chain.ts'
import { by, grow, takenAt } from './witnessed.ts'
import { eachMinute, minutes } from './worlds.ts'

const trusting = { trust: bySigners }

const unsealed = blocks([null, null])
const last = (of: readonly Block[]): Block => {
  const found = of.at(-1)
  if (found === undefined) throw new TypeError('no blocks')
  return found
}
/** Trust in the last of these blocks. */
const inLast = (name: string, of: readonly Block[]) => ({
  trust: pinning(name, { blocks: [last(of)] }),
})

/** Headers as other forks write them: before London without a base fee, later ones with more behind it. */
const before = blocks([null], { items: (items) => items.slice(0, 15) })
const withdrawals = seeded('withdrawals')
const shanghai = blocks([null], { items: (items) => [...items, withdrawals] })
const cancun = [withdrawals, new Uint8Array(), new Uint8Array(), seeded('beacon root')]
const later = blocks([null], { items: (items) => [...items, ...cancun, seeded('requests')] })
const longest = blocks([null], { items: (items) => [...items, ...Array(16).fill(withdrawals)] })
const many = blocks(Array(128).fill(null))

/** Signers that change: from block 18 on another stands in for the first. */
const changing = pinning('chain-by-changing-signers', {
  signers: [
    [0, [s1]],
    [18, [s2, s3, outsider]],
  ],
})

const heldZero = holding([checkpoint(zeroed, 2)])

/** The same stream in a later life of the gateway. */
const reborn = gateway(key('gateway a'), 4_294_967_295, 2)
const inLaterLife = stream(
  reborn,
  { number: 1, source: 'probe-1', promise: eachMinute },
  minutes(10),
)
const later2 = grow(inLaterLife, undefined, reborn)
const heldLater = holding([checkpoint(later2, 2)])

export const chains: readonly Case[] = [
  [
    'chain',
    'a contract on a chain holds the history, and two of three signers sealed it',
    under([byState()]),
    fine,
    trusting,
  ],
  [
    'chain-confirmed-once-more',
    'more blocks than it takes, the last of them sealed by a signer',
    under([byState(blocks([s1, s2, s3, s1]))]),
    fine,
    trusting,
  ],
  [
    'chain-signer-between',
    'a block between that a stranger sealed does not count, and does no harm',
    under([byState(blocks([s1, outsider, s2]))]),
    fine,
    trusting,
  ],
  [
    'chain-first-by-stranger',
    'a block that a stranger sealed, and two signers built on',
    under([byState(blocks([outsider, s2, s3]))]),
    fine,
    trusting,
  ],
  [
    'chain-signer-twice-and-another',
    'a signer who sealed twice counts once, and another makes it enough',
    under([byState(blocks([s1, s1, s2]))]),
    fine,
    trusting,
  ],
  [
    'chain-signers-apart',
    'another signer sealed the last of four blocks, which is soon enough',
    under([byState(blocks([s1, s1, s1, s2]))]),
    fine,
    trusting,
  ],
  [
    'chain-of-changing-signers',
    'the signers of each block are those of its height',
    under([byState(blocks([s1, s3]))]),
    fine,
    { trust: changing },
  ],
  [
    'chain-pinned-block',
    'a chain without seals, of which trust knows the last block that is carried',
    under([byState(unsealed)]),
    fine,
    inLast('chain-by-block', unsealed),
  ],
  [
    'chain-one-block',
    'the block itself is pinned',
    under([byState(blocks([null]))]),
    fine,
    inLast('chain-by-one-block', blocks([null])),
  ],
  [
    'chain-of-one-signer',
    'of one signer one seal is more than half',
    under([byState(blocks([s1]))]),
    fine,
    { trust: pinning('chain-by-one-signer', { signers: [[0, [s1]]] }) },
  ],
  [
    'chain-before-london',
    'a header without a base fee',
    under([byState(before)]),
    fine,
    inLast('chain-before-london', before),
  ],
  [
    'chain-shanghai',
    'a header of Shanghai',
    under([byState(shanghai)]),
    fine,
    inLast('chain-shanghai', shanghai),
  ],
  [
    'chain-after-cancun',
    'a header of a fork after Cancun',
    under([byState(later)]),
    fine,
    inLast('chain-after-cancun', later),
  ],
  [
    'chain-longest-header',
    'a header of as many items as may be',
    under([byState(longest)]),
    fine,
    inLast('chain-longest-header', longest),
  ],
  [
    'chain-of-128-headers',
    'as many headers as may be',
    under([byState(many)]),
    fine,
    inLast('chain-of-128-headers', many),
  ],
  [
    'chain-head-with-a-zero',
    'a head that begins with a zero, which the chain leaves out',
    under([byState(blocks([s1, s2], { stateRoot: heldZero.root }), heldZero)], zeroed),
    fine,
    trusting,
  ],
  [
    'chain-in-a-later-life',
    'the largest number that an incarnation can have',
    cut(
      later2,
      [{ of: inLaterLife, from: 0, to: 10 }],
      [
        {
          seq: 1,
          checkpoints: [
            {
              of: checkpoint(later2, 2),
              anchors: [
                byState(blocks([s1, s2], { stateRoot: heldLater.root }), heldLater, slotOf(reborn)),
              ],
            },
          ],
        },
      ],
    ),
    fine,
    {
      trust: trust('chain-in-a-later-life', {
        gateways: [[a, [{ key: a.key, incarnation: 4_294_967_295 }]]],
        ledgers: [{ ...chainLedger, signers: [[0, signers]] }],
      }),
    },
  ],
  [
    'chain-and-gateway',
    'anchored inside the gateway and on a chain',
    under([by(embedded, 2, takenAt, grownWest), byState()]),
    fine,
    trusting,
  ],
  [
    'chain-and-witness',
    'anchored by a hospital and on a chain',
    under([by(w1, 2, takenAt, grownWest), byState()]),
    fine,
    trusting,
  ],
  [
    'chain-unpinned-beside-a-witness',
    'a chain that nobody pinned beside a witness whom the regulator knows',
    under([by(w1, 2, takenAt, grownWest), byState()]),
    fine,
  ],
  [
    'chain-of-the-same-address',
    'of two pinned chains with the same address it is the one whose signers sealed',
    under([byState()]),
    fine,
    {
      trust: pinning(
        'chain-of-two',
        {
          chain: { ...consortium, chainId: 1, codeHash: seeded('code') },
          signers: [[0, [outsider]]],
        },
        [{ ...chainLedger, name: 'the other', signers: [[0, signers]] }],
      ),
    },
  ],
]
