import { leafPrefixByte, messageLength, writeMessage } from '../leaves.ts'
import type { LeafList, Outline } from '../model.ts'
import { sm3Batch } from '../sm3-batch.ts'

/** A run as it stands, or the hashes of some leaves in a row, one after another. */
export type Hashed = Run | { readonly form: 'hashes'; readonly hashes: Uint8Array }
type Run = Extract<Outline, { form: 'run' }>
type Hashable = Exclude<Outline, Run>

/** A whole block of so many leaves, at a multiple of it, is one complete subtree. */
export const blockLeaves = 256

/** The leaves of a range as its tree takes them: hashed a block at a time, which is many times as fast. */
export function* hashedLeaves(from: number, leaves: LeafList): Iterable<Hashed> {
  let waiting: Hashable[] = []
  let index = from
  for (const outline of leaves.outlines()) {
    if (outline.form !== 'run') waiting.push(outline)
    index += outline.form === 'run' ? outline.count : 1
    if (outline.form !== 'run' && index % blockLeaves !== 0) continue
    if (waiting.length > 0) yield { form: 'hashes', hashes: hashesOf(waiting) }
    waiting = []
    if (outline.form === 'run') yield outline
  }
  if (waiting.length > 0) yield { form: 'hashes', hashes: hashesOf(waiting) }
}

function hashesOf(leaves: readonly Hashable[]): Uint8Array {
  const commits = commitsOf(leaves)
  const inputs = new Uint8Array(33 * leaves.length)
  for (const [i, leaf] of leaves.entries()) {
    inputs[33 * i] = leafPrefixByte(leaf)
    inputs.set(commits.subarray(32 * i, 32 * i + 32), 33 * i + 1)
  }
  return sm3Batch().ofEach(inputs, 33)
}

/** The commits, one after another: carried by hidden leaves, made from opened ones. */
function commitsOf(leaves: readonly Hashable[]): Uint8Array {
  const opened = leaves.flatMap((leaf, i) => (leaf.form === 'opened' ? [{ leaf, i }] : []))
  const lengths = opened.reduce((sum, { leaf }) => sum + messageLength(leaf.bytes), 0)
  const messages = new Uint8Array(lengths)
  const ends = new Uint32Array(opened.length)
  let end = 0
  for (const [n, { leaf }] of opened.entries()) {
    writeMessage(messages, end, leaf.salt, leaf.bytes)
    end += messageLength(leaf.bytes)
    ends[n] = end
  }
  const made = sm3Batch().ofSlices(messages, ends)
  if (opened.length === leaves.length) return made
  const commits = new Uint8Array(32 * leaves.length)
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.form === 'hidden') commits.set(leaf.commit, 32 * i)
  }
  for (const [n, { i }] of opened.entries()) commits.set(made.subarray(32 * n, 32 * n + 32), 32 * i)
  return commits
}
