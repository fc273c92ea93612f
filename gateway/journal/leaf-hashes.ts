/** The hashes of many stored leaves, as their stream's tree takes them. */

import { messageLength, writeMessage } from '../../anchor-client/evidence/leaves.ts'
import { holdsReading } from '../../anchor-client/evidence/records.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'
import type { StoredLeaf } from './frame.ts'

const structural = Uint8Array.of(2)

export const isReadingLeaf = ({ form, body }: StoredLeaf): boolean =>
  form === 'private' || holdsReading(body)

/** 32 bytes a leaf. */
export function leafHashes(leaves: readonly StoredLeaf[]): Uint8Array {
  const commits = commitsOf(leaves)
  const hashes = sm3Batch().ofEach(commits, 32, { prefix: 0 })
  for (const [i, leaf] of leaves.entries()) {
    if (isReadingLeaf(leaf)) continue
    hashes.set(sm3(structural, commits.subarray(32 * i, 32 * i + 32)), 32 * i)
  }
  return hashes
}

export function commitsOf(leaves: readonly StoredLeaf[]): Uint8Array {
  const opened = leaves.filter(({ form }) => form === 'plain')
  const ends = new Uint32Array(opened.length)
  let length = 0
  for (const [i, { body }] of opened.entries()) {
    length += messageLength(body)
    ends[i] = length
  }
  const messages = new Uint8Array(length)
  let at = 0
  for (const { head, body } of opened) {
    writeMessage(messages, at, head, body)
    at += messageLength(body)
  }
  const commits = sm3Batch().ofSlices(messages, ends)
  if (opened.length === leaves.length) return commits
  const all = new Uint8Array(32 * leaves.length)
  let taken = 0
  for (const [i, { form, head }] of leaves.entries()) {
    all.set(form === 'plain' ? commits.subarray(32 * taken, 32 * ++taken) : head, 32 * i)
  }
  return all
}
