// Streams, histories and seals that the cases share.
import type { Item } from '../bytes.ts'
import type { RangeCut, SealCut } from '../evidence.ts'
import { cut } from '../evidence.ts'
import { type Checkpoint, checkpoint, type History, history } from '../history.ts'
import { a, w1 } from '../people.ts'
import {
  at,
  celsius,
  type Draft,
  day,
  type Fields,
  minute,
  privately,
  second,
  series,
  start,
} from '../records.ts'
import { type Description, type Gateway, type Stream, stream } from '../streams.ts'
import { keep, type Witness } from '../witness.ts'

/** A reading a minute, half a minute early or late. */
export const eachMinute = [2, minute, minute / 2]

/** Temperatures at minutes `from` to `from + count − 1`; they wander, as a fridge's do. */
export const minutes = (count: number, from = 0, everyMs = minute): readonly Draft[] =>
  series(count, (i) => celsius(400 + (((from + i) * 37) % 90), at((from + i) * everyMs)))

export const probe = (number: number, count: number, of: Gateway = a): Stream =>
  stream(of, { number, source: `probe-${number}`, promise: eachMinute }, minutes(count))

/** A private reading at minute i, with every field. */
export const vital = (i: number): Draft =>
  bare(i, {
    2: '/min',
    3: null,
    4: null,
    5: i,
    9: null,
    10: null,
    11: [
      [60, 0],
      [80, 0],
    ],
  })

/** One with the fields that are always committed; the others are random bytes. */
export const bare = (i: number, more: Fields = {}): Draft =>
  privately({
    0: 'heart-rate',
    1: [60 + i, 0],
    2: null,
    5: null,
    6: 1,
    7: minute + i * minute,
    8: [start + i * minute, 2, 40],
    ...more,
  })

/** Seals these streams every so many leaves, a second after the last leaf's time. */
export const sealedEvery = (
  leaves: number,
  streams: readonly Stream[],
  everyMs = minute,
  of: Gateway = a,
): History => {
  const longest = Math.max(...streams.map((one) => one.leaves.length))
  return history(
    of,
    Array.from({ length: Math.ceil(longest / leaves) }, (_, seq) => ({
      at: (Math.min((seq + 1) * leaves, longest) - 1) * everyMs + second,
      grown: streams
        .filter((one) => one.leaves.length > seq * leaves)
        .map((one) => [one, Math.min((seq + 1) * leaves, one.leaves.length)] as const),
    })),
  )
}

/** What these witnesses gave for a checkpoint: their entries count with its size. */
export const anchorsBy = (
  of: Checkpoint,
  before: Checkpoint,
  at: number | null,
  witnesses: readonly Witness[],
): readonly Item[] =>
  witnesses.map(
    (one) =>
      keep(
        one,
        [
          [before, at],
          [of, at],
        ],
        of.size - 1,
      )[1]?.anchor ?? null,
  )

/** Header `seq` under the checkpoint of a size, which these took three seconds after its last header. */
export const seal = (
  from: History,
  seq: number,
  witnesses: readonly Witness[] = [w1],
  size = seq + 1,
): SealCut => sealOf(from, seq, checkpoint(from, size), witnesses)

export const sealOf = (
  from: History,
  seq: number,
  of: Checkpoint,
  witnesses: readonly Witness[] = [w1],
): SealCut => {
  const at = (from.batches[of.size - 1]?.at ?? 0) + 3 * second
  return { seq, checkpoints: [{ of, anchors: anchorsBy(of, checkpoint(from, 1), at, witnesses) }] }
}

/** All of these streams in one batch after forty days, under one seal. */
export const sealedOnce = (
  streams: readonly Stream[],
  ranges: readonly Partial<RangeCut>[] = [],
  witnesses: readonly Witness[] = [w1],
): Item => {
  const of = history(a, [{ at: 40 * day, grown: streams.map((one) => [one, one.leaves.length]) }])
  return cut(
    of,
    streams.map((one, i) => ({ of: one, from: 0, to: one.leaves.length, ...ranges[i] })),
    [seal(of, 0, witnesses)],
  )
}

/** A probe of gateway a with these leaves. */
export const probeOf = (drafts: readonly Draft[], about: Partial<Description> = {}): Stream =>
  stream(a, { number: 1, source: 'probe-1', promise: eachMinute, ...about }, drafts)
