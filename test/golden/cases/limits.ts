// Line 1: how many there may be of everything.
import { type Item, utf8 } from '../bytes.ts'
import { all, type Case, type Forged, failsAt } from '../case.ts'
import {
  type CheckpointCut,
  cut,
  file,
  inCheckpoint,
  inRange,
  inSeal,
  inSegment,
  type SealCut,
} from '../evidence.ts'
import { checkpoint, type History, history } from '../history.ts'
import { a, controller, w1 } from '../people.ts'
import { at, day, minute, second } from '../records.ts'
import { control, erased, type Stream } from '../streams.ts'
import { change, list, put } from '../tamper.ts'
import { by, grown, ten, under, underAll } from './witnessed.ts'
import { minutes, probeOf, seal, sealedEvery } from './worlds.ts'

const good = under([by(w1)])
const range = [file.ranges, 0]
const sealAt = [file.seals, 0]
const segment = [...sealAt, inSeal.segments, 0]
const checkpointAt = [...sealAt, inSeal.checkpoints, 0]
const leaf = [...range, inRange.leaves, 0]
const bytes = (length: number) => new Uint8Array(length)
const hashes = (count: number) => bytes(32 * count)

const hourly = probeOf(minutes(65), { kinds: null })
const eachAlone = sealedEvery(1, [hourly])
const sealed = (count: number): Item =>
  cut(
    eachAlone,
    [{ of: hourly, from: 0, to: count, show: () => 'hide' }],
    Array.from({ length: count }, (_, seq) => seal(eachAlone, seq, [])),
  )

const beats: History = history(a, [
  ...Array.from({ length: 15 }, (_, i) => ({
    at: i * minute + second,
    grown: [[hourly, i + 1]] as const,
  })),
  ...Array.from({ length: 8 }, (_, i) => ({ at: day + i * minute, grown: [] })),
])
/** Checkpoints of the sizes from 16 on, each with so many anchors that do not hold. */
const crowd = (...anchors: readonly number[]): readonly CheckpointCut[] =>
  anchors.map((count, i) => ({
    of: checkpoint(beats, 16 + i),
    anchors: Array.from({ length: count }, (_, proof) => [1, Uint8Array.of(proof)]),
  }))
/** 14 seals of 8 checkpoints with 8 anchors, and one with the rest: 1,008 signatures and these. */
const signed = (rest: readonly CheckpointCut[], from = beats, log?: Stream): Item => {
  const seals: readonly SealCut[] = Array.from({ length: 15 }, (_, seq) => ({
    seq,
    checkpoints: seq < 14 ? crowd(8, 8, 8, 8, 8, 8, 8, 8) : rest,
    ...(log && seq === 14 ? { beaconProof: [1, bytes(0)] } : {}),
  }))
  const logged = log ? [{ of: log, from: 0, to: 1 }] : []
  return cut(from, [...logged, { of: hourly, from: 0, to: 15 }], seals)
}

/** The same with a rotation, a beacon and an erasure: a signature of every sort. */
const everySort = (rest: readonly CheckpointCut[]): Item => {
  const log = control(a, [erased(at(0), a, hourly.tag, controller)])
  const rotation = { key: a.key, signature: bytes(64) }
  const batches = Array.from({ length: 23 }, (_, i) => ({
    at: i * minute,
    grown: [
      ...(i < 15 ? [[hourly, i + 1] as const] : []),
      ...(i === 14 ? [[log, 1] as const] : []),
    ],
    ...(i === 14 ? { rotation, beacon: [a.id, 0, a.id] } : {}),
  }))
  return signed(rest, history(a, batches), log)
}

const nineSizes = history(a, [
  { at: minute, grown: [[ten, 10]] },
  ...Array.from({ length: 9 }, (_, i) => ({ at: day + i * minute, grown: [] })),
])
const sized = (count: number): Item =>
  cut(
    nineSizes,
    [{ of: ten, from: 0, to: 10, show: () => 'hide' }],
    [
      {
        seq: 0,
        checkpoints: Array.from({ length: count }, (_, i) => ({
          of: checkpoint(nineSizes, i + 1),
          anchors: [[1, utf8('?')]],
        })),
      },
    ],
  )
const anchorsOf = (count: number): Item =>
  underAll([
    {
      of: checkpoint(grown, 2),
      anchors: Array.from({ length: count }, (_, i) => [1, Uint8Array.of(i)]),
    },
  ])

