import { layout } from './sm3/layout.ts'
import { type Many, openMany } from './sm3/many.ts'
import { sm3 } from './sm3.ts'

/**
 * SM3 of many messages that lie one after another, four at a time where the engine can. So do the digests:
 * 32 bytes each, in `into` where that is given. No message is touched on its own in JavaScript.
 */
export interface Sm3Batch {
  /** Of messages of equal length, each after this prefix byte if there is one (then of at most 64 bytes). */
  readonly ofEach: (
    messages: Uint8Array,
    length: number,
    options?: { readonly prefix?: number; readonly into?: Uint8Array },
  ) => Uint8Array
  /** Of messages of any length: message i ends before `ends[i]`, where the next one starts. */
  readonly ofSlices: (messages: Uint8Array, ends: Uint32Array, into?: Uint8Array) => Uint8Array
  /** The nodes above these in a tree: half as many. An odd last one goes up as it is. */
  readonly parents: (nodes: Uint8Array, into?: Uint8Array) => Uint8Array
  /** The root of the tree over these leaf hashes (FORMAT.md section 3). */
  readonly root: (leaves: Uint8Array) => Uint8Array
}

export function sm3Batch(): Sm3Batch {
  opened ??= batchOn(openMany())
  return opened
}
let opened: Sm3Batch | undefined

const { flatCapacity, most, longest, longestPrefixed, ends: endsAt } = layout
const [first, second] = layout.flat
const nodePrefix = 1
const noPrefix = -1

export function batchOn({ memory, each, slices }: Many): Sm3Batch {
  const bytes = new Uint8Array(memory.buffer)
  const endsOfPiece = new Uint32Array(memory.buffer, endsAt, most)
  const copyOut = (from: number, count: number, into: Uint8Array, index: number) =>
    into.set(bytes.subarray(from, from + 32 * count), 32 * index)

  const ofEach: Sm3Batch['ofEach'] = (messages, length, { prefix, into } = {}) => {
    if (length < 1 || !Number.isInteger(length)) throw new TypeError('messages of no length')
    const count = wholeNumber(messages.length / length, 'messages of this length')
    if (prefix !== undefined && length > longestPrefixed) throw new TypeError('too long to prefix')
    const digests = roomFor(count, into)
    if (length > longest) {
      for (let i = 0; i < count; i++) {
        digests.set(sm3(messages.subarray(length * i, length * (i + 1))), 32 * i)
      }
      return digests
    }
    const atOnce = Math.min(most, Math.floor(flatCapacity / length))
    for (let i = 0; i < count; i += atOnce) {
      const taken = Math.min(atOnce, count - i)
      bytes.set(messages.subarray(length * i, length * (i + taken)), first)
      each(first, second, taken, length, prefix ?? noPrefix)
      copyOut(second, taken, digests, i)
    }
    return digests
  }

  const ofSlices: Sm3Batch['ofSlices'] = (messages, ends, into) => {
    const digests = roomFor(ends.length, into)
    let start = 0
    for (let i = 0; i < ends.length; ) {
      let taken = 0
      let end = start
      for (; taken < most && i + taken < ends.length; taken++) {
        const next = ends[i + taken] as number
        if (next < end || next > messages.length) throw new TypeError('ends that go back or beyond')
        if (next - start > flatCapacity || next - end > longest) break
        endsOfPiece[taken] = next - start
        end = next
      }
      if (taken > 0) {
        bytes.set(messages.subarray(start, end), first)
        slices(first, second, taken)
        copyOut(second, taken, digests, i)
      } else {
        taken = 1
        end = ends[i] as number
        digests.set(sm3(messages.subarray(start, end)), 32 * i)
      }
      start = end
      i += taken
    }
    return digests
  }

  const parents: Sm3Batch['parents'] = (nodes, into) => {
    const count = wholeNumber(nodes.length / 32, 'nodes')
    const above = roomFor(Math.ceil(count / 2), into)
    const pairs = nodes.subarray(0, 64 * Math.floor(count / 2))
    ofEach(pairs, 64, { prefix: nodePrefix, into: above.subarray(0, pairs.length / 2) })
    if (count % 2 === 1) above.set(nodes.subarray(-32), 16 * (count - 1))
    return above
  }

  /** Level by level without leaving the memory: at most `most` leaves. */
  const rootOfPiece = (leaves: Uint8Array): Uint8Array => {
    let [from, to]: [number, number] = [first, second]
    bytes.set(leaves, from)
    for (let count = leaves.length / 32; count > 1; count = Math.ceil(count / 2)) {
      const pairs = Math.floor(count / 2)
      each(from, to, pairs, 64, nodePrefix)
      const last = from + 32 * (count - 1)
      if (count % 2 === 1) bytes.copyWithin(to + 32 * pairs, last, last + 32)
      ;[from, to] = [to, from]
    }
    return bytes.slice(from, from + 32)
  }

  const root: Sm3Batch['root'] = (leaves) => {
    const count = wholeNumber(leaves.length / 32, 'leaves')
    if (count === 0) return sm3()
    if (count <= most) return rootOfPiece(leaves)
    // `most` is a power of two, so that the pieces are subtrees of the whole.
    const roots = roomFor(Math.ceil(count / most))
    for (let i = 0; i * most < count; i++) {
      roots.set(rootOfPiece(leaves.subarray(32 * most * i, 32 * most * (i + 1))), 32 * i)
    }
    return root(roots)
  }

  return { ofEach, ofSlices, parents, root }
}

function wholeNumber(count: number, of: string): number {
  if (!Number.isSafeInteger(count)) throw new TypeError(`not a whole number of ${of}`)
  return count
}

function roomFor(count: number, into: Uint8Array = new Uint8Array(32 * count)): Uint8Array {
  if (into.length !== 32 * count) throw new TypeError(`not the room of ${count} digests`)
  return into
}
