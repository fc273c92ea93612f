/** The vocabulary of evidence v1, as FORMAT.md lays it out in bytes. Hashes, keys and tags are bytes. */

/** mantissa × 10^exponent, with the digits as the sensor gave them. */
export type Decimal = readonly [mantissa: number, exponent: number]
export type Several = readonly (readonly [name: string, number: Decimal])[]
export type Value = Decimal | Several | string | Uint8Array | boolean | null
export type Details = readonly (readonly [name: string, value: Value])[]

export interface WallTime {
  readonly wallMs: number | null
  readonly clock: number
  readonly boundMs: number | null
}

export interface Time extends WallTime {
  readonly boot: number
  readonly monoMs: number
}

export type Kinds = readonly string[] | null

export type Promised =
  | null
  | { readonly type: 'counter'; readonly modulus: number; readonly ms: number }
  | { readonly type: 'period'; readonly ms: number; readonly toleranceMs: number }
  | { readonly type: 'events'; readonly ms: number }

export interface Descriptor {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly number: number
  readonly source: string
  readonly kinds: Kinds
  readonly erasable: boolean
  readonly promise: Promised
  readonly predecessor: Uint8Array | null
}

export interface Reading {
  readonly type: 'reading'
  readonly kind: string
  readonly value: Value
  readonly unit: string | null
  readonly quality: string | null
  readonly raw: Value
  readonly counter: number | null
  readonly time: Time
  readonly source: string | null
  readonly details: Details | null
}

export interface PrivateReading {
  readonly type: 'private'
  /** Twelve commitments of 32 bytes, by field number. */
  readonly commitments: Uint8Array
}

export type Members = readonly (readonly [tag: Uint8Array, index: number])[]
type MaybeTimed<Type> = { readonly type: Type; readonly time: Time | null }
type Timed<Type> = { readonly type: Type; readonly time: Time }

export type Damage = Timed<'damage'> & {
  readonly tag: Uint8Array
  readonly from: number
  readonly to: number
  readonly size: number
  readonly root: Uint8Array
}

export type Erase = Timed<'erase'> & {
  readonly tag: Uint8Array
  readonly order: Uint8Array
  readonly controller: Uint8Array
  readonly signature: Uint8Array
}

export type StreamRecord =
  | (MaybeTimed<'open'> & { readonly id: string; readonly members: Members })
  | (MaybeTimed<'close'> & { readonly members: Members | null })
  | (MaybeTimed<'gap'> & { readonly cause: string; readonly count: number | null })
  | { readonly type: 'lost'; readonly cause: string }
  | MaybeTimed<'alive'>
  | (MaybeTimed<'join'> & { readonly tag: Uint8Array; readonly start: number })

export type ControlRecord =
  | (Timed<'boot'> & { readonly program: string })
  | (Timed<'config'> & { readonly bytes: Uint8Array })
  | (Timed<'stream'> & { readonly descriptor: Uint8Array })
  | Timed<'clock'>
  | (Timed<'rotation'> & { readonly key: Uint8Array; readonly seq: number })
  | Damage
  | Erase
  | (Timed<'silent'> & { readonly ledger: Uint8Array })
  | (Timed<'note'> & { readonly name: string; readonly bytes: Uint8Array })

export type LeafRecord = Reading | PrivateReading | StreamRecord | ControlRecord

/** An opened field of a private reading. */
export type Field =
  | { readonly name: 'kind'; readonly content: string }
  | { readonly name: 'value' | 'raw'; readonly content: Value }
  | { readonly name: 'unit' | 'quality' | 'source'; readonly content: string | null }
  | { readonly name: 'counter'; readonly content: number | null }
  | { readonly name: 'boot' | 'mono'; readonly content: number }
  | { readonly name: 'wall'; readonly content: WallTime }
  | { readonly name: 'details'; readonly content: Details | null }
  | { readonly name: 'band'; readonly content: readonly [Decimal, Decimal] | null }

export interface Opening {
  readonly salt: Uint8Array
  readonly bytes: Uint8Array
  readonly number: number
  readonly field: Field
}

