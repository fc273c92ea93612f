// A witness: entries that chain by hash, each signed (section 7).
import { encode, type Item, utf8 } from './bytes.ts'
import { seeded, sm3 } from './hash.ts'
import { type Checkpoint, headOf } from './history.ts'
import { type Key, sign } from './keys.ts'
import { start } from './records.ts'

export type Witness = { readonly key: Key; readonly rules: number }

/** What a witness is shown, and when by its own clock (null: it has none). */
export type Shown = readonly [Checkpoint, at: number | null]

export type Entry = {
  readonly number: number
  readonly entry: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly proof: Uint8Array
  /** `[kind, proof]`, as a checkpoint carries it. */
  readonly anchor: Item
  /** As a header names it. */
  readonly beacon: Item
  /** `[kind, proof]`, as a seal carries it. */
  readonly beaconProof: Item
}

/** A part of the witness's log: one entry for each checkpoint that it is shown, from this number on. */
export const keep = (witness: Witness, shown: readonly Shown[], first = 0): readonly Entry[] => {
  const log: Entry[] = []
  for (const one of shown) log.push(entryAfter(log.at(-1), witness, one, first + log.length))
  return log
}

const entryAfter = (
  before: Entry | undefined,
  { key, rules }: Witness,
  [checkpoint, at]: Shown,
  number: number,
): Entry => {
  const unseen = number === 0 ? new Uint8Array(32) : seeded(`entry ${number - 1}`)
  const previous = before ? before.message : unseen
  const wall = at === null ? null : start + at
  const { gateway, size, root } = checkpoint
  const head = headOf(gateway, size, root)
  const whose = [gateway.id, gateway.incarnation, size, gateway.hash, head]
  const entry = encode([1, rules, number, previous, wall, ...whose])
  const message = sm3(utf8('kedge/entry/v1\0'), entry)
  const signature = sign(key, message)
  const proof = encode([key.publicKey, rules, number, previous, wall, signature])
  return {
    number,
    entry,
    message,
    signature,
    proof,
    anchor: [1, proof],
    beacon: [key.id, number, message],
    beaconProof: [1, encode([key.publicKey, entry, signature])],
  }
}
