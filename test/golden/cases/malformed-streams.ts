// Line 1: descriptors and headers that say what they cannot say.
import { encode, type Item, join, raw } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import { cut, file, inSeal } from '../evidence.ts'
import { seeded } from '../hash.ts'
import { history } from '../history.ts'
import { a } from '../people.ts'
import { minute, start } from '../records.ts'
import { gateway, stream, streamTag } from '../streams.ts'
import { put } from '../tamper.ts'
import { sealedAt } from './witnessed.ts'
import { minutes, probeOf, seal, sealedOnce } from './worlds.ts'

const low = seeded('member 1')
/** A probe under a descriptor of these parts, or of these bytes. */
const described = (descriptor: Uint8Array): Item =>
  sealedOnce([{ ...probeOf(minutes(1)), descriptor, tag: streamTag(descriptor) }])
const parts = (changes: Readonly<Record<number, Item>>): Item =>
  described(encode(descriptor.map((part, i) => changes[i] ?? part)))
const descriptor: readonly Item[] = [a.id, 0, 1, 'probe-1', ['temperature'], false, null, null]
const many = Array.from({ length: 33 }, (_, i) => `k${String(i).padStart(2, '0')}`)

const descriptors: readonly Forged[] = [
  [
    'descriptor-not-shortest',
    'a description that writes a number longer than it is',
    parts({ 1: raw('1800') }),
  ],
  [
    'descriptor-with-rest',
    'a description with a byte after its end',
    described(join(encode(descriptor), Uint8Array.of(0))),
  ],
  ['descriptor-empty', 'a description of no bytes', described(new Uint8Array())],
  [
    'descriptor-of-nine',
    'a description with one thing more than it has',
    described(encode([...descriptor, null])),
  ],
  ['descriptor-of-large-incarnation', 'an incarnation of 2 to the 32nd', parts({ 1: 2 ** 32 })],
  ['descriptor-of-large-number', 'a stream number of 2 to the 32nd', parts({ 2: 2 ** 32 })],
  ['descriptor-without-source', 'a stream without a source', parts({ 3: '' })],
  ['descriptor-named-control', 'a probe that calls itself control', parts({ 3: 'control' })],
  [
    'descriptor-kinds-unsorted',
    'kinds in another order than their letters',
    parts({ 4: ['temperature', 'humidity'] }),
  ],
  ['descriptor-kinds-doubled', 'one kind twice', parts({ 4: ['temperature', 'temperature'] })],
  [
    'descriptor-of-33-kinds',
    'a stream of thirty-three kinds',
    parts({ 4: ['temperature', ...many].sort().slice(0, 33) }),
  ],
  ['descriptor-kind-in-capitals', 'a kind in capitals', parts({ 4: ['Temperature'] })],
  ['descriptor-kind-empty', 'a kind of no letters', parts({ 4: [''] })],
  ['descriptor-kind-of-33', 'a kind of thirty-three letters', parts({ 4: ['t'.repeat(33)] })],
  ['descriptor-kind-with-newline', 'a kind with a line’s end', parts({ 4: ['temperature\n'] })],
  ['descriptor-erasable-as-number', 'a stream that is 1 where it is true', parts({ 5: 1 })],
  ['promise-unknown', 'a promise that does not exist', parts({ 6: [4, 1] })],
  ['promise-empty', 'a promise of nothing at all', parts({ 6: [] })],
  ['promise-counter-of-one', 'a counter that cannot count', parts({ 6: [1, 1, minute] })],
  ['promise-counter-too-soon', 'a counter within no time', parts({ 6: [1, 256, 0] })],
  ['promise-period-of-zero', 'a period of no time', parts({ 6: [2, 0, minute] })],
  ['promise-tolerance-negative', 'a tolerance below nothing', parts({ 6: [2, minute, -1] })],
  ['promise-events-of-zero', 'signs of life within no time', parts({ 6: [3, 0] })],
  [
    'promise-events-with-tolerance',
    'a promise with one thing more than it has',
    parts({ 6: [3, minute, 0] }),
  ],
  ['predecessor-short', 'a predecessor of 31 bytes', parts({ 7: new Uint8Array(31) })],
  [
    'predecessor-of-erasable',
    'an erasable stream that goes on from another',
    parts({ 5: true, 7: low }),
  ],
  ['control-of-another-name', 'a control stream of another name', parts({ 2: 0, 4: [] })],
  ['control-with-kinds', 'a control stream that may hold readings', parts({ 2: 0, 3: 'control' })],
  [
    'control-of-any-kind',
    'a control stream that may hold anything',
    parts({ 2: 0, 3: 'control', 4: raw('f6') }),
  ],
  [
    'control-erasable',
    'a control stream that may be erased',
    parts({ 2: 0, 3: 'control', 4: [], 5: true }),
  ],
  [
    'control-with-predecessor',
    'a control stream that goes on from another',
    parts({ 2: 0, 3: 'control', 4: [], 7: low }),
  ],
]

/** A header with these parts changed, in the place of the right one. */
const headed = (changes: Readonly<Record<number, Item>>, incarnation = 0): Item => {
  const of = gateway(a.key, incarnation)
  const one = stream(of, { number: 1, source: 'probe-1' }, minutes(1))
  const from = history(of, [
    { at: minute, grown: [] },
    { at: sealedAt, grown: [[one, 1]] },
  ])
  const tree = cut(from, [{ of: one, from: 0, to: 1 }], [seal(from, 1, [])])
  const parts = [1, of.id, incarnation, 1, one.tag, 1, start + sealedAt, 40, null, null, null]
  const header = encode(parts.map((part, i) => changes[i] ?? part))
  return put(tree, [file.seals, 0, inSeal.header], header)
}
const before: Item = [0, 5, 1, low]

const headers: readonly Forged[] = [
  ['header-of-version-2', 'a header of a version that is yet to come', headed({ 0: 2 })],
  [
    'header-not-shortest',
    'a header that writes a number longer than it is',
    headed({ 3: raw('1801') }),
  ],
  ['header-bound-without-wall', 'a header with an error of no wall', headed({ 6: raw('f6') })],
  ['header-wall-too-late', 'a header after the year 9999', headed({ 6: 253_402_300_800_000 })],
  ['header-beacon-of-two', 'a beacon with one thing less than it has', headed({ 8: [low, 1] })],
  [
    'header-previous-later',
    'a later header that names an incarnation before',
    headed({ 9: before }, 1),
  ],
  [
    'header-previous-of-itself',
    'an incarnation that names itself as the one before',
    headed({ 3: 0, 9: [1, 5, 1, low] }, 1),
  ],
  [
    'header-previous-of-size-0',
    'an incarnation before that sealed nothing',
    headed({ 3: 0, 9: [0, 0, 1, low] }, 1),
  ],
  [
    'header-previous-of-hash-0',
    'an incarnation before of no hash',
    headed({ 3: 0, 9: [0, 5, 0, low] }, 1),
  ],
  [
    'header-previous-of-hash-3',
    'an incarnation before of a hash that is yet to come',
    headed({ 3: 0, 9: [0, 5, 3, low] }, 1),
  ],
  [
    'header-previous-of-the-first',
    'the first incarnation names one before',
    headed({ 3: 0, 9: before }),
  ],
  [
    'header-rotation-of-short-key',
    'a rotation in a header to a key of 64 bytes',
    headed({ 10: [new Uint8Array(64), new Uint8Array(64)] }),
  ],
]

export const malformedStreams: readonly Case[] = all(failsAt(1), [...descriptors, ...headers])
