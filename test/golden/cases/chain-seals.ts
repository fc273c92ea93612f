// Line 10: a block that neither enough pinned signers sealed nor trust pins is left open.

import { bigEndian, hex, join } from '../bytes.ts'
import { type Case, type Forged, fine } from '../case.ts'
import { block } from '../chain.ts'
import { seeded } from '../hash.ts'
import { w1 } from '../people.ts'
import {
  blocks,
  byNothing,
  bySigners,
  byState,
  consortium,
  grownWest,
  outsider,
  pinning,
  s1,
  s2,
  s3,
  signers,
  under,
} from './on-chain.ts'
import { by, takenAt, unanchored } from './witnessed.ts'

const trusting = { trust: bySigners }
const unsealed = blocks([null, null])
const requiring = pinning('chain-required', {
  signers: [[0, signers]],
  required: true,
})

/** Blocks of which the last bears a seal that was changed, or was made for another block. */
const sealedBy = (change: (seal: Uint8Array) => Uint8Array) =>
  under([byState(blocks([s1, s2], {}, { seal: change }))])

const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const upperHalf = (seal: Uint8Array): Uint8Array => {
  const s = n - BigInt(`0x${hex(seal.slice(32, 64))}`)
  return join(seal.slice(0, 32), bigEndian(s, 32), Uint8Array.of((seal[64] ?? 0) ^ 1))
}
const foreign = block({ number: 18, at: takenAt, by: s2 }).raw

const spoilt: readonly Forged[] = [
  [
    'chain-seal-changed',
    'a seal with one bit turned',
    sealedBy((seal) => seal.map((byte, i) => (i === 40 ? byte ^ 1 : byte))),
  ],
  [
    'chain-seal-of-another-block',
    'the seal that a signer gave another block',
    sealedBy(() => foreign.slice(-108, -43)),
  ],
  ['chain-seal-upper-half', 'a seal written in the other of its two ways', sealedBy(upperHalf)],
  [
    'chain-seal-recovery-27',
    'a seal that counts its points from 27',
    sealedBy((seal) => seal.with(64, 27 + (seal[64] ?? 0))),
  ],
  [
    'chain-seal-other-point',
    'a seal that means the other point',
    sealedBy((seal) => seal.with(64, 1 - (seal[64] ?? 0))),
  ],
  ['chain-seal-of-zeros', 'a seal of zeros, as in block 0', sealedBy(() => new Uint8Array(65))],
  [
    'chain-seal-large-r',
    'a seal whose r is no number of the curve',
    sealedBy((seal) => join(new Uint8Array(32).fill(255), seal.slice(32))),
  ],
  [
    'chain-seal-short',
    'extra data that is one byte too short for a seal',
    sealedBy((seal) => seal.slice(1)),
  ],
]

export const chainSeals: readonly Case[] = [
  [
    'chain-confirmed-by-nobody',
    'one seal of three',
    under([byState(blocks([s1]))]),
    unanchored,
    trusting,
  ],
  [
    'chain-confirmed-by-itself',
    'one signer sealed a branch of his own, as one does whom the others leave behind',
    under([byState(blocks([s1, s1, s1, s1]))]),
    unanchored,
    trusting,
  ],
  [
    'chain-signers-too-far-apart',
    'another signer sealed only the fifth block, later than the rules of the chain would let it be',
    under([byState(blocks([s1, s1, s1, s1, s2]))]),
    unanchored,
    trusting,
  ],
  [
    'chain-of-strangers',
    'blocks that nobody known sealed',
    under([byState(blocks([outsider, outsider, outsider]))]),
    unanchored,
    trusting,
  ],
  [
    'chain-last-by-stranger',
    'a last block that a stranger sealed: nothing binds what it says',
    under([byState(blocks([s1, s2, outsider]))]),
    unanchored,
    trusting,
  ],
  [
    'chain-before-its-signers',
    'blocks from before the signers were',
    under([byState()]),
    unanchored,
    { trust: pinning('chain-by-later-signers', { signers: [[19, signers]] }) },
  ],
  [
    'chain-confirmed-as-asked',
    'as many sealed blocks over it as trust asks for',
    under([byState(blocks([s1, s2, s3, s1]))]),
    fine,
    { trust: pinning('chain-three-over-it', { signers: [[0, signers]], confirmations: 3 }) },
  ],
  [
    'chain-confirmed-too-little',
    'a block fewer over it than trust asks for: honest signers may have left that branch',
    under([byState(blocks([s1, s2, s3]))]),
    unanchored,
    { trust: pinning('chain-three-over-it', { signers: [[0, signers]], confirmations: 3 }) },
  ],
  [
    'chain-confirmed-by-a-stranger',
    'one of the blocks over it that trust asks for has a seal of nobody known',
    under([byState(blocks([s1, s2, outsider, s3]))]),
    unanchored,
    { trust: pinning('chain-three-over-it', { signers: [[0, signers]], confirmations: 3 }) },
  ],
  [
    'chain-of-more-signers',
    'two seals are not more than half of four',
    under([byState()]),
    unanchored,
    { trust: pinning('chain-by-four-signers', { signers: [[0, [...signers, outsider]]] }) },
  ],
  [
    'chain-of-signers-that-grew',
    'two seals of which the second is of a longer list',
    under([byState()]),
    unanchored,
    {
      trust: pinning('chain-by-growing-signers', {
        signers: [
          [0, signers],
          [18, [...signers, outsider]],
        ],
      }),
    },
  ],
  [
    'chain-without-seals',
    'signers are known, and the blocks bear no seals',
    under([byState(unsealed)]),
    unanchored,
    trusting,
  ],
  [
    'chain-pinned-without-signers',
    'a chain of which trust knows no signer and no block',
    under([byState(unsealed)]),
    unanchored,
    { trust: byNothing },
  ],
  [
    'chain-beyond-its-pinned-block',
    'a block after the pinned one, which nothing binds',
    under([byState(unsealed)]),
    unanchored,
    { trust: pinning('chain-by-the-first-block', { blocks: unsealed.slice(0, 1) }) },
  ],
  [
    'chain-of-another-block',
    'trust knows another block of that height',
    under([byState(unsealed)]),
    unanchored,
    { trust: pinning('chain-by-another-block', { blocks: blocks([s1, s2]) }) },
  ],
  [
    'chain-reorganised-away',
    'signers sealed it, and trust knows that the chain went another way',
    under([byState()]),
    unanchored,
    {
      trust: pinning('chain-that-went-on', {
        signers: [[0, signers]],
        blocks: [block({ number: 17, at: 0, by: s3 })],
      }),
    },
  ],
  [
    'chain-required',
    'a chain that must have taken it, without a seal that can be checked',
    under([by(w1, 2, takenAt, grownWest), byState(unsealed)]),
    'PPPPPPPPPNPPPNNP undetermined',
    { trust: requiring },
  ],
  ['chain-unpinned', 'a chain that nobody pinned', under([byState()]), unanchored],
  [
    'chain-without-trust',
    'without a trust file a chain that holds proves nothing',
    under([byState()]),
    'PPPPPPPPNNNNNNNP undetermined',
    { trust: null },
  ],
  [
    'chain-at-another-address',
    'a contract at another address than the pinned one',
    under([byState()]),
    unanchored,
    {
      trust: pinning('chain-elsewhere', {
        chain: { ...consortium, contract: seeded('elsewhere').slice(0, 20) },
      }),
    },
  ],
  ...spoilt.map(([name, title, file]): Case => [name, title, file, unanchored, trusting]),
]
