// Line 1: bytes that are no file, or not in the one way in which a file may be written.
import { type Item, join, raw, utf8 } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import {
  cut,
  file,
  fileBytes,
  inCheckpoint,
  inLeaf,
  inRange,
  inSeal,
  inSegment,
} from '../evidence.ts'
import { usual } from '../people.ts'
import { at, celsius, reading } from '../records.ts'
import { change, put } from '../tamper.ts'
import { grow } from './witnessed.ts'
import { probeOf, seal, sealedOnce } from './worlds.ts'

const one = probeOf([celsius(415, at(0)), celsius(416, at(60_000))])
const from = grow(one)
const tree = cut(from, [{ of: one, from: 0, to: 1 }], [seal(from, 0)])
const good = fileBytes(tree)
const here = {
  a: [file.ranges, 0, inRange.a],
  left: [file.ranges, 0, inRange.left],
  leaf: [file.ranges, 0, inRange.leaves, 0],
  record: [file.ranges, 0, inRange.leaves, 0, inLeaf.record],
  position: [file.seals, 0, inSeal.segments, 0, inSegment.position],
  root: [file.seals, 0, inSeal.segments, 0, inSegment.root],
  beaconProof: [file.seals, 0, inSeal.beaconProof],
  anchors: [file.seals, 0, inSeal.checkpoints, 0, inCheckpoint.anchors],
} as const

/** The file with other bytes where something stands. */
const instead = (path: readonly number[], hex: string): Item => put(tree, path, raw(hex))

/** Every byte of the file but the first six, as hex. */
const body = Buffer.from(good.slice(6)).toString('hex')
const withMagic = (hex: string): Uint8Array => join(utf8('KEDGE'), raw(hex).raw)
const cutAt = (length: number): Uint8Array => good.slice(0, length)

const whole: readonly (readonly [string, string, Uint8Array])[] = [
  ['file-empty', 'a file of no bytes', new Uint8Array()],
  ['file-of-magic-only', 'a file that ends after its version', cutAt(6)],
  ['file-of-half-a-magic', 'a file that ends in its magic', cutAt(3)],
  ['file-without-version', 'a file that ends before its version', cutAt(5)],
  ['file-cut-early', 'a file that ends in its first stream', cutAt(40)],
  ['file-cut-half', 'half a file', cutAt(good.length >> 1)],
  ['file-cut-late', 'a file without its last byte', cutAt(good.length - 1)],
  ['file-with-rest', 'a file with a byte after its end', join(good, Uint8Array.of(0))],
  ['file-twice', 'a file with another one after its end', join(good, good.slice(6))],
  [
    'file-of-wrong-magic',
    'a file that does not begin as it must',
    join(utf8('KEDGF'), good.slice(5)),
  ],
  [
    'file-of-small-magic',
    'a file that begins in small letters',
    join(utf8('kedge'), good.slice(5)),
  ],
  ['file-of-version-0', 'a file of version 0', withMagic(`00${body}`)],
  ['file-of-version-2', 'a file of a version that is yet to come', withMagic(`02${body}`)],
  ['file-without-magic', 'a file without its magic', good.slice(6)],
  ['file-of-trust', 'a trust file in the place of evidence', utf8(usual.text)],
  ['file-of-json', 'a JSON text in the place of evidence', utf8('{"readings":[4.15,4.16]}')],
  ['file-of-two-parts', 'a file of streams and ranges only', withMagic('01828080')],
  ['file-of-four-parts', 'a file of four parts', withMagic(`0184${body.slice(2)}f6`)],
  ['file-not-array', 'a file that is a number', withMagic('0100')],
  [
    'file-deep',
    'ten thousand arrays, one inside the other',
    withMagic(`01${'81'.repeat(10_000)}80`),
  ],
  ['file-gigabyte', 'a byte string that says it is a gigabyte long', withMagic('01835a40000000')],
  [
    'file-endless-array',
    'an array that says it has more parts than there are numbers',
    withMagic('019bffffffffffffffff'),
  ],
  [
    'file-long-array',
    'an array that says it has four thousand million parts',
    withMagic('01839affffffff'),
  ],
  [
    'file-long-text',
    'a text that says it is as long as numbers go',
    withMagic('01837b001fffffffffffff'),
  ],
  [
    'file-indefinite',
    'a file that is an array of no stated length',
    withMagic(`019f${body.slice(2)}ff`),
  ],
  [
    'file-not-shortest',
    'a file that states its three parts in two bytes',
    withMagic(`019803${body.slice(2)}`),
  ],
]

const long32 = (hex: string): string => `5900${hex}`
const root = `20${'00'.repeat(32)}`

