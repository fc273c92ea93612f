// Line 10: receipts that do not say it.
import { fromHex, type Item, join } from '../bytes.ts'
import type { Case } from '../case.ts'
import { address, anchored, receipt, word } from '../chain.ts'
import { seeded } from '../hash.ts'
import { checkpoint } from '../history.ts'
import { keccak, listOf, type Rlp, rlp, scalar } from '../patricia.ts'
import { bytes, drop, flip, insert, list } from '../tamper.ts'
import {
  byReceipt,
  contract,
  event,
  grownWest,
  grownWestB,
  ownReceipt,
  two,
  west,
} from './on-chain.ts'
import { as, fork, spoiltReceipt, unheld } from './spoilt-chain.ts'

const said = (log: readonly Rlp[], more: Partial<Parameters<typeof receipt>[0]> = {}): Item =>
  byReceipt(receipt({ logs: [event, log], ...more }))
const changedEvent = (change: (log: readonly Rlp[]) => readonly Rlp[]): Item => said(change(event))
const topics = event[1] as readonly Rlp[]
const content = bytes(event[2] as Uint8Array)
const receiptItems = (items: readonly Rlp[]): Item => byReceipt(join(Uint8Array.of(2), rlp(items)))
const bloom = new Uint8Array(256)

export const forgedChainReceipts: readonly Case[] = unheld([
  [
    'chain-receipt-failed',
    'the receipt of a transaction that failed',
    said(event, { status: new Uint8Array() }),
  ],
  [
    'chain-receipt-of-an-old-kind',
    'a receipt that says a root in place of whether it failed',
    said(event, { status: seeded('root') }),
  ],
  [
    'chain-event-of-another-contract',
    'the same event of another contract',
    said(anchored(address('another'), two)),
  ],
  [
    'chain-event-of-another-gateway',
    'the event of another gateway',
    said(anchored(contract, checkpoint(grownWestB, 2))),
  ],
  [
    'chain-event-of-another-life',
    'the event of another incarnation',
    said(anchored(contract, { ...two, gateway: { ...west, incarnation: 1 } })),
  ],
  [
    'chain-event-of-another-size',
    'the event of another size',
    said(anchored(contract, checkpoint(grownWest, 3))),
  ],
  [
    'chain-event-of-another-root',
    'the event of another history',
    said(anchored(contract, checkpoint(fork, 2))),
  ],
  [
    'chain-event-of-another-name',
    'another event of the contract',
    changedEvent(([from = word(0), , data = word(0)]) => [
      from,
      topics.with(0, keccak(word(1))),
      data,
    ]),
  ],
  [
    'chain-event-of-three-topics',
    'an event of fewer topics',
    changedEvent(([from = word(0), , data = word(0)]) => [from, topics.slice(0, 3), data]),
  ],
  [
    'chain-event-of-another-head',
    'an event whose head is another',
    changedEvent((log) => log.with(2, content.with(0, (content[0] ?? 0) ^ 1))),
  ],
  [
    'chain-event-root-changed',
    'an event whose root is another',
    changedEvent((log) => log.with(2, content.with(40, (content[40] ?? 0) ^ 1))),
  ],
  [
    'chain-event-long',
    'an event that goes on',
    changedEvent((log) => log.with(2, join(content, word(0)))),
  ],
  ['chain-event-of-four', 'an event of four things', changedEvent((log) => [...log, word(0)])],
  ['chain-event-elsewhere', 'another event of the receipt', spoiltReceipt('log', as(0))],
  ['chain-event-beyond', 'an event that the receipt does not have', spoiltReceipt('log', as(2))],
  [
    'chain-receipt-of-another-index',
    'a receipt under another number',
    spoiltReceipt('index', as(2)),
  ],
  [
    'chain-receipt-of-another-transaction',
    'the receipt of another transaction',
    byReceipt(receipt({ logs: [] })),
  ],
  [
    'chain-receipt-of-five',
    'a receipt of five things',
    receiptItems([Uint8Array.of(1), scalar(1), bloom, [event, event], scalar(0)]),
  ],
  [
    'chain-receipt-events-no-list',
    'a receipt whose events are no list',
    receiptItems([Uint8Array.of(1), scalar(1), bloom, word(0)]),
  ],
  [
    'chain-receipt-of-type-0',
    'a receipt of a type that there is not',
    byReceipt(join(Uint8Array.of(0), ownReceipt.slice(1))),
  ],
  [
    'chain-receipt-with-rest',
    'a receipt with a byte after its end',
    byReceipt(join(ownReceipt, Uint8Array.of(0))),
  ],
  [
    'chain-receipt-not-shortest',
    'a receipt that writes one byte as two',
    byReceipt(
      join(
        Uint8Array.of(2),
        listOf(join(fromHex('8101'), rlp(scalar(1)), rlp(bloom), rlp([event, event]))),
      ),
    ),
  ],
  [
    'chain-receipt-bit',
    'a receipt with one bit turned',
    spoiltReceipt('nodes', (nodes) => [
      ...list(nodes).slice(0, -1),
      flip(-1)(list(nodes).at(-1) ?? null),
    ]),
  ],
  [
    'chain-receipt-node-unused',
    'a node of the receipt too many',
    spoiltReceipt('nodes', (nodes) => [...list(nodes), word(0)]),
  ],
  ['chain-receipt-node-missing', 'a node of the receipt left out', spoiltReceipt('nodes', drop(0))],
  [
    'chain-receipt-node-long',
    'a node of more than 65,536 bytes',
    spoiltReceipt('nodes', insert(0, new Uint8Array(65_537))),
  ],
  [
    'chain-receipt-nodes-17',
    'more nodes than a receipt needs',
    spoiltReceipt('nodes', as(Array(17).fill(word(0)))),
  ],
  [
    'chain-receipt-index-large',
    'a transaction of a number that no block has',
    spoiltReceipt('index', as(0x1000000)),
  ],
])