/** So many ranges of one reading that is gone. */
const ranges = (count: number): Item =>
  put(
    good,
    [file.ranges],
    Array.from({ length: count }, (_, i) => [0, 2 * i, bytes(0), [[1, bytes(0)]], bytes(0)]),
  )

const badAnchors = 'PPPPPPPPPFNNNNNP invalid'

const within: readonly Case[] = [
  ['seals-64', 'sixty-four seals', sealed(64), 'PPPNPPPPPNNNNNNN undetermined'],
  ['signatures-1024', 'one thousand and twenty-four signatures', signed(crowd(8, 6)), badAnchors],
  ['checkpoints-8', 'eight checkpoints in a seal', sized(8), 'PPPNPPPPPFNNNNNN invalid'],
  ['anchors-8', 'eight anchors on a checkpoint', anchorsOf(8), badAnchors],
  [
    'left-of-128',
    'one hundred and twenty-eight hashes on the left',
    put(good, [...range, inRange.left], hashes(128)),
    failsAt(5),
  ],
  [
    'right-of-128',
    'one hundred and twenty-eight hashes on the right',
    put(good, [...range, inRange.right], hashes(128)),
    failsAt(5),
  ],
  [
    'run-of-128-nodes',
    'a run of damage of one hundred and twenty-eight hashes',
    put(good, leaf, [1, hashes(128)]),
    failsAt(5),
  ],
  [
    'segment-path-of-64',
    'sixty-four hashes in the path of a segment',
    put(good, [...segment, inSegment.path], hashes(64)),
    failsAt(6),
  ],
  [
    'header-path-of-64',
    'sixty-four hashes in the path of a header',
    put(good, [...checkpointAt, inCheckpoint.path], hashes(64)),
    failsAt(7),
  ],
  [
    'position-large',
    'a segment at the largest position',
    put(good, [...segment, inSegment.position], 2 ** 53 - 1),
    failsAt(6),
  ],
  [
    'checkpoint-size-large',
    'a checkpoint of the largest size',
    put(good, [...checkpointAt, inCheckpoint.size], 2 ** 53 - 1),
    failsAt(7),
  ],
  [
    'one-leaf-of-the-largest',
    'a range that reaches the largest index',
    put(
      change(good, [...range, inRange.leaves], (items) => list(items).slice(0, 1)),
      [...range, inRange.a],
      2 ** 53 - 2,
    ),
    failsAt(2),
  ],
]

const beyond: readonly Forged[] = [
  ['seals-65', 'sixty-five seals', sealed(65)],
  [
    'signatures-1025',
    'one thousand and twenty-five signatures of every sort',
    everySort(crowd(8, 4)),
  ],
  ['checkpoints-9', 'nine checkpoints in a seal', sized(9)],
  ['anchors-9', 'nine anchors on a checkpoint', anchorsOf(9)],
  ['ranges-4097', 'four thousand and ninety-seven ranges', ranges(4_097)],
  [
    'left-of-129',
    'one hundred and twenty-nine hashes on the left',
    put(good, [...range, inRange.left], hashes(129)),
  ],
  [
    'right-of-129',
    'one hundred and twenty-nine hashes on the right',
    put(good, [...range, inRange.right], hashes(129)),
  ],
  [
    'run-of-129-nodes',
    'a run of damage of one hundred and twenty-nine hashes',
    put(good, leaf, [1, hashes(129)]),
  ],
  [
    'segment-path-of-65',
    'sixty-five hashes in the path of a segment',
    put(good, [...segment, inSegment.path], hashes(65)),
  ],
  [
    'header-path-of-65',
    'sixty-five hashes in the path of a header',
    put(good, [...checkpointAt, inCheckpoint.path], hashes(65)),
  ],
  ['run-of-none', 'a run of damage of no leaves', put(good, leaf, [0, bytes(0)])],
  [
    'runs-in-a-row',
    'two runs of damage, one after the other',
    change(good, [...range, inRange.leaves], (items) => [
      [1, hashes(1)],
      [1, hashes(1)],
      ...list(items).slice(2),
    ]),
  ],
  [
    'run-beyond-numbers',
    'a run of damage that ends beyond the largest index',
    put(put(good, leaf, [2 ** 53 - 1, bytes(0)]), [...range, inRange.a], 1),
  ],
  [
    'range-beyond-numbers',
    'a range that ends beyond the largest index',
    put(good, [...range, inRange.a], 2 ** 53 - 1),
  ],
]

export const limits: readonly Case[] = [...within, ...all(failsAt(1), beyond)]
