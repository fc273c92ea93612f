// Line 14: a header that names a block of an EVM chain.
import type { Item } from '../bytes.ts'
import { all, type Case, fine } from '../case.ts'
import { type Block, type Chain, chain, ledgerId, proved, raws, type Sealer } from '../chain.ts'
import { cut } from '../evidence.ts'
import { seeded } from '../hash.ts'
import { history } from '../history.ts'
import { a, w1 } from '../people.ts'
import { minute, second } from '../records.ts'
import { bySigners, consortium, outsider, pinning, s1, s2, s3, signers } from './on-chain.ts'
import { sealedAt, ten } from './witnessed.ts'
import { seal } from './worlds.ts'

const proven = 'PPPPPPPPPPPPPPNP complete'
const wrong = 'PPPPPPPPPPPPPFNP invalid'
const trusting = { trust: bySigners }

const seen = (by: readonly (Sealer | null)[] = [s1, s2], at = 3 * minute, number = 9) =>
  chain({ number, at }, by)
const known = seen()

/** Ten readings under a header that names the first of these blocks, and this proof of it. */
const after = (
  of: readonly Block[] = known,
  proof: Item = proved(raws(of)),
  on: Chain = consortium,
  named: Partial<Pick<Block, 'number' | 'hash'>> = {},
): Item => {
  const { number, hash } = { ...(of[0] ?? { number: 0, hash: seeded('') }), ...named }
  const from = history(a, [
    { at: sealedAt, grown: [[ten, 10]], beacon: [ledgerId(on), number, hash] },
  ])
  return cut(from, [{ of: ten, from: 0, to: 10 }], [{ ...seal(from, 0, [w1]), beaconProof: proof }])
}
const unsealed = seen([null, null])
const [first, next] = known as [Block, Block]

export const chainBeacons: readonly Case[] = [
  [
    'chain-beacon',
    'sealed after a block that two of three signers sealed',
    after(),
    proven,
    trusting,
  ],
  [
    'chain-beacon-pinned',
    'sealed after a block of a chain without seals that trust knows',
    after(unsealed),
    proven,
    { trust: pinning('chain-by-beacon', { blocks: unsealed.slice(1) }) },
  ],
  [
    'chain-beacon-of-one-seal',
    'a block that one of three sealed may be gone',
    after(seen([s1])),
    fine,
    trusting,
  ],
  [
    'chain-beacon-of-one-signer',
    'a branch of one signer is no final one',
    after(seen([s1, s1, s1])),
    fine,
    trusting,
  ],
  [
    'chain-beacon-last-by-stranger',
    'a last block by a stranger',
    after(seen([s1, s2, outsider])),
    fine,
    trusting,
  ],
  ['chain-beacon-unpinned', 'a block of a chain that nobody pinned', after(), fine],
  [
    'chain-beacon-of-another-chain',
    'a block of another chain with the same contract and signers',
    after(known, undefined, { ...consortium, chainId: 1338 }),
    fine,
    trusting,
  ],
  [
    'chain-beacon-dependent',
    'a chain that those run who run the gateway',
    after(),
    fine,
    { trust: pinning('chain-of-ones-own', { independent: false, signers: [[0, signers]] }) },
  ],
  [
    'chain-beacon-contradicted',
    'trust knows another block of that height',
    after(),
    wrong,
    { trust: pinning('chain-by-another-beacon', { signers: [[0, signers]], blocks: seen([s3]) }) },
  ],
  ...all(wrong, [
    [
      'chain-beacon-of-another-hash',
      'a header that names another block of that height',
      after(known, undefined, consortium, { hash: seeded('another') }),
    ],
    [
      'chain-beacon-of-another-height',
      'a header that names another height',
      after(known, undefined, consortium, { number: 10 }),
    ],
    [
      'chain-beacon-second',
      'a proof that begins after the block that is named',
      after(known, proved(raws([next]))),
    ],
    [
      'chain-beacon-early',
      'a proof that begins before the block that is named',
      after([next], proved(raws([first, next]))),
    ],
    [
      'chain-beacon-skipped',
      'a block between left out',
      after(known, proved(raws([first, ...seen([s1, s2, s3]).slice(2)]))),
    ],
    ['chain-beacon-none', 'a proof of no block', after(known, proved([]))],
    ['chain-beacon-of-two', 'a proof of two lists', after(known, proved(raws(known), []))],
    [
      'chain-beacon-too-late',
      'a block later than both clocks may explain',
      after(seen([s1, s2], sealedAt + 8 * second)),
    ],
  ]).map(([name, title, file, answer]): Case => [name, title, file, answer, trusting]),
]
