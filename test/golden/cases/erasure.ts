// Erasable streams, erased and not (line 15).
import type { Item } from '../bytes.ts'
import { type Case, fine, incomplete, undetermined, withGaps } from '../case.ts'
import type { RangeCut } from '../evidence.ts'
import { key } from '../keys.ts'
import { a, controller } from '../people.ts'
import { alive, at, booted, type Draft, gap, lost, minute } from '../records.ts'
import { control, damaged, erased, gateway, type Stream } from '../streams.ts'
import { flip, list } from '../tamper.ts'
import { bare, probe, probeOf, sealedOnce, vital } from './worlds.ts'

const quiet: Draft = alive(null)
const closed: Draft = [4, null, null]
const pseudonym = (leaves: readonly Draft[], promise: Item = [3, 10 * minute]): Stream =>
  probeOf(leaves, {
    number: 5,
    source: 'c0ffee4b1d5e4f6a',
    kinds: ['heart-rate'],
    erasable: true,
    promise,
  })

const epoch = pseudonym([vital(0), vital(1), quiet, quiet, bare(25), closed])
const silentEpoch = pseudonym([bare(0), quiet, bare(25)])
const gappedEpoch = pseudonym([bare(0), gap(null, 'strap', null), bare(600), lost('frame')])
const hidden: Partial<RangeCut> = { show: () => 'hide' }
/** Structural leaves are opened, readings are not. */
const readingsHidden = (of: Stream): Partial<RangeCut> => ({
  show: (i) => (of.leaves[i]?.openings ? 'hide' : 'open'),
})

const order = erased(at(40 * minute), a, epoch.tag, controller)
const spoilt = list(order as readonly Item[])
const rebooted = booted(at(0), 'kedge 1.0.0')

/** The control stream with these leaves, and an epoch of which no reading is opened. */
const erasedBy = (leaves: readonly Draft[], of = epoch, range = readingsHidden(of)): Item =>
  sealedOnce([control(a, [rebooted, ...leaves]), of], [{}, range])

const fineErased = 'PPPPPPPPPPPPPNPP complete'
const forged = 'PPPPPPPPPPPPPNFP invalid'
const unknown = 'PPPPPPPPPPPPPNNP undetermined'

const asked = erasedBy([order])