const inside: readonly Forged[] = [
  ['number-not-shortest-1', 'a small number in two bytes', instead(here.a, '1800')],
  ['number-not-shortest-2', 'a small number in three bytes', instead(here.a, '190000')],
  ['number-not-shortest-4', 'a small number in five bytes', instead(here.a, '1a00000000')],
  ['number-not-shortest-8', 'a small number in nine bytes', instead(here.a, '1b0000000000000000')],
  ['number-not-shortest-23', 'twenty-three in two bytes', instead(here.a, '1817')],
  [
    'number-not-shortest-255',
    'two hundred and fifty-five in three bytes',
    instead(here.a, '1900ff'),
  ],
  ['number-not-shortest-65535', 'sixty-five thousand in five bytes', instead(here.a, '1a0000ffff')],
  [
    'number-not-shortest-32',
    'four thousand million in nine bytes',
    instead(here.a, '1b00000000ffffffff'),
  ],
  ['number-too-large', 'a number of 2 to the 53rd', instead(here.a, '1b0020000000000000')],
  [
    'number-largest',
    'the largest number that can be written',
    instead(here.a, '1bffffffffffffffff'),
  ],
  ['number-negative', 'a negative number where there is none', instead(here.a, '20')],
  [
    'number-smallest',
    'the smallest number that can be written',
    instead(here.a, '3bffffffffffffffff'),
  ],
  ['number-reserved', 'a number of a length that is reserved', instead(here.a, '1c')],
  ['number-as-float', 'a number as half a float', instead(here.a, 'f90000')],
  ['number-as-double', 'a number as a double float', instead(here.a, 'fb0000000000000000')],
  ['number-as-bignum', 'a number as a tagged byte string', instead(here.a, 'c240')],
  ['number-tagged', 'a number with a tag', instead(here.a, 'c000')],
  ['number-as-text', 'a number as text', put(tree, here.a, '0')],
  ['number-as-true', 'true where a number stands', put(tree, here.a, true)],
  ['number-as-null', 'null where a number stands', put(tree, here.a, null)],
  [
    'hash-length-not-shortest',
    'a hash whose length is in two bytes',
    instead(here.root, long32(root)),
  ],
  ['hash-indefinite', 'a hash in pieces', instead(here.root, `5f58${root}ff`)],
  ['hash-as-text', 'a hash as text', instead(here.root, `78${root}`)],
  ['hash-short', 'a hash of 31 bytes', put(tree, here.root, new Uint8Array(31))],
  ['hash-long', 'a hash of 33 bytes', put(tree, here.root, new Uint8Array(33))],
  ['hashes-uneven', 'a list of one and a half hashes', put(tree, here.left, new Uint8Array(48))],
  ['hashes-as-array', 'a list of hashes as an array', put(tree, here.left, [])],
  ['hashes-as-null', 'a list of no hashes as null', put(tree, here.left, null)],
  ['map', 'a map', instead(here.anchors, 'a0')],
  ['map-of-one', 'a map in the place of a leaf', instead(here.leaf, 'a10000')],
  ['undefined', 'undefined where null may stand', instead(here.beaconProof, 'f7')],
  ['simple-value', 'a value that means nothing', instead(here.beaconProof, 'f820')],
  ['simple-null-not-shortest', 'null in two bytes', instead(here.beaconProof, 'f816')],
  ['false-for-null', 'false where null may stand', put(tree, here.beaconProof, false)],
  ['break-alone', 'an end of something that never began', instead(here.beaconProof, 'ff')],
  [
    'array-of-one-too-many',
    'an array with one part too many',
    change(tree, [file.ranges, 0], (item) => [...(item as readonly Item[]), null]),
  ],
  [
    'array-of-one-too-few',
    'an array with one part too few',
    change(tree, [file.ranges, 0], (item) => (item as readonly Item[]).slice(0, -1)),
  ],
  [
    'beacon-proof-bare',
    'a proof of a beacon that does not name its kind',
    put(tree, here.beaconProof, new Uint8Array(9)),
  ],
  ['depth-of-eleven', 'arrays eleven deep', instead(here.beaconProof, `${'81'.repeat(7)}80`)],
]

/** A reading whose value is these bytes: the file hashes them as they are. */
const saying = (value: Item): Item => sealedOnce([probeOf([reading('temperature', value, at(0))])])

const texts: readonly Forged[] = [
  ['text-overlong-form', 'text in an overlong form', saying(raw('62c0af'))],
  ['text-overlong-nul', 'a zero in an overlong form', saying(raw('62c080'))],
  ['text-surrogate', 'text with half a surrogate pair', saying(raw('63eda080'))],
  ['text-above-unicode', 'text above the last character', saying(raw('64f4908080'))],
  ['text-cut', 'text that ends inside a character', saying(raw('62e282'))],
  ['text-continuation', 'text that begins inside a character', saying(raw('6180'))],
  ['text-byte-ff', 'text with a byte that no text has', saying(raw('61ff'))],
  ['text-of-257', 'text of 257 bytes', saying('x'.repeat(257))],
  ['text-of-86-characters', 'text of 86 characters and 258 bytes', saying('温'.repeat(86))],
  ['text-length-not-shortest', 'text whose length is in two bytes', saying(raw('780161'))],
  ['text-indefinite', 'text in pieces', saying(raw('7f6161ff'))],
  ['text-empty-value', 'a value of no text', saying('')],
  ['bytes-empty-value', 'a value of no bytes', saying(new Uint8Array())],
  ['bytes-of-257', 'a value of 257 bytes', saying(new Uint8Array(257))],
  ['value-float', 'a value as a float', saying(raw('fa40866666'))],
  ['value-number', 'a value as a bare number', saying(4)],
  ['value-map', 'a value as a map', saying(raw('a1616101'))],
  ['value-too-large', 'digits beyond 2 to the 53rd', saying([raw('1b0020000000000000'), 0])],
  ['value-too-small', 'digits below minus 2 to the 53rd', saying([raw('3b001fffffffffffff'), 0])],
]

export const encoding: readonly Case[] = all(failsAt(1), [...whole, ...inside, ...texts])
