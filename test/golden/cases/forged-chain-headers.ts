// Line 10: blocks that do not follow each other, headers that are none, and proofs of no form.
import { join, raw } from '../bytes.ts'
import type { Case, Forged } from '../case.ts'
import { type Block, raws, word } from '../chain.ts'
import { seeded } from '../hash.ts'
import { type Rlp, scalar } from '../patricia.ts'
import { bytes, flip, insert, list, swap } from '../tamper.ts'
import { blocks, byState, height, held, s1, s2 } from './on-chain.ts'
import { as, spoilt, unheld } from './spoilt-chain.ts'

const header = (change: (items: readonly Rlp[]) => readonly Rlp[]) =>
  byState(blocks([s1, s2], { items: change }))
/** The second header written by hand, and sealed as if nothing was wrong with it. */
const second = (change: (items: readonly Rlp[]) => readonly Rlp[]) =>
  byState(blocks([s1, s2], {}, { items: change }))
const [first, next] = blocks() as [Block, Block]
const longHead = join(Uint8Array.of(0xfa, 0x00), first.raw.slice(1))

const headersForged: readonly Forged[] = [
  [
    'chain-header-parent',
    'a block that names another one before it',
    byState(blocks([s1, s2], {}, { items: (items) => items.with(0, seeded('another')) })),
  ],
  [
    'chain-header-skipped',
    'a block between left out',
    spoilt('headers', as(raws([first, ...blocks([s1, s2, s1]).slice(2)]))),
  ],
  ['chain-headers-swapped', 'blocks in the wrong order', spoilt('headers', swap(0, 1))],
  ['chain-header-twice', 'a block twice', spoilt('headers', as(raws([first, first, next])))],
  [
    'chain-header-number',
    'a block that leaves a number out',
    second((items) => items.with(8, scalar(height + 2))),
  ],
  [
    'chain-header-bit',
    'the first block with one bit turned',
    spoilt('headers', (headers) => [flip(300)(list(headers)[0] ?? null), list(headers)[1] ?? null]),
  ],
  ['chain-headers-none', 'no block at all', spoilt('headers', as([]))],
  ['chain-header-of-14', 'a header of too few items', header((items) => items.slice(0, 14))],
  [
    'chain-header-of-33',
    'a header of too many items',
    header((items) => [...items, ...Array(17).fill(word(1))]),
  ],
  [
    'chain-header-with-a-list',
    'a header with a list in it',
    second((items) => items.with(9, [scalar(1)])),
  ],
  [
    'chain-header-short-root',
    'a state root of 31 bytes',
    header((items) => items.with(3, held.root.slice(1))),
  ],
  [
    'chain-header-number-padded',
    'a number with a zero before it',
    second((items) => items.with(8, Uint8Array.of(0, height + 1))),
  ],
  [
    'chain-header-number-large',
    'a number of 2 to the 53rd',
    header((items) => items.with(8, scalar(2 ** 53))),
  ],
  [
    'chain-header-time-large',
    'a time after the year 9999',
    header((items) => items.with(11, scalar(253_402_300_800))),
  ],
  [
    'chain-header-not-shortest',
    'a header whose length is written longer than it is',
    spoilt('headers', as([longHead])),
  ],
  [
    'chain-header-with-rest',
    'a header with a byte after its end',
    spoilt('headers', as([first.raw, join(next.raw, Uint8Array.of(0))])),
  ],
  [
    'chain-header-long',
    'a header of more than 16,384 bytes',
    header((items) => [...items, new Uint8Array(16_384)]),
  ],
  ['chain-of-129-headers', 'more headers than may be', byState(blocks(Array(129).fill(s1)))],
  [
    'chain-node-long',
    'a node of more than 1,024 bytes',
    spoilt('slot', insert(0, new Uint8Array(1_025))),
  ],
  ['chain-nodes-65', 'more nodes than may be', spoilt('slot', as(Array(65).fill(word(0))))],
]

const [, whole = null] = list(byState())
const formForged: readonly Forged[] = [
  ['chain-proof-empty', 'a proof of no bytes', [2, new Uint8Array()]],
  ['chain-proof-cut', 'a proof that ends too early', [2, bytes(whole).slice(0, -1)]],
  [
    'chain-proof-with-rest',
    'a proof with a byte after its end',
    [2, join(bytes(whole), Uint8Array.of(0))],
  ],
  ['chain-proof-of-another-form', 'a proof of a form that there is not', spoilt('form', as(3))],
  [
    'chain-proof-of-the-other-form',
    'a proof by state that says that it is by receipt',
    spoilt('form', as(2)),
  ],
  [
    'chain-proof-not-shortest',
    'a proof that writes its form longer than it is',
    spoilt('form', as(raw('1801'))),
  ],
  [
    'chain-contract-of-21-bytes',
    'an address of 21 bytes',
    spoilt('contract', (address) => join(bytes(address), Uint8Array.of(0))),
  ],
  ['chain-headers-as-one', 'headers that are no list', spoilt('headers', as(first.raw))],
  [
    'chain-of-a-witness',
    "a chain's proof that claims to be a witness's",
    [1, bytes(whole).slice(0, 1_000)],
  ],
]

export const forgedChainHeaders: readonly Case[] = unheld([...headersForged, ...formForged])
