// Part 3 of section 12, asked by time of streams that go on from each other.
import { hex, type Item } from '../bytes.ts'
import { type Case, fine, incomplete, undetermined, withGaps } from '../case.ts'
import { at, close, minute } from '../records.ts'
import type { Stream } from '../streams.ts'
import { type Asked, asked, questioned } from './asked.ts'
import { eachMinute, minutes, probe, probeOf, sealedOnce } from './worlds.ts'

const first = probeOf([...minutes(20), close(at(20 * minute))])
/** Goes on from the first one, with its first reading at this minute. */
const next = (from: number, promise: Item = eachMinute): Stream =>
  probeOf(minutes(20, from), { number: 2, predecessor: first.tag, promise })
const joined = sealedOnce([first, next(21)])
const joinedLate = sealedOnce([first, next(22)])
const joinedAlone = sealedOnce([next(21)])
const middle = probeOf([...minutes(20, 21), close(at(41 * minute))], {
  number: 2,
  predecessor: first.tag,
})
const last = probeOf(minutes(10, 42), { number: 3, predecessor: middle.tag })
const threeJoined = sealedOnce([first, middle, last])
const joinedToCut = sealedOnce([first, next(21)], [{ from: 5 }])
const unpromised = probeOf([...minutes(20), close(at(20 * minute))], { promise: null })
const joinedToUnpromised = sealedOnce([
  unpromised,
  probeOf(minutes(20, 21), { number: 2, predecessor: unpromised.tag }),
])
const twins = sealedOnce([probe(1, 30), probeOf(minutes(30, 100), { number: 2 })])

const byTime: readonly Asked[] = [
  [
    'expect-time-of-twins',
    'of two streams of one source the one that holds the time counts',
    twins,
    [asked(minute, 20 * minute), asked(101 * minute, 120 * minute)],
    fine,
  ],
  [
    'expect-time-across-twins',
    'the second opens inside the time asked for: a declared gap',
    twins,
    [asked(20 * minute, 120 * minute)],
    withGaps,
  ],
  [
    'expect-time-joined',
    'a stream that goes on from another within the promise: no gap',
    joined,
    [asked(minute, 39 * minute)],
    fine,
  ],
  [
    'expect-time-joined-of-the-older',
    'the same asked of the older one by its tag',
    joined,
    [asked(minute, 39 * minute, hex(first.tag))],
    fine,
  ],
  [
    'expect-time-joined-late',
    'a stream that goes on later than it promised: a declared gap',
    joinedLate,
    [asked(minute, 39 * minute)],
    withGaps,
  ],
  [
    'expect-time-joined-to-nobody',
    'a stream that goes on from one that the file does not have',
    joinedAlone,
    [asked(minute, 39 * minute)],
    undetermined,
  ],
  [
    'expect-time-joined-to-cut',
    'a stream that goes on from one that begins too late itself',
    joinedToCut,
    [asked(minute, 39 * minute, hex(next(21).tag))],
    incomplete,
  ],
  [
    'expect-time-three-joined',
    'three streams in a row',
    threeJoined,
    [asked(minute, 50 * minute), asked(minute, 50 * minute, hex(middle.tag))],
    fine,
  ],
  [
    'expect-time-joined-to-unpromised',
    'a stream that goes on from one that promised nothing',
    joinedToUnpromised,
    [asked(minute, 39 * minute, hex(unpromised.tag))],
    undetermined,
  ],
]

export const expectJoined: readonly Case[] = questioned(byTime)
