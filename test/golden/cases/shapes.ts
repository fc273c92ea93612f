import { all, type Case, failsAt } from '../case.ts'
import { file, inCheckpoint, inLeaf, inRange, inSeal, inSegment, inStream } from '../evidence.ts'
import { w1 } from '../people.ts'
import { append, change, list, put } from '../tamper.ts'
import { by, under } from './witnessed.ts'

const good = under([by(w1)])
const range = [file.ranges, 0]
const sealAt = [file.seals, 0]
const segment = [...sealAt, inSeal.segments, 0]
const checkpointAt = [...sealAt, inSeal.checkpoints, 0]
const leaf = [...range, inRange.leaves, 0]
const bytes = (length: number) => new Uint8Array(length)

export const shapes: readonly Case[] = all(failsAt(1), [
  ['streams-none', 'a file of no streams', put(good, [file.streams], [])],
  ['ranges-none', 'a file of no ranges', put(good, [file.ranges], [])],
  ['seals-none', 'a file of no seals', put(good, [file.seals], [])],
  ['leaves-none', 'a range of no leaves', put(good, [...range, inRange.leaves], [])],
  ['segments-none', 'a seal of no segments', put(good, [...sealAt, inSeal.segments], [])],
  ['checkpoints-none', 'a seal of no checkpoints', put(good, [...sealAt, inSeal.checkpoints], [])],
  [
    'range-of-no-stream',
    'a range of a stream that the file does not name',
    put(good, [...range, inRange.stream], 1),
  ],
  [
    'segment-of-no-stream',
    'a segment of a stream that the file does not name',
    put(good, [...segment, inSegment.stream], 1),
  ],
  ['segment-of-size-0', 'a segment of no leaves', put(good, [...segment, inSegment.size], 0)],
  [
    'checkpoint-of-size-0',
    'a checkpoint of no headers',
    put(good, [...checkpointAt, inCheckpoint.size], 0),
  ],
  [
    'checkpoint-of-hash-0',
    'a history of no hash',
    put(good, [...checkpointAt, inCheckpoint.hash], 0),
  ],
  [
    'checkpoint-of-hash-3',
    'a history of a hash that is yet to come',
    put(good, [...checkpointAt, inCheckpoint.hash], 3),
  ],
  ['tag-short', 'a tag of 31 bytes', put(good, [file.streams, 0, inStream.tag], bytes(31))],
  ['commit-short', 'a hidden leaf of 31 bytes', put(good, leaf, bytes(31))],
  [
    'leaf-of-salt-only',
    'a leaf of a salt and nothing else',
    change(good, leaf, (item) => list(item).slice(0, 1)),
  ],
  [
    'leaf-of-four',
    'a leaf with one thing more than it has',
    change(good, leaf, append(null, null)),
  ],
  ['salt-short', 'a salt of 15 bytes', put(good, [...leaf, inLeaf.salt], bytes(15))],
  ['salt-long', 'a salt of 17 bytes', put(good, [...leaf, inLeaf.salt], bytes(17))],
  ['key-short', 'a key of 64 bytes', put(good, [...checkpointAt, inCheckpoint.key], bytes(64))],
  [
    'key-compressed',
    'a key in its short form',
    change(good, [...checkpointAt, inCheckpoint.key], (key) => (key as Uint8Array).slice(0, 33)),
  ],
  [
    'signature-short',
    'a signature of 63 bytes',
    put(good, [...checkpointAt, inCheckpoint.signature], bytes(63)),
  ],
  [
    'signature-long',
    'a signature of 65 bytes',
    put(good, [...checkpointAt, inCheckpoint.signature], bytes(65)),
  ],
  [
    'anchor-of-three',
    'an anchor with one thing more than it has',
    change(good, [...checkpointAt, inCheckpoint.anchors, 0], append(null)),
  ],
  [
    'anchor-of-negative-kind',
    'an anchor of a negative kind',
    put(good, [...checkpointAt, inCheckpoint.anchors, 0, 0], -1),
  ],
  [
    'proof-as-array',
    'a proof that is not a byte string',
    put(good, [...checkpointAt, inCheckpoint.anchors, 0, 1], []),
  ],
])
