import test from 'ava'
import { historyHash } from '../anchor-client/evidence/merkle.ts'
import { crc32c } from '../gateway/journal/crc32c.ts'
import {
  decodeFrame,
  decodeFrameHead,
  encodeFrame,
  encodeFrameHead,
  type Run,
  runsOf,
  type StoredLeaf,
} from '../gateway/journal/frame.ts'
import { emptyFrontier, grow, parentsOf, placeOfNode } from '../gateway/journal/growing-tree.ts'
import { assemble, type Piece } from '../gateway/journal/pieces.ts'
import { decodeRow, encodeRow, keyOf, numberOf } from '../gateway/journal/row.ts'
import {
  alignedNodes,
  consistency,
  inclusionPath,
  nodesBeyond,
  pathAmong,
} from '../gateway/journal/tree-proofs.ts'
import { maxVarintBytes, readVarint, varintBytes, writeVarint } from '../gateway/journal/varint.ts'
import { randomFrom } from './fuzz/random.ts'
import {
  alignedSpans,
  inclusionPath as goldenPath,
  nodes,
  rangeSpans,
  treeRoot,
} from './golden/tree.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const leafHash = (i: number) => historyHash(1)(bytesOf(`leaf ${i}`))
const leavesTo = (size: number) => Array.from({ length: size }, (_, i) => leafHash(i))
const join = (hashes: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(hashes))

test('whole numbers come back as they were, to the largest there is, and nothing beyond', (t) => {
  const numbers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1]
  for (const number of numbers) {
    const writer = { bytes: new Uint8Array(maxVarintBytes), at: 0 }
    writeVarint(writer, number)
    t.is(writer.at, varintBytes(number))
    const reader = { bytes: writer.bytes.subarray(0, writer.at), at: 0 }
    t.is(readVarint(reader), number)
    t.is(reader.at, writer.at)
    t.is(readVarint({ bytes: writer.bytes.subarray(0, writer.at - 1), at: 0 }), Number.NaN)
  }
  t.is(readVarint({ bytes: new Uint8Array(9).fill(0xff), at: 0 }), Number.NaN)
})

test('a row is known by its number, and in no other place', (t) => {
  for (const number of [0, 255, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1]) {
    t.is(numberOf(keyOf(number)), number)
    const value = encodeRow({ number, kind: 'seal', body: bytesOf('body') })
    t.deepEqual(decodeRow(number, value), { number, kind: 'seal', body: bytesOf('body') })
    t.is(decodeRow(number + (number ? -1 : 1), value).kind, 'damaged')
    for (let at = 0; at < value.length; at++) {
      const other = Uint8Array.from(value)
      other[at] = (other[at] as number) ^ 0x10
      t.is(decodeRow(number, other).kind, 'damaged')
    }
  }
  t.is(decodeRow(1, undefined).kind, 'damaged')
  t.is(decodeRow(1, new Uint8Array(4)).kind, 'damaged')
})

test('a frame gives back its leaves, and its head says what it held even where they are damaged', (t) => {
  const random = randomFrom(3)
  const leaf = (): StoredLeaf => {
    const form = random.oneOf(['plain', 'private'] as const)
    return {
      form,
      head: random.bytes(form === 'plain' ? 16 : 32),
      body: random.bytes(random.oneOf([0, 1, 63, 64, 5000])),
    }
  }
  const runs: Run[] = [
    { stream: 0, start: 0, leaves: [leaf()] },
    { stream: 7, start: 2 ** 40, leaves: Array.from({ length: 50 }, leaf) },
  ]
  for (const committedAtMs of [null, 0, 1_772_323_200_000]) {
    const bytes = encodeFrame(committedAtMs, runs)
    const frame = decodeFrame(bytes)
    if (frame === undefined) return t.fail()
    t.is(frame.committedAtMs, committedAtMs)
    t.deepEqual(
      runsOf(frame).map(({ stream, start, leaves }) => ({ stream, start, leaves })),
      runs,
    )
    const heads = frame.runs
    t.deepEqual(decodeFrameHead(bytes.subarray(0, 40))?.runs, heads)
    t.deepEqual(decodeFrameHead(encodeFrameHead(heads))?.runs, heads)
    // Whatever is cut off is no frame, and whatever is in a wrong head is none.
    for (let end = 0; end < bytes.length; end += 97)
      t.is(decodeFrame(bytes.subarray(0, end)), undefined)
    for (let at = 0; at < 17; at++) {
      const other = Uint8Array.from(bytes)
      other[at] = (other[at] as number) ^ 1
      t.is(decodeFrameHead(other), undefined)
    }
  }
})

