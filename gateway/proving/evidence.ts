/** Evidence files: readings, their streams, and the seals that fix them. */
import { compareBytes, concat, equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { encodeEvidence } from '../../anchor-client/evidence/encode-file.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { encodeAnchor, limits } from '../../anchor-client/evidence/file.ts'
import { historyHash, statementLeaf } from '../../anchor-client/evidence/merkle.ts'
import type {
  Leaf,
  LeafList,
  Range,
  Seal,
  SealSegment,
  SignedCheckpoint,
} from '../../anchor-client/evidence/model.ts'
import { decodeHeader, encodeSegment } from '../../anchor-client/evidence/seal.ts'
import type { AnchorStore } from '../anchoring/anchor-store.ts'
import type { SignedHead } from '../anchoring/history.ts'
import type { JournalIdentity } from '../journal/journal.ts'
import type { JournalReader } from '../journal/journal-reader.ts'
import type { SealedSegment, SealRow } from '../journal/seal-row.ts'
import { alignedNodes, inclusionPath, nodesBeyond, pathAmong } from '../journal/tree-proofs.ts'
import type { Epochs } from '../recording/epochs.ts'
import { chooseSeals, coveringSize } from './choose-seals.ts'
import { type DamagedSpan, goneUndeclared, withDamage } from './damage.ts'
import { lastOf, type Wanted } from './find.ts'
import { narrowed, openedLeaf } from './opened-leaf.ts'

/** What evidence is made from. */
export interface Sources {
  readonly identity: JournalIdentity
  readonly reader: JournalReader
  readonly epochs: Epochs
  readonly anchors: AnchorStore
  /** The newest checkpoint that was signed. */
  newest(): SignedHead | null
}

export interface EvidenceOptions {
  /** Without an anchor, under the newest checkpoint alone. */
  readonly isUnanchored: boolean
  /** Which seals between the ends are carried beside the covering ones. */
  readonly seals: 'day' | 'hour' | 'last'
  /** Of private readings; null for all. */
  readonly fields: readonly string[] | null
}

export async function makeEvidence(
  sources: Sources,
  asked: readonly Wanted[],
  options: EvidenceOptions,
): Promise<Uint8Array> {
  const { wanted, damage } = await withDamage(sources, asked)
  const leaves = wanted.flatMap(({ spans }) => spans).reduce((n, { from, to }) => n + to - from, 0)
  if (leaves > limits.leaves) {
    throw new KedgeError('USAGE', `${leaves} leaves are more than one file may hold`, {
      hint: `Ask for at most ${limits.leaves} at once.`,
    })
  }
  const chosen = await chooseSeals(sources.reader, wanted, damage, options.seals)
  const ranges: Range[] = []
  for (const [i, want] of wanted.entries()) {
    ranges.push(...(await rangesOf(sources, want, i, damage, options.fields)))
  }
  const seals: Seal[] = []
  for (const { seal, streams } of chosen) {
    seals.push(await sealOf(sources, seal, streams, options.isUnanchored))
  }
  const bytes = encodeEvidence({
    streams: wanted.map(({ stream: { tag, descriptor, descriptorBytes } }) => {
      return { tag, descriptor, descriptorBytes }
    }),
    ranges,
    seals,
  })
  if (bytes.length <= limits.bytes) return bytes
  throw new KedgeError('USAGE', `${bytes.length} bytes are more than one file may have`, {
    hint: 'Ask for a shorter time.',
  })
}

async function rangesOf(
  { reader, epochs }: Sources,
  { stream, spans }: Wanted,
  position: number,
  damage: readonly DamagedSpan[],
  fields: readonly string[] | null,
): Promise<Range[]> {
  const nodes = reader.nodesOf(stream.number)
  const covering = await coveringSize(reader, stream, lastOf(spans).to)
  const ranges: Range[] = []
  let before = 0
  for (const { from, to } of spans) {
    const leaves: (readonly [number, Leaf])[] = []
    let at = from
    while (at < to) {
      const run = damage.find((of) => of.stream === stream.number && of.from <= at && at < of.to)
      if (run) {
        const hashes = await alignedNodes(nodes, at, run.to)
        leaves.push([at, { form: 'run', count: run.to - at, nodes: hashes }])
        at = run.to
        continue
      }
      const next = damage.find((of) => of.stream === stream.number && of.from > at)
      const end = Math.min(to, next?.from ?? to)
      for await (const { index, leaf } of reader.leaves(stream.number, at, end)) {
        if (leaf === null) throw goneUndeclared(stream.descriptor.source, index)
        const opened = openedLeaf(leaf, stream.number, epochs)
        leaves.push([index, fields ? narrowed(opened, leaf.head, fields) : opened])
      }
      at = end
    }
    ranges.push({
      stream: position,
      from,
      to,
      left: await alignedNodes(nodes, before, from),
      leaves: listOf(leaves),
      right:
        to === lastOf(spans).to
          ? await nodesBeyond(historyHash(1), nodes, to, covering)
          : new Uint8Array(),
    })
    before = to
  }
  return ranges
}

const listOf = (leaves: readonly (readonly [number, Leaf])[]): LeafList => ({
  [Symbol.iterator]: () => leaves[Symbol.iterator](),
  *outlines() {
    for (const [, leaf] of leaves) yield leaf
  },
  at: (index) => (leaves.findLast(([start]) => start <= index) as readonly [number, Leaf])[1],
})

async function sealOf(
  sources: Sources,
  seal: SealRow,
  streams: ReadonlyMap<number, number>,
  isUnanchored: boolean,
): Promise<Seal> {
  const leaves: Uint8Array[] = []
  for (const { stream, size, root } of seal.segments) {
    const tag = (await sources.reader.stream(stream))?.tag as Uint8Array
    leaves.push(statementLeaf(historyHash(1), encodeSegment({ tag, size, root })))
  }
  const tree = concat(...leaves)
  const segments: SealSegment[] = []
  for (const [number, position] of streams) {
    const at = seal.segments.findIndex(({ stream }) => stream === number)
    const { size, root } = seal.segments[at] as SealedSegment
    const path = pathAmong(historyHash(1), tree, at)
    segments.push({ stream: position, position: at, size, root, path })
  }
  return {
    headerBytes: seal.header,
    header: decodeHeader(seal.header),
    segments: segments.toSorted((a, b) => a.stream - b.stream),
    beaconProof: null,
    checkpoints: await checkpointsFor(sources, seal.seq, isUnanchored),
  }
}

async function checkpointsFor(
  { anchors, reader, identity, newest }: Sources,
  seq: number,
  isUnanchored: boolean,
): Promise<SignedCheckpoint[]> {
  const hash = historyHash(identity.hashId)
  const bySize = new Map<number, SignedCheckpoint>()
  const add = async (of: SignedHead, proof: SignedCheckpoint['anchors']) => {
    const before = bySize.get(of.size)
    if (before && equalBytes(before.signature, of.signature)) {
      const all = [...before.anchors, ...proof]
      bySize.set(of.size, { ...before, anchors: all.toSorted(inOrder) })
    } else if (!before) {
      const path = await inclusionPath(hash, reader.historyNodes, seq, of.size)
      const { size, root, key, signature } = of
      bySize.set(size, {
        size,
        hashId: identity.hashId,
        root,
        key,
        signature,
        path,
        anchors: proof,
      })
    }
  }
  for (const { ledgerId } of anchors.pins()) {
    const anchor = await anchors.firstCovering(ledgerId, seq + 1)
    if (anchor?.proof) await add(anchor, [anchor.proof])
  }
  if (bySize.size === 0) {
    const head = newest()
    if (!isUnanchored) throw notAnchored(head !== null && head.size > seq)
    if (head === null || head.size <= seq) throw notSigned()
    await add(head, [])
  }
  return Array.from(bySize.values()).toSorted((a, b) => a.size - b.size)
}

const inOrder = (a: SignedCheckpoint['anchors'][number], b: typeof a): number =>
  compareBytes(encodeAnchor(a), encodeAnchor(b))

const notAnchored = (isSigned: boolean): KedgeError =>
  isSigned
    ? new KedgeError('NOT_ANCHORED', 'no ledger has taken these readings so far', {
        hint: 'Try again later, or ask with --unanchored for a file without an anchor.',
      })
    : notSigned()

const notSigned = (): KedgeError =>
  new KedgeError('NOT_SIGNED', 'no checkpoint over these readings may be signed so far', {
    hint: 'Try again later: the ledgers must first say what they hold.',
  })
