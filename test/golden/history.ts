// Batches, headers, the history tree and its checkpoints (section 6).
import { compare, encode, type Item, join, u32, u64, utf8 } from './bytes.ts'
import { historyHash, sm3 } from './hash.ts'
import { type Key, sign } from './keys.ts'
import { start } from './records.ts'
import { type Gateway, rootAt, type Stream } from './streams.ts'
import { treeRoot } from './tree.ts'

export type Batch = {
  /** The header's wall, in milliseconds from `start`; null says none. */
  readonly at: number | null
  /** A root is given only where the leaves are not. */
  readonly grown: readonly (readonly [Stream, size: number, root?: Uint8Array])[]
  readonly bound?: number | null
  readonly beacon?: Item
  readonly previous?: Item
  /** The key that follows, and what it signed. */
  readonly rotation?: { readonly key: Key; readonly signature: Uint8Array }
  /** A header that lies about the number of its segments, or about its own. */
  readonly count?: number
  readonly seq?: number
  /** A batch whose segments stand as given, not by tag. */
  readonly unsorted?: boolean
}

export type Segment = {
  readonly stream: Stream
  readonly size: number
  readonly root: Uint8Array
  readonly bytes: Uint8Array
}

export type Sealed = {
  readonly header: Uint8Array
  readonly at: number | null
  readonly segments: readonly Segment[]
}

export type History = {
  readonly gateway: Gateway
  readonly batches: readonly Sealed[]
}

export type Checkpoint = {
  readonly gateway: Gateway
  readonly size: number
  readonly root: Uint8Array
  readonly key: Uint8Array
  readonly signature: Uint8Array
}

export const history = (gateway: Gateway, batches: readonly Batch[]): History => ({
  gateway,
  batches: batches.map((batch, seq) => sealBatch(gateway, seq, batch)),
})

const sealBatch = (gateway: Gateway, seq: number, batch: Batch): Sealed => {
  const segments = batch.grown
    .map(([stream, size, root]) => segment(stream, size, root))
    .sort((a, b) => (batch.unsorted ? 0 : compare(a.stream.tag, b.stream.tag)))
  const header = encode([
    1,
    gateway.id,
    gateway.incarnation,
    batch.seq ?? seq,
    treeRoot(segments.map(segmentLeaf)),
    batch.count ?? segments.length,
    batch.at === null ? null : start + batch.at,
    batch.at === null ? null : (batch.bound ?? (batch.bound === null ? null : 40)),
    batch.beacon ?? null,
    batch.previous ?? null,
    batch.rotation ? [batch.rotation.key.publicKey, batch.rotation.signature] : null,
  ])
  return { header, at: batch.at, segments }
}

export const segment = (
  stream: Stream,
  size: number,
  root: Uint8Array = rootAt(stream, size),
): Segment => {
  return { stream, size, root, bytes: encode([stream.tag, size, root]) }
}

export const segmentLeaf = ({ bytes }: Segment): Uint8Array => sm3(Uint8Array.of(0), bytes)

export const headerLeaves = ({ gateway, batches }: History, size: number): readonly Uint8Array[] =>
  batches.slice(0, size).map(({ header }) => historyHash(gateway.hash)(Uint8Array.of(0), header))

export const rotationMessage = (gateway: Gateway, seq: number, next: Key): Uint8Array =>
  sm3(utf8('kedge/rotation/v1\0'), gateway.id, u32(gateway.incarnation), u64(seq), next.publicKey)

/** The history's root at a size, signed by the gateway's key or by another. */
export const checkpoint = (of: History, size: number, key: Key = of.gateway.key): Checkpoint => {
  const root = treeRoot(headerLeaves(of, size), historyHash(of.gateway.hash))
  return signedCheckpoint(of.gateway, size, root, key)
}

export const signedCheckpoint = (
  gateway: Gateway,
  size: number,
  root: Uint8Array,
  key: Key = gateway.key,
): Checkpoint => {
  const signature = sign(key, checkpointMessage(gateway, size, root))
  return { gateway, size, root, key: key.publicKey, signature }
}

export const headOf = (gateway: Gateway, size: number, root: Uint8Array): Uint8Array =>
  historyHash(gateway.hash)(Uint8Array.of(3), u64(size), root)

/** M, or with another prefix what an interim signature signs. */
export const checkpointMessage = (
  gateway: Gateway,
  size: number,
  root: Uint8Array,
  prefix = 'kedge/checkpoint/v1\0',
): Uint8Array =>
  sm3(
    join(utf8(prefix), gateway.id, u32(gateway.incarnation), u64(size)),
    Uint8Array.of(gateway.hash),
    headOf(gateway, size, root),
  )