for (const hashId of [1, 2] as const) {
  test(`a tree that grew by pieces has the root of the whole, and each node that was kept is right (hash id ${hashId})`, (t) => {
    const hash = historyHash(hashId)
    const random = randomFrom(9)
    for (let round = 0; round < 20; round++) {
      let frontier = emptyFrontier()
      const sizes: number[] = []
      while (frontier.size < 150) {
        const from = frontier.size
        const more = 1 + random.below(40)
        const leaves = leavesTo(from + more)
        const growth = grow(hash, parentsOf(hash), frontier, join(leaves.slice(from)))
        t.is(growth.size, from + more)
        t.deepEqual(Buffer.from(growth.root), Buffer.from(treeRoot(leaves, hash)))
        for (let width = 16; width <= growth.size; width *= 2) {
          for (let low = 0; low + width <= growth.size; low += width) {
            const place = placeOfNode(from, growth.size, low, low + width)
            // Kept once: by the growth that completed it.
            t.is(place >= 0, low + width > from, `${low} to ${low + width} of ${from}`)
            if (place < 0) continue
            const kept = growth.nodes.subarray(32 * place, 32 * place + 32)
            const whole = treeRoot(leaves.slice(low, low + width), hash)
            t.deepEqual(Buffer.from(kept), Buffer.from(whole))
          }
        }
        frontier = growth.frontier
        sizes.push(frontier.size)
      }
    }
  })
}

test('places of nodes are told apart beyond 2^32 leaves', (t) => {
  const from = 2 ** 40 - 16
  t.is(placeOfNode(from, 2 ** 40, from, 2 ** 40), 0)
  t.is(placeOfNode(from, 2 ** 40, 0, 2 ** 40), 36)
  t.is(placeOfNode(from, 2 ** 40, 0, 2 ** 39), -1)
})

test('paths, ranges and consistency are those that the format defines', async (t) => {
  const hash = historyHash(1)
  const size = 77
  const leaves = leavesTo(size)
  const node = async (low: number, high: number) => treeRoot(leaves.slice(low, high))
  for (const index of [0, 1, 31, 32, 63, 64, 75, 76]) {
    const path = Buffer.concat(goldenPath(leaves, index))
    t.deepEqual(Buffer.from(await inclusionPath(hash, node, index, size)), path)
    t.deepEqual(Buffer.from(pathAmong(hash, join(leaves), index)), path)
  }
  for (const [from, to] of [
    [0, 1],
    [3, 50],
    [16, 32],
    [64, 77],
    [0, 77],
  ] as const) {
    const aligned = nodes(leaves, alignedSpans(from, to))
    t.deepEqual(Buffer.from(await alignedNodes(node, from, to)), Buffer.from(aligned))
    const { right } = rangeSpans(size, from, to)
    t.deepEqual(
      Buffer.from(await nodesBeyond(hash, node, to, size)),
      Buffer.from(nodes(leaves, right)),
    )
  }
  t.is((await consistency(hash, node, size, size)).length, 0)
  t.true((await consistency(hash, node, 40, size)).length > 0)
})

test('pieces in any order give the leaves and the holes between them', (t) => {
  const random = randomFrom(4)
  for (let round = 0; round < 300; round++) {
    const from = random.below(50)
    const to = from + random.below(60)
    const isThere = Array.from({ length: to + 40 }, () => random.below(4) > 0)
    const pieces: Piece[] = []
    for (let at = from; at < isThere.length; ) {
      const count = 1 + random.below(9)
      const hashes: Uint8Array[] = []
      for (let i = at; i < Math.min(at + count, isThere.length); i++) hashes.push(leafHash(i))
      const isWhole = isThere[at] === true
      pieces.splice(random.below(pieces.length + 1), 0, {
        start: isWhole ? at : at + hashes.length,
        hashes: isWhole ? join(hashes) : new Uint8Array(),
      })
      isThere.fill(isWhole, at, at + hashes.length)
      at += hashes.length
    }
    const { hashes, holes, rest } = assemble(pieces, from, to)
    const gone = holes.flatMap((hole) =>
      Array.from({ length: hole.to - hole.from }, (_, i) => hole.from + i),
    )
    const expected = isThere.flatMap((there, i) => (!there && i >= from && i < to ? [i] : []))
    t.deepEqual(gone, expected)
    for (let i = from; i < to; i++) {
      if (!isThere[i]) continue
      const hash = hashes.subarray(32 * (i - from), 32 * (i - from) + 32)
      t.deepEqual(Buffer.from(hash), Buffer.from(leafHash(i)))
    }
    // What lies beyond is kept for the next one, and its end is known.
    const end = Math.max(to, ...rest.map(({ start, hashes: of }) => start + of.length / 32))
    t.is(end, Math.max(to, isThere.length))
  }
})

test("LevelDB's check is the published one", (t) => {
  t.is(crc32c(bytesOf('123456789')), 0xe3069283)
  t.is(crc32c(new Uint8Array(32)), 0x8a9136aa)
})
