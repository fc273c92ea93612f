import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { decodeRlp, isRlpBytes, type RlpItem } from '../../evidence/rlp.ts'

/** Of a trie with nothing in it. */
const emptyRoot = keccak_256(Uint8Array.of(0x80))

/** RLP of no bytes. */
const zero = Uint8Array.of(0x80)

/** Whether the nodes prove that a trie has no such key: the way to it ends, or leads to another key. */
export function provesAbsence(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
): boolean {
  if (equalBytes(root, emptyRoot)) return true
  const path = bytesToHex(key)
  let at = 0
  let reference: RlpItem | undefined = root
  for (const [i, bytes] of nodes.entries()) {
    if (!isRlpBytes(reference) || !equalBytes(keccak_256(bytes), reference)) return false
    const node = decodeRlp(bytes)
    if (isRlpBytes(node)) return false
    const isLast = i === nodes.length - 1
    if (node.length === 17) {
      reference = node[Number.parseInt(path[at] ?? '', 16)]
      at += 1
      if (isRlpBytes(reference) && reference.length === 0) return isLast
      continue
    }
    const [part, next] = node
    if (node.length !== 2 || !isRlpBytes(part) || part.length === 0) return false
    const hex = bytesToHex(part)
    const flag = Number.parseInt(hex[0] as string, 16)
    const nibbles = hex.slice((flag & 1) === 1 ? 1 : 2)
    if (!path.startsWith(nibbles, at)) return isLast
    // A leaf whose path is the key's holds it; some nodes leave one there that holds a zero.
    if (flag >= 2) return isLast && isRlpBytes(next) && equalBytes(next, zero)
    at += nibbles.length
    reference = next
  }
  return false
}
