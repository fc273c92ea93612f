// Golden: who may have taken a checkpoint (line 10).
import { utf8 } from '../bytes.ts'
import { type Case, failsAt, fine } from '../case.ts'
import { cut } from '../evidence.ts'
import { checkpoint } from '../history.ts'
import { embedded, ledgers, w1, w2 } from '../people.ts'
import { minute } from '../records.ts'
import { believing, by, grown, stranger, ten, unanchored, under, underAll } from './witnessed.ts'
import { seal } from './worlds.ts'

const requiredTrust = believing('w2-required', [ledgers.w1, { ...ledgers.w2, required: true }])

export const anchors: readonly Case[] = [
  [
    'anchored-twice',
    'one checkpoint, anchored inside the gateway and by a hospital',
    under([by(embedded), by(w1)]),
    fine,
  ],
  [
    'anchored-at-two-sizes',
    'two ledgers that took different sizes of one history',
    underAll([
      { of: checkpoint(grown, 2), anchors: [by(embedded)] },
      { of: checkpoint(grown, 4), anchors: [by(w1, 4, 31 * minute)] },
    ]),
    fine,
  ],
  [
    'anchored-at-four-sizes',
    'the same ledger took four sizes, and the first of them counts',
    underAll(
      [2, 3, 4, 5].map((size) => ({
        of: checkpoint(grown, size),
        anchors: [by(w1, size, size * 20 * minute)],
      })),
    ),
    fine,
  ],
  ['unanchored', 'a checkpoint that nobody took', under([]), unanchored],
  [
    'anchored-on-unknown-kind',
    'a ledger of a kind that this version does not know',
    under([[7, utf8('?')]]),
    failsAt(1),
  ],
  [
    'anchored-on-unknown-kind-too',
    'the same beside a ledger that it knows',
    under([[7, utf8('?')], by(w1)]),
    failsAt(1),
  ],
  [
    'anchored-by-stranger',
    'a witness whom the regulator does not know',
    under([by(stranger)]),
    unanchored,
  ],
  [
    'anchored-by-stranger-too',
    'a witness whom the regulator does not know beside one whom he knows',
    under([by(stranger), by(w1)]),
    fine,
  ],
  [
    'anchored-by-nobody-known',
    'a regulator who knows no ledger at all',
    under([by(w1)]),
    unanchored,
    { trust: believing('no-ledger', []) },
  ],
  [
    'required-ledger',
    'the ledger that must have taken every seal took this one',
    under([by(w1), by(w2)]),
    fine,
    { trust: requiredTrust },
  ],
  [
    'required-ledger-missing',
    'the ledger that must have taken every seal did not take this one',
    under([by(w1)]),
    'PPPPPPPPPNPPPNNP undetermined',
    { trust: requiredTrust },
  ],
  [
    'required-ledger-missing-once',
    'the ledger that must have taken every seal took one of two',
    cut(grown, [{ of: ten, from: 0, to: 10 }], [seal(grown, 0, [w1, w2]), seal(grown, 1, [w1])]),
    'PPPPPPPPPNPPPNNP undetermined',
    { trust: requiredTrust },
  ],
  [
    'anchored-in-one-of-two-seals',
    'one of two seals was taken by nobody',
    cut(grown, [{ of: ten, from: 0, to: 10 }], [seal(grown, 0, []), seal(grown, 1)]),
    unanchored,
  ],
  [
    'independent-in-one-of-two-seals',
    'one of two seals was anchored inside the gateway only',
    cut(grown, [{ of: ten, from: 0, to: 10 }], [seal(grown, 0, [embedded]), seal(grown, 1)]),
    'PPPPPPPPPPNNNNNP complete',
  ],
]
