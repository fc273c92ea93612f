// Line 14: a header was sealed after the entry that it names.
import { encode, type Item, raw, utf8 } from '../bytes.ts'
import { all, type Case, type Forged, failsAt, fine } from '../case.ts'
import { cut, file, inSeal } from '../evidence.ts'
import { seeded, sm3 } from '../hash.ts'
import { checkpoint, history } from '../history.ts'
import { key, sign } from '../keys.ts'
import { a, b, embedded, w1, w2 } from '../people.ts'
import { minute, second, start } from '../records.ts'
import { bytes, flip, list, put } from '../tamper.ts'
import { type Entry, keep, type Witness } from '../witness.ts'
import { grow, sealedAt, ten } from './witnessed.ts'
import { seal } from './worlds.ts'

/** What a witness took from gateway b a while before. */
const seen = (witness: Witness, at = 3 * minute): Entry => {
  const other = grow(ten, undefined, b)
  const [, entry] = keep(witness, [
    [checkpoint(other, 1), 2 * minute],
    [checkpoint(other, 2), at],
  ])
  if (entry === undefined) throw new TypeError('no entry')
  return entry
}
const regulator = seen(w2)

/** Ten readings under a header with this beacon, and this proof of it. */
const after = (beacon: Item, beaconProof?: Item, witness = w1, bound: number | null = 40): Item => {
  const from = history(a, [{ at: sealedAt, grown: [[ten, 10]], beacon, bound }])
  return cut(
    from,
    [{ of: ten, from: 0, to: 10 }],
    [{ ...seal(from, 0, [witness]), ...(beaconProof ? { beaconProof } : {}) }],
  )
}

/** An entry of another type than an anchor's, which goes on as it likes. */
const own = (entry: readonly Item[]) => {
  const written = encode(entry)
  const message = sm3(utf8('kedge/entry/v1\0'), written)
  return {
    beacon: [w2.key.id, 17, message],
    proof: [1, encode([w2.key.publicKey, written, sign(w2.key, message)])],
  }
}
const receipt = own([9, 1, 17, seeded('before'), start, 'a batch received', [1, [2, null]]])
const clockless = own([9, 0, 17, seeded('before'), null])
const unnumbered = own([9, 1, '17', seeded('before'), start])
const unruly = own([9, 2, 17, seeded('before'), start])
/** An entry that goes on with so many arrays, one inside the other. */
const deep = (depth: number) =>
  own([9, 1, 17, seeded('before'), start, raw(`${'81'.repeat(depth - 1)}80`)])
const short = own([9, 1, 17, seeded('before')])
/** A proof of so many bytes. */
const sized = (length: number) =>
  own([9, 1, 17, seeded('before'), start, new Uint8Array(length - 187)])
const long = sized(4_097)

const proven = 'PPPPPPPPPPPPPPNP complete'
const wrong = 'PPPPPPPPPPPPPFNP invalid'
const [, proof = null] = list(regulator.beaconProof)
const [ledger = null, height = null, hash = null] = list(regulator.beacon)
const good = after(regulator.beacon, regulator.beaconProof)
const swapped = after([w1.key.id, height, hash], regulator.beaconProof)

const failing: readonly Forged[] = [
  [
    'beacon-of-another-hash',
    'a header that names another hash than the entry has',
    after([ledger, height, flip()(hash)], regulator.beaconProof),
  ],
  [
    'beacon-of-another-height',
    'a header that names another height than the entry has',
    after([ledger, (height as number) + 1, hash], regulator.beaconProof),
  ],
  ['beacon-of-another-ledger', 'a header that names another ledger than kept the entry', swapped],
  [
    'beacon-signature-changed',
    'a proof of a beacon with one bit of its signature turned',
    after(regulator.beacon, [1, flip(-1)(proof)]),
  ],
  [
    'beacon-proof-empty',
    'a proof of a beacon of no bytes',
    after(regulator.beacon, [1, new Uint8Array()]),
  ],
  [
    'beacon-proof-of-another-entry',
    'a proof of another entry than the header names',
    after(regulator.beacon, receipt.proof),
  ],
  [
    'beacon-with-rest',
    'a proof of a beacon with a byte after its end',
    after(regulator.beacon, [1, Uint8Array.of(...bytes(proof), 0)]),
  ],
  [
    'beacon-unnumbered',
    'an entry whose number is a text',
    after(unnumbered.beacon, unnumbered.proof),
  ],
  [
    'beacon-of-unknown-rules',
    'an entry under rules that do not exist',
    after(unruly.beacon, unruly.proof),
  ],
  [
    'beacon-too-deep',
    'an entry that goes on deeper than anything may',
    after(deep(10).beacon, deep(10).proof),
  ],
  ['beacon-short', 'an entry that is shorter than entries are', after(short.beacon, short.proof)],
  ['beacon-long', 'a proof of a beacon longer than 4,096 bytes', after(long.beacon, long.proof)],
]

