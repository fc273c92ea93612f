// Line 13: what was fixed before what.
import { type Item, utf8 } from '../bytes.ts'
import { type Case, fine } from '../case.ts'
import { cut, type SealCut } from '../evidence.ts'
import { checkpoint, history } from '../history.ts'
import { a, embedded, ledgers, w1, w2 } from '../people.ts'
import { at, celsius, minute, noted } from '../records.ts'
import { control, type Stream } from '../streams.ts'
import { believing, by, grow, sealedAt, ten, under } from './witnessed.ts'
import { bare, minutes, probeOf, seal } from './worlds.ts'

const w2AnyTrust = believing('w2-takes-anything', [ledgers.w1, { ...ledgers.w2, rules: 'any' }])
const strictTrust = believing('w2-without-tolerance', [
  ledgers.w1,
  { ...ledgers.w2, clockToleranceMs: 0 },
])

const late = 'PPPPPPPPPPPPFNNP invalid'
/** Anything may be this much later than its anchor: its bound and the tolerance. */
const slack = 40 + 2_000

const twoNotes = control(a, [noted(at(0), 'x', utf8('')), noted(at(sealedAt), 'y', utf8(''))])
const private10 = probeOf(
  Array.from({ length: 10 }, (_, i) => bare(i)),
  { kinds: ['heart-rate'] },
)
const vague = probeOf([...minutes(9), celsius(1, at(9 * minute, { bound: null }))])

/** Headers without a wall, the second taken at this time. */
const takenBy = (ms: number, of: Stream = ten): Item => {
  const from = grow(of, [null, null])
  return under([by(w1, 2, ms, from)], from, of)
}

const wordless = grow(ten, [null, null])
const range = { of: ten, from: 0, to: 10 }
const vaguely = history(a, [{ at: 20 * minute, bound: null, grown: [[ten, 10]] }])
/** Seals whose time is a millisecond too early for their last reading. */
const first: SealCut = {
  seq: 0,
  checkpoints: [
    {
      of: checkpoint(wordless, 1),
      anchors: [by(w1, 1, 4 * minute - slack - 1, wordless)],
    },
  ],
}
const second: SealCut = {
  seq: 1,
  checkpoints: [
    {
      of: checkpoint(wordless, 2),
      anchors: [by(w1, 2, 9 * minute - slack - 1, wordless)],
    },
  ],
}

export const times: readonly Case[] = [
  [
    'header-as-late-as-allowed',
    'a header as late as bound and tolerance allow',
    under([by(w1, 2, sealedAt - slack)]),
    fine,
  ],
  [
    'header-later-than-anchor',
    'a header that states a time after its anchor',
    under([by(w1, 2, sealedAt - slack - 1)]),
    late,
  ],
  [
    'header-of-unknown-error',
    'a header whose clock nobody knows how well was set states no time',
    cut(
      vaguely,
      [range],
      [
        {
          seq: 0,
          checkpoints: [{ of: checkpoint(vaguely, 1), anchors: [by(w1, 1, 10 * minute, vaguely)] }],
        },
      ],
    ),
    fine,
  ],
  [
    'reading-as-late-as-allowed',
    'a reading as late as bound and tolerance allow',
    takenBy(9 * minute - slack),
    fine,
  ],
  [
    'reading-later-than-anchor',
    'a reading that states a time after its anchor',
    takenBy(9 * minute - slack - 1),
    late,
  ],
  [
    'private-later-than-anchor',
    'a private reading that states a time after its anchor',
    takenBy(9 * minute - slack - 1, private10),
    late,
  ],
  [
    'record-later-than-anchor',
    'a structural record that states a time after its anchor',
    takenBy(sealedAt - slack - 1, twoNotes),
    late,
  ],
  [
    'vague-reading-later-than-anchor',
    'a reading of unknown error states no time',
    takenBy(9 * minute - slack - 1, vague),
    fine,
  ],
  [
    'hidden-reading-later-than-anchor',
    'a hidden reading states no time',
    cut(wordless, [{ ...range, show: (i) => (i === 9 ? 'hide' : 'open') }], [second]),
    'PPPPPPPPPPPPPNNN undetermined',
  ],
  [
    'reading-later-than-first-seal',
    'a reading later than its first seal, though before the second',
    cut(wordless, [range], [first, seal(wordless, 1, [w1], 3)]),
    late,
  ],
  [
    'two-times-the-smaller',
    'of two independent times the smaller fixes',
    under([by(w1), by(w2, 2, sealedAt - slack - 1)]),
    late,
  ],
  [
    'two-times-the-same',
    'of two equal times the smaller tolerance counts',
    under([by(w1, 2, sealedAt - 41), by(w2, 2, sealedAt - 41)]),
    late,
    { trust: strictTrust },
  ],
  [
    'two-times-one-without-continuity',
    'a witness that takes anything does not date beside one that takes extensions',
    under([by(w1), by({ ...w2, rules: 0 }, 2, 0)]),
    fine,
    { trust: w2AnyTrust },
  ],
  [
    'two-times-one-inside-the-gateway',
    'the clock of the ledger inside the gateway does not count',
    under([by(embedded, 2, 0), by(w1)]),
    fine,
  ],
]
