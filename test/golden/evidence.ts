// Cuts evidence files out of a history (section 8), as plain arrays that a forger can alter.
import { encode, fromHex, type Item, join } from './bytes.ts'
import { historyHash } from './hash.ts'
import {
  type Checkpoint,
  type History,
  headerLeaves,
  type Sealed,
  type Segment,
  segmentLeaf,
} from './history.ts'
import type { Stream } from './streams.ts'
import { alignedSpans, inclusionPath, nodes, rangeSpans } from './tree.ts'

/** How a leaf is shown: opened (a private one with all its fields), hidden, or these fields. */
export type Show = 'open' | 'hide' | readonly number[]

export type RangeCut = {
  readonly of: Stream
  readonly from: number
  /** Not included. */
  readonly to: number
  readonly show?: (index: number) => Show
  /** Runs [c, d) of leaves that are gone. */
  readonly gone?: readonly (readonly [number, number])[]
}

export type SealCut = {
  readonly seq: number
  readonly checkpoints: readonly CheckpointCut[]
  readonly beaconProof?: Item
}
export type CheckpointCut = { readonly of: Checkpoint; readonly anchors: readonly Item[] }

/** Positions in the file's arrays. */
export const file = { streams: 0, ranges: 1, seals: 2 } as const
export const inStream = { tag: 0, descriptor: 1 } as const
export const inRange = { stream: 0, a: 1, left: 2, leaves: 3, right: 4 } as const
export const inLeaf = { salt: 0, record: 1, openings: 2 } as const
export const inSeal = { header: 0, segments: 1, beaconProof: 2, checkpoints: 3 } as const
export const inSegment = { stream: 0, position: 1, size: 2, root: 3, path: 4 } as const
export const inCheckpoint = {
  size: 0,
  hash: 1,
  root: 2,
  key: 3,
  signature: 4,
  path: 5,
  anchors: 6,
} as const

export const magic = fromHex('4b4544474501')

export const fileBytes = (tree: Item): Uint8Array => join(magic, encode(tree))

/** The file for these ranges under these seals: exactly the segments that it needs. */
export const cut = (
  from: History,
  ranges: readonly RangeCut[],
  seals: readonly SealCut[],
): Item => {
  const streams = [...new Set(ranges.map(({ of }) => of))].sort((x, y) => x.number - y.number)
  const place = (tag: Uint8Array) => streams.findIndex((one) => equal(one.tag, tag))
  const sorted = [...ranges].sort((x, y) => place(x.of.tag) - place(y.of.tag) || x.from - y.from)
  const used = seals.map(({ seq }) => new Set<Segment>(batch(from, seq).segments))
  const covering = streams.map((stream) => choose(stream, sorted, seals, from, used))
  return [
    streams.map(({ tag, descriptor }) => [tag, descriptor]),
    sorted.map((range, i) => {
      const before = sorted[i - 1]?.of === range.of ? sorted[i - 1] : undefined
      const isLast = sorted[i + 1]?.of !== range.of
      const at = place(range.of.tag)
      return rangeItem(range, at, before, isLast ? covering[at] : undefined)
    }),
    seals.map((seal, i) => sealItem(from, seal, used[i] ?? new Set(), place)),
  ]
}

const batch = (from: History, seq: number): Sealed => {
  const sealed = from.batches[seq]
  if (sealed === undefined) throw new TypeError(`there is no batch ${seq}`)
  return sealed
}

/** Drops segments that no range of the stream needs, and says the size that covers the last one. */
const choose = (
  stream: Stream,
  ranges: readonly RangeCut[],
  seals: readonly SealCut[],
  from: History,
  used: readonly Set<Segment>[],
): number | undefined => {
  const own = ranges.filter(({ of }) => of === stream)
  const end = own.at(-1)?.to ?? 0
  let covering: number | undefined
  seals.forEach(({ seq }, i) => {
    for (const one of batch(from, seq).segments) {
      if (!ranges.some(({ of }) => equal(of.tag, one.stream.tag))) used[i]?.delete(one)
      if (!equal(one.stream.tag, stream.tag)) continue
      const within = own.some((range) => range.from < one.size && one.size <= range.to)
      const covers = one.size >= end && covering === undefined
      if (covers) covering = one.size
      else if (!within || one.size >= end) used[i]?.delete(one)
    }
  })
  return covering
}

const rangeItem = (
  range: RangeCut,
  stream: number,
  before: RangeCut | undefined,
  size: number | undefined,
): Item => {
  const hashes = range.of.leaves.map(({ hash }) => hash)
  const { left, right } = rangeSpans(size ?? range.to, range.from, range.to)
  const beside = before ? alignedSpans(before.to, range.from) : left
  const leaves: Item[] = []
  for (let i = range.from; i < range.to; ) {
    const run = range.gone?.find(([c]) => c === i)
    leaves.push(run ? [run[1] - i, nodes(hashes, alignedSpans(...run))] : leafItem(range, i))
    i = run ? run[1] : i + 1
  }
  return [stream, range.from, nodes(hashes, beside), leaves, nodes(hashes, right)]
}

const leafItem = (range: RangeCut, index: number): Item => {
  const leaf = range.of.leaves[index]
  if (leaf === undefined) throw new TypeError(`there is no leaf ${index}`)
  const show = range.show?.(index) ?? 'open'
  if (show === 'hide') return leaf.commit
  if (leaf.openings === null) return [leaf.salt, leaf.record]
  const shown = leaf.openings.filter(({ number }) => show === 'open' || show.includes(number))
  return [leaf.salt, leaf.record, shown.map(({ salt, field }) => [salt, field])]
}

const sealItem = (
  from: History,
  seal: SealCut,
  used: ReadonlySet<Segment>,
  place: (tag: Uint8Array) => number,
): Item => {
  const { header, segments } = batch(from, seal.seq)
  const carried = segments.filter((one) => used.has(one))
  const items = carried.map((one) => {
    const position = segments.indexOf(one)
    const path = inclusionPath(segments.map(segmentLeaf), position)
    return [place(one.stream.tag), position, one.size, one.root, join(...path)] as const
  })
  return [
    header,
    items.sort(([x], [y]) => x - y),
    seal.beaconProof ?? null,
    seal.checkpoints.map((one) => checkpointItem(from, seal.seq, one)),
  ]
}

const checkpointItem = (from: History, seq: number, { of, anchors }: CheckpointCut): Item => {
  const hash = historyHash(of.gateway.hash)
  const path = inclusionPath(headerLeaves(from, of.size), seq, hash)
  const sorted = [...anchors].sort((x, y) => Buffer.compare(encode(x), encode(y)))
  return [of.size, of.gateway.hash, of.root, of.key, of.signature, join(...path), sorted]
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
