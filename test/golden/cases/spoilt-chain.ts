// Ways to spoil the proofs of a contract on a chain.
import type { Item } from '../bytes.ts'
import type { Case, Forged } from '../case.ts'
import { proved } from '../chain.ts'
import { minute } from '../records.ts'
import { bySigners, receiptParts, stateParts, under, west } from './on-chain.ts'
import { grow, sealedAt, ten } from './witnessed.ts'

export const broken = 'PPPPPPPPPFNNNNNP invalid'

/** Positions in a proof by state, and in one by receipt. */
const inState = { form: 0, contract: 1, account: 2, slot: 3, headers: 4 } as const
const inReceipt = { form: 0, contract: 1, index: 2, nodes: 3, log: 4, headers: 5 } as const

const changed = (parts: readonly Item[], at: number, by: (item: Item) => Item): Item =>
  proved(...parts.map((part, i) => (i === at ? by(part) : part)))
export const spoilt = (at: keyof typeof inState, by: (item: Item) => Item) =>
  changed(stateParts(), inState[at], by)
export const spoiltReceipt = (at: keyof typeof inReceipt, by: (item: Item) => Item) =>
  changed(receiptParts(), inReceipt[at], by)
export const as = (item: Item) => () => item

/** The same sizes of another history. */
export const fork = grow(ten, [4 * minute, sealedAt], west)

/** Cases whose anchor, however well it is sealed, does not hold. */
export const unheld = (forged: readonly Forged[]): readonly Case[] =>
  forged.map(([name, title, anchor]): Case => {
    if (anchor instanceof Uint8Array) throw new TypeError('no anchor')
    return [name, title, under([anchor]), broken, { trust: bySigners }]
  })
