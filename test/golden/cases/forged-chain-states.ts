// Line 10: what a contract does not hold, whoever sealed the blocks.
import { type Item, join } from '../bytes.ts'
import { type Case, type Forged, fine } from '../case.ts'
import { address, proved, raws, slotOf, word } from '../chain.ts'
import { seeded } from '../hash.ts'
import { checkpoint } from '../history.ts'
import { keccak, part, type Rlp, rlp, scalar, trimmed } from '../patricia.ts'
import { drop, flip, insert, list, swap } from '../tamper.ts'
import {
  blocks,
  bySigners,
  byState,
  codeHash,
  contract,
  grownWest,
  grownWestB,
  held,
  holding,
  s1,
  s2,
  two,
  under,
  west,
  westB,
  zeroed,
} from './on-chain.ts'
import { as, broken, fork, spoilt, unheld } from './spoilt-chain.ts'

/** A state that holds something else, under blocks that both signers sealed. */
const of = (from: typeof held, slot = slotOf(west)) =>
  byState(blocks([s1, s2], { stateRoot: from.root }), from, slot)

/** The same contract with what is said for the slot, the account or the whole state changed. */
const padded = holding([checkpoint(zeroed, 2)], { written: (value) => rlp(value) })
const otherwise = holding([two], { written: (value) => rlp([trimmed(value)]) })
const longAccount = holding([two], { items: (items) => [...items, scalar(0)] })

/** A trie of one node, which holds nothing but the contract's account: this node, whatever it is. */
const ownNode = (node: Rlp): Item => {
  const written = rlp(node)
  const of = blocks([s1, s2], { stateRoot: keccak(written) })
  return proved(1, contract, [written], held.slot(contract, slotOf(west)), raws(of))
}
const path = [...keccak(contract)].flatMap((byte) => [byte >> 4, byte & 15])
const value = rlp([scalar(1), scalar(0), held.storageRoot, codeHash])

const forged: readonly Forged[] = [
  [
    'chain-slot-of-another-gateway',
    'what the contract holds for another gateway',
    of(held, slotOf(westB)),
  ],
  [
    'chain-head-of-another-gateway',
    "another gateway's block with nothing of this one",
    of(holding([checkpoint(grownWestB, 2)]), slotOf(west)),
  ],
  ['chain-other-slot', 'another slot of the same gateway', of(held, slotOf(west, 1))],
  [
    'chain-slot-of-another-life',
    'the slot of another incarnation',
    of(held, slotOf({ ...west, incarnation: 1 })),
  ],
  [
    'chain-smaller-size',
    'a contract that holds a smaller size',
    of(holding([checkpoint(grownWest, 1)])),
  ],
  [
    'chain-larger-size',
    'a contract that holds a larger size',
    of(holding([checkpoint(grownWest, 3)])),
  ],
  [
    'chain-another-root',
    'a contract that holds another history of that size',
    of(holding([checkpoint(fork, 2)])),
  ],
  ['chain-nothing-held', 'a contract that holds nothing', of(holding([]))],
  ['chain-value-in-a-list', 'a head that is written as a list', of(otherwise)],
  ['chain-account-of-five', 'an account of one thing more than accounts have', of(longAccount)],
  [
    'chain-other-account',
    "another account's nodes",
    spoilt('account', as(held.account(address('other 1')))),
  ],
  [
    'chain-other-contract',
    'the nodes of the contract under another address',
    spoilt('contract', as(address('other 1'))),
  ],
  [
    'chain-account-bit',
    'a node of the account with one bit turned',
    spoilt('account', (nodes) => [flip(40)(list(nodes)[0] ?? null), ...list(nodes).slice(1)]),
  ],
  [
    'chain-slot-bit',
    'the last node of the slot with one bit turned',
    spoilt('slot', (nodes) => [...list(nodes).slice(0, -1), flip(-1)(list(nodes).at(-1) ?? null)]),
  ],
  ['chain-account-node-missing', 'a node of the account left out', spoilt('account', drop(1))],
  ['chain-slot-node-missing', 'the first node of the slot left out', spoilt('slot', drop(0))],
  [
    'chain-last-node-missing',
    'the last node of the slot left out',
    spoilt('slot', (nodes) => list(nodes).slice(0, -1)),
  ],
  [
    'chain-account-node-unused',
    'a node of the account too many',
    spoilt('account', insert(2, held.account(address('other 1'))[1] ?? null)),
  ],
  [
    'chain-slot-node-unused',
    'a node of the slot twice',
    spoilt('slot', (nodes) => [...list(nodes), list(nodes).at(-1) ?? null]),
  ],
  [
    'chain-nodes-swapped',
    'two nodes of the account in the wrong order',
    spoilt('account', swap(0, 1)),
  ],
  [
    'chain-nodes-exchanged',
    'the nodes of account and slot in each other’s place',
    proved(1, contract, held.slot(contract, slotOf(west)), held.account(contract), raws(blocks())),
  ],
  ['chain-nodes-none', 'no nodes of the slot', spoilt('slot', as([]))],
  [
    'chain-of-another-block-state',
    'nodes of another block',
    of({ ...held, root: seeded('state') }),
  ],
  ['chain-node-of-three', 'a node of three things', ownNode([part(path, 2), value, word(0)])],
  ['chain-node-no-list', 'a node that is no list', ownNode(join(part(path, 2), value))],
  ['chain-leaf-flag', 'a leaf of a kind that there is not', ownNode([part(path, 4), value])],
  [
    'chain-leaf-padding',
    'a path with something where nothing stands',
    ownNode([part(path, 2).with(0, 0x21), value]),
  ],
  ['chain-leaf-short', 'a path that ends too early', ownNode([part(path.slice(0, -2), 2), value])],
  ['chain-leaf-empty', 'a part of a path of no bytes', ownNode([new Uint8Array(), value])],
  ['chain-leaf-as-extension', 'an extension in place of a leaf', ownNode([part(path, 0), value])],
]

export const forgedChainStates: readonly Case[] = [
  ...unheld(forged),
  [
    'chain-padded-value',
    'a head that begins with a zero, written with that zero',
    under([of(padded)], zeroed),
    broken,
    { trust: bySigners },
  ],
  [
    'chain-of-one-account',
    'a chain that holds nothing but the contract',
    under([ownNode([part(path, 2), value])]),
    fine,
    { trust: bySigners },
  ],
  [
    'chain-unpinned-fails',
    'a proof that does not hold, though nobody pinned its chain',
    under([spoilt('slot', drop(0))]),
    broken,
  ],
]
