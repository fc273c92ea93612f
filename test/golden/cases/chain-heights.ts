// Lines 11 to 13 for a contract on a chain: its code, and the order of its blocks.
import type { Item } from '../bytes.ts'
import { type Case, fine } from '../case.ts'
import { cut } from '../evidence.ts'
import { seeded } from '../hash.ts'
import { checkpoint } from '../history.ts'
import { minute, second } from '../records.ts'
import {
  blocks,
  bySigners,
  byState,
  consortium,
  grownWest,
  height,
  held,
  holding,
  pinning,
  s1,
  s2,
  signers,
  two,
  under,
} from './on-chain.ts'
import { embeddedOnly, takenAt, ten } from './witnessed.ts'

const trusting = { trust: bySigners }

const both = (first: number, second: number): Item => {
  const one = checkpoint(grownWest, 1)
  const at = (number: number) => ({ number, at: takenAt + 1000 * (number - height) })
  const states = [holding([one]), held] as const
  const anchor = (state: (typeof states)[number], number: number): Item =>
    byState(blocks([s1, s2], { ...at(number), stateRoot: state.root }), state)
  return cut(
    grownWest,
    [{ of: ten, from: 0, to: 10 }],
    [
      { seq: 0, checkpoints: [{ of: one, anchors: [anchor(states[0], first)] }] },
      { seq: 1, checkpoints: [{ of: two, anchors: [anchor(states[1], second)] }] },
    ],
  )
}

/** Both seals under the one checkpoint, each proved at a block of its own. */
const twoBlocks = (first: number, second: number): Item => {
  const proofs = [first, second].map((number) =>
    byState(blocks([s1, s2], { number, at: takenAt + 1000 * (number - height) })),
  )
  return cut(
    grownWest,
    [{ of: ten, from: 0, to: 10 }],
    proofs.map((anchor, seq) => ({ seq, checkpoints: [{ of: two, anchors: [anchor] }] })),
  )
}

/** Other code, which holds the same in the same place. */
const heldByOther = holding([two], { codeHash: seeded('code') })
const otherCode = byState(blocks([s1, s2], { stateRoot: heldByOther.root }), heldByOther)

export const chainHeights: readonly Case[] = [
  ['chain-two-seals', 'two seals at blocks that follow each other', both(17, 21), fine, trusting],
  [
    'chain-shrinks',
    'a block that holds less than one before it',
    both(21, 17),
    'PPPPPPPPPPFPPNNP invalid',
    trusting,
  ],
  [
    'chain-two-heads-at-once',
    'two histories at one height',
    both(17, 17),
    'PPPPPPPPPPFPPNNP invalid',
    trusting,
  ],
  [
    'chain-at-two-blocks',
    'one checkpoint that the contract held at two blocks',
    twoBlocks(17, 21),
    fine,
    trusting,
  ],
  ['chain-at-two-blocks-reversed', 'in any order', twoBlocks(21, 17), fine, trusting],
  [
    'chain-of-other-code',
    'other code at the pinned address',
    under([otherCode]),
    'PPPPPPPPPPFPPNNP invalid',
    trusting,
  ],
  [
    'chain-of-unknown-code',
    'code that trust pins, and of which nobody here knows what it takes',
    under([otherCode]),
    'PPPPPPPPPPNPPNNP complete',
    {
      trust: pinning('chain-of-unknown-code', {
        chain: { ...consortium, codeHash: seeded('code') },
        signers: [[0, signers]],
      }),
    },
  ],
  [
    'chain-later-than-stated',
    'the block says an earlier time than a reading',
    under([byState(blocks([s1, s2], { at: 9 * minute - 3 * second }))]),
    'PPPPPPPPPPPPFNNP invalid',
    trusting,
  ],
  [
    'chain-inside-the-gateway',
    'a chain that those run who run the gateway',
    under([byState()]),
    embeddedOnly,
    { trust: pinning('chain-of-ones-own', { independent: false, signers: [[0, signers]] }) },
  ],
]