const rows: readonly Case[] = [
  [
    'erasable-opened',
    'an erasable stream, opened whole: quiet leaves keep its promise',
    sealedOnce([epoch]),
    fine,
  ],
  [
    'erasable-hidden',
    'an erasable stream whose readings stay closed is not yet an erased one',
    sealedOnce([epoch], [readingsHidden(epoch)]),
    undetermined,
  ],
  [
    'erasable-too-few-quiet-leaves',
    'one quiet leaf does not cover a silence of twenty-five minutes',
    sealedOnce([silentEpoch]),
    incomplete,
  ],
  [
    'erasable-with-gaps',
    'a gap and a lost reading in a stream whose structural leaves state no time',
    sealedOnce([gappedEpoch]),
    withGaps,
  ],
  [
    'erasable-opened-as-needed',
    'an open probe beside private readings of which all is opened that a promise needs',
    sealedOnce([probe(1, 30), epoch], [{}, { show: () => [0, 1, 5, 6, 7, 8] }]),
    fine,
  ],
  [
    'erasable-beside-a-probe',
    'an open probe beside private readings of which only some are opened',
    sealedOnce([probe(1, 30), epoch], [{}, { show: (i) => (i === 1 ? [0, 11] : 'open') }]),
    undetermined,
  ],
  ['erased', 'an erased stream keeps its commits and its structural leaves', asked, fineErased],
  [
    'erased-promise-not-judged',
    'nobody judges any more what an erased stream promised',
    erasedBy([erased(at(0), a, silentEpoch.tag, controller)], silentEpoch),
    fineErased,
  ],
  [
    'erased-with-gaps',
    'the gaps of an erased stream stay gaps',
    erasedBy([erased(at(0), a, gappedEpoch.tag, controller)], gappedEpoch),
    'PPPPPPPPPPPPPNPP complete-with-declared-gaps',
  ],
  [
    'erased-and-damaged',
    'an erased stream with a declared run of damage',
    erasedBy([order, damaged(at(41 * minute), epoch, 1, 3, 6)], epoch, {
      ...readingsHidden(epoch),
      gone: [[1, 3]],
    }),
    'PPPPPPPPPPPPPNPP complete-with-declared-gaps',
  ],
  [
    'erased-and-damaged-undeclared',
    'an erased stream is no excuse for damage that nobody declared',
    erasedBy([order], epoch, { ...readingsHidden(epoch), gone: [[1, 3]] }),
    'PPPPPPPPPPPPPNPF incomplete',
  ],
  [
    'erased-twice',
    'two orders for one stream, one of them by a stranger',
    erasedBy([order, erased(at(41 * minute), a, epoch.tag, key('stranger'))]),
    unknown,
  ],
  [
    'erased-by-stranger',
    'an erasure ordered by somebody whom the regulator does not know',
    erasedBy([erased(at(0), a, epoch.tag, key('stranger'))]),
    unknown,
  ],
  [
    'erased-without-controller',
    'an erasure whose signature does not hold',
    erasedBy([[...spoilt.slice(0, 5), flip(63)(spoilt[5] ?? null)]]),
    forged,
  ],
  [
    'erased-by-the-gateway',
    'an erasure that the gateway signed in the name of the controller',
    erasedBy([
      [
        ...spoilt.slice(0, 5),
        list(erased(at(0), a, epoch.tag, a.key) as readonly Item[])[5] ?? null,
      ],
    ]),
    forged,
  ],
  [
    'erased-by-key-not-on-curve',
    'an erasure under a key that is no key',
    erasedBy([[...spoilt.slice(0, 4), flip(64)(spoilt[4] ?? null), spoilt[5] ?? null]]),
    forged,
  ],
  [
    'erased-in-another-incarnation',
    'an erasure ordered of another incarnation of the gateway',
    erasedBy([erased(at(0), gateway(a.key, 1), epoch.tag, controller)]),
    forged,
  ],
  [
    'erased-and-opened',
    'a reading opened in a stream that was erased',
    erasedBy([order], epoch, {
      show: (i) => (i === 1 ? [11] : epoch.leaves[i]?.openings ? 'hide' : 'open'),
    }),
    forged,
  ],
  [
    'erased-but-not-erasable',
    'an erasure of a stream that was never erasable',
    sealedOnce([
      control(a, [rebooted, erased(at(0), a, probe(1, 5).tag, controller)]),
      probe(1, 5),
    ]),
    forged,
  ],
  [
    'erased-but-not-erasable-hidden',
    'readings of a probe hidden behind an erasure',
    sealedOnce(
      [control(a, [rebooted, erased(at(0), a, probe(1, 5).tag, controller)]), probe(1, 5)],
      [{}, hidden],
    ),
    forged,
  ],
]

export const erasure: readonly Case[] = [
  ...rows,
  [
    'erased-without-trust',
    'without a trust file nobody knows who may order erasure',
    asked,
    'PPPPPPPPNNNNNNNP undetermined',
    { trust: null },
  ],
  [
    'erased-asked-by-index',
    'an erased stream still has every index',
    asked,
    fineErased,
    {
      expect: ['c0ffee4b1d5e4f6a,0,5'],
    },
  ],
  [
    'erased-asked-by-time',
    'an erased stream answers no question by time',
    asked,
    'PPPPPPPPPPPPPNPN undetermined',
    { expect: ['c0ffee4b1d5e4f6a,2026-03-01T00:00:00Z,2026-03-01T00:10:00Z'] },
  ],
  [
    'erased-within-lag',
    'the lag is asked of what was not erased',
    asked,
    fineErased,
    {
      maxLagMs: 41 * 24 * 60 * minute,
    },
  ],
]
