// Lines 11 and 12: strength is never put together from two ledgers.
import { type Case, fine } from '../case.ts'
import { embedded, w1, w2 } from '../people.ts'
import { any, anyTrust, by, under } from './witnessed.ts'

export const continuity: readonly Case[] = [
  [
    'witness-of-anything',
    'a witness that only dates what it is shown gives no continuity',
    under([by(any)]),
    'PPPPPPPPPPNPPNNP complete',
    { trust: anyTrust },
  ],
  [
    'strength-of-two-ledgers',
    'independence from one ledger and continuity from another make neither',
    under([by(embedded), by(any)]),
    'PPPPPPPPPPNPPNNP complete',
    { trust: anyTrust },
  ],
  [
    'wrong-rules',
    'a witness pinned for extensions that takes anything',
    under([by(any)]),
    'PPPPPPPPPPFPPNNP invalid',
  ],
  [
    'wrong-rules-the-other-way',
    'a witness pinned for anything that takes extensions',
    under([by(w1)]),
    'PPPPPPPPPPFPPNNP invalid',
    { trust: anyTrust },
  ],
  [
    'wrong-rules-beside-right-ones',
    'one of two independent witnesses has the wrong rules',
    under([by(any), by(w2)]),
    'PPPPPPPPPPFPPNNP invalid',
  ],
  [
    'wrong-rules-inside-the-gateway',
    'the rules of the ledger inside the gateway do not matter beside an independent one',
    under([by({ ...embedded, rules: 0 }), by(w1)]),
    fine,
  ],
  [
    'witness-without-clock',
    'a witness without a clock fixes nothing in time',
    under([by(w1, 2, null)]),
    'PPPPPPPPPPPPNNNP complete',
  ],
  [
    'witness-without-clock-beside-another',
    'of two witnesses the one with a clock dates',
    under([by(w1, 2, null), by(w2)]),
    fine,
  ],
]