const twoSeals = history(a, [
  { at: 4 * minute + second, grown: [[ten, 5]], beacon: regulator.beacon },
  { at: sealedAt, grown: [[ten, 10]], beacon: regulator.beacon },
])
const both = (second: boolean): Item =>
  cut(
    twoSeals,
    [{ of: ten, from: 0, to: 10 }],
    [
      { ...seal(twoSeals, 0), beaconProof: regulator.beaconProof },
      { ...seal(twoSeals, 1), ...(second ? { beaconProof: regulator.beaconProof } : {}) },
    ],
  )

const strange = seen({ key: key('stranger'), rules: 1 })
const inside = seen(embedded)
/** As late as both witnesses' clocks may explain, beside an anchor of three seconds after the header. */
const late = sealedAt + 3 * second + 2 * 2_000
const justInTime = seen(w2, late)
const tooLate = seen(w2, late + 1)

export const beacons: readonly Case[] = [
  ['beacon', 'sealed after an entry that the regulator itself kept', good, proven],
  ['beacon-in-both-seals', 'both seals were sealed after it', both(true), proven],
  ['beacon-in-one-of-two-seals', 'one of two seals proves its beacon', both(false), fine],
  [
    'beacon-of-an-entry-that-goes-on',
    'a beacon may be an entry that is no anchor',
    after(receipt.beacon, receipt.proof),
    proven,
  ],
  [
    'beacon-of-a-witness-without-clock',
    'order needs no clock',
    after(clockless.beacon, clockless.proof),
    proven,
  ],
  [
    'beacon-as-long-as-allowed',
    'a proof of a beacon of 4,096 bytes',
    after(sized(4_096).beacon, sized(4_096).proof),
    proven,
  ],
  [
    'beacon-as-deep-as-allowed',
    'an entry that goes on ten deep',
    after(deep(9).beacon, deep(9).proof),
    proven,
  ],
  [
    'beacon-of-unknown-kind',
    'a proof of a kind that this version does not know',
    after(regulator.beacon, [7, proof]),
    failsAt(1),
  ],
  [
    'beacon-as-late-as-allowed',
    'a beacon as late as the clocks of two ledgers may explain',
    after(justInTime.beacon, justInTime.beaconProof, w1, null),
    proven,
  ],
  [
    'beacon-later-than-anchor',
    'a header sealed after an entry that is younger than its own anchor',
    after(tooLate.beacon, tooLate.beaconProof, w1, null),
    wrong,
  ],
  [
    'header-before-its-beacon',
    'a header that states a time before the entry that it names',
    after(justInTime.beacon, justInTime.beaconProof),
    wrong,
  ],
  [
    'beacon-later-than-anchor-inside-the-gateway',
    'the clock of a ledger inside the gateway contradicts no beacon',
    after(tooLate.beacon, tooLate.beaconProof, embedded, null),
    'PPPPPPPPPPPNNPNP complete',
  ],
  ['beacon-without-proof', 'a beacon that the file does not prove', after(regulator.beacon), fine],
  [
    'beacon-of-stranger',
    'a beacon of a ledger that nobody pinned',
    after(strange.beacon, strange.beaconProof),
    fine,
  ],
  [
    'beacon-inside-the-gateway',
    'a beacon of the ledger inside the gateway',
    after(inside.beacon, inside.beaconProof),
    fine,
  ],
  [
    'beacon-under-embedded-anchor',
    'a proven beacon under an anchor inside the gateway',
    after(regulator.beacon, regulator.beaconProof, embedded),
    'PPPPPPPPPPPNNPNP complete',
  ],
  ...all(wrong, failing),
  [
    'beacon-without-trust',
    'without a trust file a beacon that holds proves nothing',
    good,
    'PPPPPPPPNNNNNNNP undetermined',
    { trust: null },
  ],
  [
    'beacon-wrong-without-trust',
    'and one that does not hold is wrong for everybody',
    swapped,
    'PPPPPPPPNNNNNFNP invalid',
    { trust: null },
  ],
  [
    'beacon-proof-without-beacon',
    'a proof of a beacon that the header does not name',
    put(after(null), [file.seals, 0, inSeal.beaconProof], regulator.beaconProof),
    failsAt(2),
  ],
]
