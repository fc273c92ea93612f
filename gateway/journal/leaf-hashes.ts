/** The hashes of many stored leaves, as their stream's tree takes them. */

import { messageLength, writeMessage } from '../../anchor-client/evidence/leaves.ts'
import { holdsReading } from '../../anchor-client/evidence/records.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'
import type { StoredLeaf } from './frame.ts'

const structural = Uint8Array.of(2)

const isReadingLeaf = ({ form, body }: StoredLeaf): boolean =>
  form === 'private' || holdsReading(body)

/** 32 bytes a leaf. */
export function leafHashes(leaves: readonly StoredLeaf[]): Uint8Array {
  const commits = commitsOf(leaves)
  const hashes = sm3Batch().ofEach(commits, 32, { prefix: 0 })
  for (let i = 0; i < leaves.length; i++) {
    if (isReadingLeaf(leaves[i] as StoredLeaf)) continue
    hashes.set(sm3(structural, commits.subarray(32 * i, 32 * i + 32)), 32 * i)
  }
  return hashes
}

// Plain loops: this is done for every reading there is.
function commitsOf(leaves: readonly StoredLeaf[]): Uint8Array {
  const ends = new Uint32Array(leaves.length)
  let opened = 0
  let length = 0
  for (let i = 0; i < leaves.length; i++) {
    const { form, body } = leaves[i] as StoredLeaf
    if (form !== 'plain') continue
    length += messageLength(body)
    ends[opened++] = length
  }
  const messages = new Uint8Array(length)
  let at = 0
  for (let i = 0; i < leaves.length; i++) {
    const { form, head, body } = leaves[i] as StoredLeaf
    if (form !== 'plain') continue
    writeMessage(messages, at, head, body)
    at += messageLength(body)
  }
  const commits = sm3Batch().ofSlices(messages, ends.subarray(0, opened))
  if (opened === leaves.length) return commits
  const all = new Uint8Array(32 * leaves.length)
  let taken = 0
  for (let i = 0; i < leaves.length; i++) {
    const { form, head } = leaves[i] as StoredLeaf
    all.set(form === 'plain' ? commits.subarray(32 * taken, 32 * ++taken) : head, 32 * i)
  }
  return all
}
