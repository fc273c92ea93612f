import { keccak_256 } from '@noble/hashes/sha3.js'
import { equalBytes } from '../bytes.ts'
import { KedgeError } from '../errors.ts'
import { decodeRlp, isRlpBytes, type RlpItem } from '../rlp.ts'

/** Of a trie with nothing in it. */
const emptyRoot = keccak_256(Uint8Array.of(0x80))

/** RLP of no bytes. */
const zero = Uint8Array.of(0x80)

/**
 * The value that the nodes prove for a key: from the root down, each hashed into the one before and none left over.
 * Throws `EVIDENCE_MALFORMED` where they do not, and where they prove that there is none.
 */
export function provenValue(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
  what: string,
): Uint8Array {
  const refused = (why: string) => new KedgeError('EVIDENCE_MALFORMED', `${what}: ${why}`)
  const { value, used } = follow(root, key, nodes, refused)
  if (value === null) throw refused(noEntry)
  if (used !== nodes.length) throw refused('a node is not used')
  return value
}

/** Whether the nodes prove that a trie has no such key: the way to it ends, or leads to another key. */
export function provesAbsence(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
): boolean {
  if (equalBytes(root, emptyRoot)) return true
  try {
    const refused = (why: string) => new KedgeError('EVIDENCE_MALFORMED', why)
    const { value, used } = follow(root, key, nodes, refused)
    // Some nodes leave a leaf there that holds a zero.
    return used === nodes.length && (value === null || equalBytes(value, zero))
  } catch (error) {
    if (error instanceof KedgeError) return false
    throw error
  }
}

const noEntry = 'there is no such entry'

/** The way from the root to a key: what stands at its end, null where it ends before, and how many nodes it took. */
function follow(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
  refused: (why: string) => KedgeError,
): { readonly value: Uint8Array | null; readonly used: number } {
  const path = nibblesOf(key)
  let used = 0
  let at = 0
  let reference: RlpItem | undefined = root

  const open = (): readonly RlpItem[] => {
    // What is proved here is too long for its node, or any above it, to stand in its parent: all are found by hash.
    if (!isRlpBytes(reference) || reference.length !== 32) throw refused(noEntry)
    const node = nodes[used]
    if (node === undefined) throw refused('a node is missing')
    if (!equalBytes(keccak_256(node), reference)) {
      throw refused(`node ${used} is not the one that leads on`)
    }
    used += 1
    const items = decodeRlp(node)
    if (isRlpBytes(items)) throw refused(`node ${used - 1} is not a list`)
    return items
  }

  for (;;) {
    const node = open()
    if (node.length === 17) {
      const step = path[at]
      if (step === undefined) throw refused(noEntry)
      reference = node[step]
      if (isRlpBytes(reference) && reference.length === 0) return { value: null, used }
      at += 1
      continue
    }
    const part = node.length === 2 ? readPart(node[0]) : undefined
    if (part === undefined) throw refused('a node is neither a branch nor a part of the path')
    if (part.nibbles.some((nibble, i) => nibble !== path[at + i])) return { value: null, used }
    at += part.nibbles.length
    if (!part.isLeaf) {
      reference = node[1]
      continue
    }
    const value = node[1]
    if (at !== path.length || !isRlpBytes(value)) throw refused(noEntry)
    return { value, used }
  }
}

const nibblesOf = (bytes: Uint8Array): number[] =>
  Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15])

/** The part of a path that a leaf (2 or 3 in the first nibble) or an extension (0 or 1) stands for. */
function readPart(item: RlpItem | undefined) {
  if (!isRlpBytes(item) || item.length === 0) return undefined
  const [flag, padding, ...rest] = nibblesOf(item) as [number, number, ...number[]]
  const isOdd = (flag & 1) === 1
  if (flag > 3 || (!isOdd && padding !== 0)) return undefined
  const nibbles = isOdd ? [padding, ...rest] : rest
  const isLeaf = flag >= 2
  return isLeaf || nibbles.length > 0 ? { isLeaf, nibbles } : undefined
}
