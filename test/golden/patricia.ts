// RLP and the Merkle Patricia trie of an EVM chain (written only), after the Yellow Paper's appendices B to D.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bigEndian, join } from './bytes.ts'

export type Rlp = Uint8Array | readonly Rlp[]

export const keccak = (...parts: readonly Uint8Array[]): Uint8Array => keccak_256(join(...parts))

export const rlp = (item: Rlp): Uint8Array => {
  if (item instanceof Uint8Array) {
    return item.length === 1 && (item[0] ?? 0) < 0x80 ? item : join(prefix(0x80, item), item)
  }
  return listOf(join(...item.map(rlp)))
}

/** A list of what these bytes are, right or wrong. */
export const listOf = (content: Uint8Array): Uint8Array => join(prefix(0xc0, content), content)

const prefix = (short: number, { length }: Uint8Array): Uint8Array => {
  if (length < 56) return Uint8Array.of(short + length)
  const width = length < 2 ** 8 ? 1 : length < 2 ** 16 ? 2 : 3
  return join(Uint8Array.of(short + 55 + width), bigEndian(length, width))
}

/** A number as RLP says it: no leading zeros, and nothing at all for 0. */
export const scalar = (n: number): Uint8Array => {
  if (n === 0) return new Uint8Array()
  return bigEndian(n, Math.ceil(n.toString(16).length / 2))
}

/** Without the zeros before it. */
export const trimmed = (word: Uint8Array): Uint8Array =>
  word.slice(
    Math.max(
      0,
      word.findIndex((byte) => byte !== 0),
    ),
  )

export type Trie = {
  readonly root: Uint8Array
  /** The nodes from the root to this key, or to where it would be. */
  readonly prove: (key: Uint8Array) => readonly Uint8Array[]
}

type Entry = { readonly path: readonly number[]; readonly value: Uint8Array }

export const trie = (of: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Trie => {
  const entries = of.map(([key, value]) => ({ path: nibbles(key), value }))
  return {
    root: keccak(rlp(nodeOf(entries))),
    prove: (key) => nodesTo(entries, nibbles(key)),
  }
}

/** The tries of accounts and slots go by the hash of the key. */
export const secureTrie = (
  of: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
): Trie => {
  const { root, prove } = trie(of.map(([key, value]) => [keccak(key), value]))
  return { root, prove: (key) => prove(keccak(key)) }
}

const nodeOf = (entries: readonly Entry[]): Rlp => {
  const [first, ...others] = entries
  if (first === undefined) return new Uint8Array()
  if (others.length === 0) return [part(first.path, 2), first.value]
  const shared = sharedBy(entries)
  if (shared > 0) {
    return [part(first.path.slice(0, shared), 0), reference(nodeOf(below(entries, shared)))]
  }
  const children = Array.from({ length: 16 }, (_, i) => reference(nodeOf(at(entries, i))))
  return [...children, new Uint8Array()]
}

const nodesTo = (entries: readonly Entry[], path: readonly number[]): readonly Uint8Array[] => {
  const node = rlp(nodeOf(entries))
  const [next = 0] = path
  if (entries.length === 1) return [node]
  const shared = sharedBy(entries)
  const deeper = shared > 0 ? below(entries, shared) : at(entries, next)
  return deeper.length === 0 ? [node] : [node, ...nodesTo(deeper, path.slice(shared || 1))]
}

const reference = (node: Rlp): Rlp => {
  const bytes = rlp(node)
  return bytes.length < 32 ? node : keccak(bytes)
}

const at = (entries: readonly Entry[], nibble: number): readonly Entry[] =>
  below(
    entries.filter(({ path }) => path[0] === nibble),
    1,
  )

const below = (entries: readonly Entry[], count: number): readonly Entry[] =>
  entries.map(({ path, value }) => ({ path: path.slice(count), value }))

const sharedBy = (entries: readonly Entry[]): number => {
  const [first] = entries
  const length = first?.path.findIndex((nibble, i) =>
    entries.some(({ path }) => path[i] !== nibble),
  )
  return length ?? 0
}

const nibbles = (key: Uint8Array): readonly number[] =>
  [...key].flatMap((byte) => [byte >> 4, byte & 15])

/** A part of a path in compact form, of an extension (0) or a leaf (2). */
export const part = (path: readonly number[], flag: number): Uint8Array => {
  const all = path.length % 2 === 1 ? [flag + 1, ...path] : [flag, 0, ...path]
  return Uint8Array.from(
    { length: all.length / 2 },
    (_, i) => 16 * (all[2 * i] ?? 0) + (all[2 * i + 1] ?? 0),
  )
}