/** A leaf as its tree sees it. */
export type Outline =
  | { readonly form: 'hidden'; readonly commit: Uint8Array }
  | { readonly form: 'opened'; readonly salt: Uint8Array; readonly bytes: Uint8Array }
  | { readonly form: 'run'; readonly count: number; readonly nodes: Uint8Array }

export type OpenedLeaf = Extract<Outline, { form: 'opened' }> & {
  readonly record: LeafRecord
  /** Empty but for a private reading. */
  readonly openings: readonly Opening[]
}

export type Leaf = Exclude<Outline, { form: 'opened' }> | OpenedLeaf

export interface Segment {
  readonly tag: Uint8Array
  readonly size: number
  readonly root: Uint8Array
}

export interface Beacon {
  readonly ledger: Uint8Array
  readonly height: number
  readonly hash: Uint8Array
}

export type HashId = 1 | 2

export interface Header {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly seq: number
  readonly batchRoot: Uint8Array
  readonly segments: number
  readonly wallMs: number | null
  readonly boundMs: number | null
  readonly beacon: Beacon | null
  readonly previous: {
    readonly incarnation: number
    readonly size: number
    readonly hashId: HashId
    readonly root: Uint8Array
  } | null
  readonly rotation: { readonly key: Uint8Array; readonly signature: Uint8Array } | null
}

/** What a ledger of that kind gives: for a checkpoint an anchor, for a beacon its proof. */
export interface LedgerProof {
  readonly kind: number
  readonly proof: Uint8Array
}

export interface SignedCheckpoint {
  readonly size: number
  readonly hashId: HashId
  readonly root: Uint8Array
  readonly key: Uint8Array
  readonly signature: Uint8Array
  readonly path: Uint8Array
  readonly anchors: readonly LedgerProof[]
}

export interface SealSegment {
  /** Position in the file's list of streams. */
  readonly stream: number
  readonly position: number
  readonly size: number
  readonly root: Uint8Array
  readonly path: Uint8Array
}

export interface Seal {
  readonly headerBytes: Uint8Array
  readonly header: Header
  readonly segments: readonly SealSegment[]
  readonly beaconProof: LedgerProof | null
  readonly checkpoints: readonly SignedCheckpoint[]
}

export interface FileStream {
  readonly tag: Uint8Array
  readonly descriptorBytes: Uint8Array
  readonly descriptor: Descriptor
}

export interface Range {
  /** Position in the file's list of streams. */
  readonly stream: number
  /** The range is [from, to). */
  readonly from: number
  readonly to: number
  readonly left: Uint8Array
  readonly right: Uint8Array
  /** Leaves are decoded when they are looked at: a file may hold a million. */
  readonly leaves: LeafList
}

export interface LeafList extends Iterable<readonly [index: number, leaf: Leaf]> {
  outlines(): Iterable<Outline>
  /** The leaf that holds this index of the stream. */
  at(index: number): Leaf
}

export interface EvidenceFile {
  readonly streams: readonly FileStream[]
  readonly ranges: readonly Range[]
  readonly seals: readonly Seal[]
}

export const properties = [
  'file',
  'claim',
  'stream-name',
  'disclosure',
  'stream',
  'batch',
  'history',
  'signature',
  'signer',
  'anchor',
  'continuity',
  'independent',
  'fixed-before',
  'sealed-after',
  'erased',
  'complete',
] as const

export type Property = (typeof properties)[number]
export type Result = 'PASS' | 'FAIL' | 'NOT CHECKED'

export interface Line {
  readonly property: Property
  readonly result: Result
  readonly reason: string
}

export type Verdict =
  | 'complete'
  | 'complete-with-declared-gaps'
  | 'incomplete'
  | 'undetermined'
  | 'invalid'

export interface Report {
  readonly verdict: Verdict
  /** What was verified, in one sentence. */
  readonly claim: string
  readonly lines: readonly Line[]
}

/** A question put to the verifier: does the file cover this? Both ends included; times in Unix ms. */
export interface Expectation {
  readonly stream: string
  readonly by: 'index' | 'time'
  readonly from: number
  readonly to: number
}

export interface Questions {
  readonly expect: readonly Expectation[]
  readonly maxLagMs: number | null
}
