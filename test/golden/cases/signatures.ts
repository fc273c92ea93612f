// Line 8: whoever signed, signed just this.
import { bigEndian, fromHex, type Item, join } from '../bytes.ts'
import { all, type Case, type Forged } from '../case.ts'
import { cut, file, inCheckpoint, inSeal } from '../evidence.ts'
import { checkpoint, checkpointMessage, history, rotationMessage } from '../history.ts'
import { key, n, p, sign } from '../keys.ts'
import { a, b, w1 } from '../people.ts'
import { gateway } from '../streams.ts'
import { bytes, change, flip, pick, put } from '../tamper.ts'
import { by, grown, sealedAt, ten, under } from './witnessed.ts'
import { seal } from './worlds.ts'

const good = under([by(w1)])
const checkpointAt = [file.seals, 0, inSeal.checkpoints, 0]
const signatureAt = [...checkpointAt, inCheckpoint.signature]
const keyAt = [...checkpointAt, inCheckpoint.key]

const signature = bytes(pick(good, signatureAt))
const r = signature.slice(0, 32)
const s = signature.slice(32)
const number = (x: bigint): Uint8Array => bigEndian(x, 32)
const zero = number(0n)
const most = new Uint8Array(32).fill(255)
const rest = n - BigInt(`0x${Buffer.from(r).toString('hex')}`)

const of2 = checkpoint(grown, 2)
const wrongMessage = (signed: Uint8Array): Item => put(good, signatureAt, sign(a.key, signed))

/** The signature does not hold; everything else does. */
const wrong = 'PPPPPPPFPPPPPNNP invalid'
/** And the key is not one that anybody trusts. */
const wrongKey = 'PPPPPPPFFPPPPNNP invalid'

const next = key('gateway a, second')
/** A header that hands over to the next key, with this signature by it. */
const handover = (signature: Uint8Array): Item => {
  const from = history(a, [
    { at: sealedAt, grown: [[ten, 10]], rotation: { key: next, signature } },
  ])
  return cut(from, [{ of: ten, from: 0, to: 10 }], [seal(from, 0)])
}

const spoilt: readonly Forged[] = [
  ['signature-changed', 'one bit of a signature turned', change(good, signatureAt, flip(-1))],
  ['signature-r-zero', 'a signature whose r is zero', put(good, signatureAt, join(zero, s))],
  ['signature-s-zero', 'a signature whose s is zero', put(good, signatureAt, join(r, zero))],
  ['signature-both-zero', 'a signature of zeros', put(good, signatureAt, join(zero, zero))],
  [
    'signature-r-order',
    'a signature whose r is the order of the group',
    put(good, signatureAt, join(number(n), s)),
  ],
  [
    'signature-s-order',
    'a signature whose s is the order of the group',
    put(good, signatureAt, join(r, number(n))),
  ],
  [
    'signature-r-largest',
    'a signature whose r is as large as can be written',
    put(good, signatureAt, join(most, s)),
  ],
  [
    'signature-s-largest',
    'a signature whose s is as large as can be written',
    put(good, signatureAt, join(r, most)),
  ],
  [
    'signature-sum-zero',
    'a signature whose r and s add up to nothing',
    put(good, signatureAt, join(r, number(rest))),
  ],
  [
    'signature-swapped',
    'a signature with r and s in the wrong order',
    put(good, signatureAt, join(s, r)),
  ],
  [
    'signature-interim',
    'an interim signature is never evidence',
    wrongMessage(checkpointMessage(a, 2, of2.root, 'kedge/interim/v1\0')),
  ],
  [
    'signature-of-another-size',
    'a signature over another size of the same root',
    wrongMessage(checkpointMessage(a, 3, of2.root)),
  ],
  [
    'signature-of-another-gateway',
    'a signature made for another gateway',
    wrongMessage(checkpointMessage(b, 2, of2.root)),
  ],
  [
    'signature-of-another-incarnation',
    'a signature made for another incarnation',
    wrongMessage(checkpointMessage(gateway(a.key, 1), 2, of2.root)),
  ],
  [
    'signature-of-another-hash',
    'a signature made for a history of another hash',
    wrongMessage(checkpointMessage({ ...a, hash: 2 }, 2, of2.root)),
  ],
  ['signature-of-a-header', 'a signature over the root alone', wrongMessage(of2.root)],
  [
    'rotation-signature-changed',
    'a rotation whose signature does not hold',
    handover(flip(-1)(sign(next, rotationMessage(a, 0, next))) as Uint8Array),
  ],
  [
    'rotation-of-another-header',
    'a rotation signed for another header',
    handover(sign(next, rotationMessage(a, 1, next))),
  ],
  [
    'rotation-signed-by-the-old-key',
    'a rotation that the old key signed for the new one',
    handover(sign(a.key, rotationMessage(a, 0, next))),
  ],
]

const keys: readonly Forged[] = [
  ['key-not-on-curve', 'a checkpoint under a key that is no point', change(good, keyAt, flip(64))],
  [
    'key-beyond-field',
    'a key whose x is as large as the prime of the field',
    change(good, keyAt, (item) => join(fromHex('04'), number(p), bytes(item).slice(33))),
  ],
  ['key-of-zeros', 'a key of zeros', put(good, keyAt, join(fromHex('04'), zero, zero))],
  ...['00', '02', '05', '06', '07'].map(
    (prefix): Forged => [
      `key-prefix-${prefix}`,
      'a key that is written another way than 04, x, y',
      change(good, keyAt, (item) => join(fromHex(prefix), bytes(item).slice(1))),
    ],
  ),
]

export const signatures: readonly Case[] = [...all(wrong, spoilt), ...all(wrongKey, keys)]
