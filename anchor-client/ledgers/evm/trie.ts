import { keccak_256 } from '@noble/hashes/sha3.js'
import { encodeRlp, type RlpItem } from '../../evidence/rlp.ts'

/** A Merkle-Patricia trie that is built whole, as small as the receipts of one block. */
export interface Trie {
  readonly root: Uint8Array
  readonly top: Node | null
}

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

type Node =
  | { readonly kind: 'leaf'; readonly part: readonly number[]; readonly value: Uint8Array }
  | { readonly kind: 'extension'; readonly part: readonly number[]; readonly next: Node }
  | {
      readonly kind: 'branch'
      readonly next: readonly (Node | null)[]
      readonly value: Uint8Array
    }

interface Row {
  readonly path: readonly number[]
  readonly value: Uint8Array
}

/** Keys must differ. */
export function trieOf(entries: readonly Entry[]): Trie {
  const rows = entries.map(({ key, value }) => ({ path: nibblesOf(key), value }))
  const top = build(rows, 0)
  return { top, root: keccak_256(encodeRlp(top ? itemOf(top) : new Uint8Array())) }
}

/** The nodes that prove the entry of this key, from the root down; what is shorter than a hash is in its parent. */
export function proofIn({ top }: Trie, key: Uint8Array): Uint8Array[] {
  const path = nibblesOf(key)
  const nodes: Uint8Array[] = []
  let at = 0
  for (let node = top; node !== null; ) {
    const bytes = encodeRlp(itemOf(node))
    if (nodes.length === 0 || bytes.length >= hashBytes) nodes.push(bytes)
    if (node.kind === 'leaf') break
    if (node.kind === 'extension') {
      at += node.part.length
      node = node.next
    } else {
      node = node.next[path[at] as number] ?? null
      at += 1
    }
  }
  return nodes
}

const hashBytes = 32

function build(rows: readonly Row[], from: number): Node | null {
  const [first, ...others] = rows
  if (first === undefined) return null
  if (others.length === 0) return { kind: 'leaf', part: first.path.slice(from), value: first.value }
  let shared = from
  while (rows.every(({ path }) => shared < path.length && path[shared] === first.path[shared])) {
    shared += 1
  }
  const ended = rows.find(({ path }) => path.length === shared)
  const branch: Node = {
    kind: 'branch',
    next: Array.from({ length: 16 }, (_, nibble) =>
      build(
        rows.filter(({ path }) => path[shared] === nibble),
        shared + 1,
      ),
    ),
    value: ended?.value ?? new Uint8Array(),
  }
  if (shared === from) return branch
  return { kind: 'extension', part: first.path.slice(from, shared), next: branch }
}

function itemOf(node: Node): RlpItem {
  switch (node.kind) {
    case 'leaf':
      return [packed(node.part, true), node.value]
    case 'extension':
      return [packed(node.part, false), referenceTo(node.next)]
    case 'branch':
      return [...node.next.map((next) => (next ? referenceTo(next) : new Uint8Array())), node.value]
  }
}

function referenceTo(node: Node): RlpItem {
  const item = itemOf(node)
  const bytes = encodeRlp(item)
  return bytes.length < hashBytes ? item : keccak_256(bytes)
}

function packed(part: readonly number[], isLeaf: boolean): Uint8Array {
  const flag = (isLeaf ? 2 : 0) + (part.length % 2)
  const nibbles = part.length % 2 === 1 ? [flag, ...part] : [flag, 0, ...part]
  return Uint8Array.from({ length: nibbles.length / 2 }, (_, i) => {
    return ((nibbles[2 * i] as number) << 4) | (nibbles[2 * i + 1] as number)
  })
}

const nibblesOf = (bytes: Uint8Array): number[] =>
  Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15])
