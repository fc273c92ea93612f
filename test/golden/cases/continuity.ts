// Lines 11 and 12: strength is never put together from two ledgers.
import { type Case, fine } from '../case.ts'
import { cut } from '../evidence.ts'
import { checkpoint } from '../history.ts'
import { embedded, w1, w2 } from '../people.ts'
import { minute } from '../records.ts'
import { keep, type Witness } from '../witness.ts'
import { any, anyTrust, by, ten, under } from './witnessed.ts'
import { seal, sealedEvery } from './worlds.ts'

const twice = sealedEvery(5, [ten])
const sealedBy = (...witnesses: readonly (readonly Witness[])[]) =>
  cut(
    twice,
    [{ of: ten, from: 0, to: 10 }],
    witnesses.map((by, seq) => seal(twice, seq, by)),
  )

/** An entry for the first checkpoint that stands behind the one for the second. */
const late = keep(w1, [[checkpoint(twice, 1), 20 * minute]], 5)[0]?.anchor ?? null

export const continuity: readonly Case[] = [
  [
    'continuity-by-turns',
    'two witnesses who each saw one of two seals do not say that both are of one history',
    sealedBy([w1], [w2]),
    'PPPPPPPPPPNPPNNP complete',
  ],
  ['continuity-throughout', 'one of two witnesses saw every seal', sealedBy([w1, w2], [w2]), fine],
  [
    'continuity-inside-the-gateway',
    'the ledger inside the gateway saw every seal, an independent one only the last',
    sealedBy([embedded], [embedded, w1]),
    'PPPPPPPPPPPNNNNP complete',
  ],
  [
    'continuity-of-the-dependent',
    'the ledger inside the gateway cannot give what two independent ones do not',
    sealedBy([embedded, w1], [embedded, w2]),
    'PPPPPPPPPPNPPNNP complete',
  ],
  [
    'continuity-that-shrinks',
    'a witness that numbered a smaller history after a larger one',
    cut(
      twice,
      [{ of: ten, from: 0, to: 10 }],
      [
        { seq: 0, checkpoints: [{ of: checkpoint(twice, 1), anchors: [late] }] },
        seal(twice, 1, [w1]),
      ],
    ),
    'PPPPPPPPPPFPPNNP invalid',
  ],
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
