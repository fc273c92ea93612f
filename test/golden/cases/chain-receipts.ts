// A receipt alone, where a node has no proofs of its state (lines 10 and 11).
import type { Case } from '../case.ts'
import { receipt } from '../chain.ts'
import { embedded } from '../people.ts'
import { byReceipt, bySigners, event, grownWest, ownReceipt, s1, under } from './on-chain.ts'
import { by, takenAt, unanchored } from './witnessed.ts'

/** Not even beside a ledger that gives continuity. */
const receiptOnly = 'PPPPPPPPPPNPPNNP complete'
const trusting = { trust: bySigners }
const untyped = receipt({ logs: [event], type: 0 })

export const chainReceipts: readonly Case[] = [
  [
    'chain-receipt',
    'a receipt alone dates it, and does not show what code took it',
    under([byReceipt()]),
    receiptOnly,
    trusting,
  ],
  [
    'chain-receipt-of-the-first-kind',
    'a receipt of a transaction without a type, far down in its block',
    under([byReceipt(untyped, 130, 0)]),
    receiptOnly,
    trusting,
  ],
  [
    'chain-receipt-first',
    'the receipt of the first transaction',
    under([byReceipt(ownReceipt, 0)]),
    receiptOnly,
    trusting,
  ],
  [
    'chain-receipt-and-gateway',
    'what the ledger inside the gateway shows does not make a receipt stronger',
    under([by(embedded, 2, takenAt, grownWest), byReceipt()]),
    receiptOnly,
    trusting,
  ],
  [
    'chain-receipt-unconfirmed',
    'a receipt in a block that one of three sealed',
    under([byReceipt(ownReceipt, 1, 1, [s1])]),
    unanchored,
    trusting,
  ],
]
