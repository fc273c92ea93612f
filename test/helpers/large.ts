import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { encodeEvidence } from '../../anchor-client/evidence/encode-file.ts'
import { commitLeaf, leafHash } from '../../anchor-client/evidence/leaves.ts'
import { historyHash, statementLeaf } from '../../anchor-client/evidence/merkle.ts'
import type {
  Descriptor,
  Leaf,
  LeafList,
  Range,
  Reading,
  Seal,
  SignedCheckpoint,
} from '../../anchor-client/evidence/model.ts'
import {
  encodeAnchorEntry,
  encodeAnchorProof,
  entryMessage,
} from '../../anchor-client/evidence/proofs/witness.ts'
import { encodeRecord } from '../../anchor-client/evidence/records.ts'
import {
  checkpointMessage,
  encodeHeader,
  encodeSegment,
} from '../../anchor-client/evidence/seal.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { encodeDescriptor, streamTag } from '../../anchor-client/evidence/stream.ts'
import { signerOf } from './signer.ts'
import { type Tree, treeOf } from './tree.ts'

/** Sound evidence of any size, for measuring: a probe that was read every five minutes, one embedded witness. */
export interface LargeFile {
  /** How many streams, each with its own leaves. */
  readonly streams: number
  readonly leaves: number
  readonly headers: number
  /** The range [from, to) of every stream that the file holds. */
  readonly from: number
  readonly to: number
  readonly seals: number
  readonly hideLeaves?: boolean
  /** How many checkpoints each seal has, each with one anchor: of the headers, and of one more each. */
  readonly checkpoints?: number
}

const gatewayKey = signerOf('1f'.repeat(32))
const witnessKey = signerOf('2e'.repeat(32))
const gateway = keyId(gatewayKey.publicKey)
const startMs = Date.UTC(2026, 0, 1)
const everyMs = 300_000
const hashId = 1

export const largeTrust = JSON.stringify({
  asOf: '2026-01-01T00:00:00Z',
  gateways: [
    {
      gateway: bytesToHex(gateway),
      keys: [{ publicKey: bytesToHex(gatewayKey.publicKey), incarnation: 0 }],
    },
  ],
  ledgers: [{ kind: 'witness', publicKey: bytesToHex(witnessKey.publicKey) }],
  controllers: [],
})

export function largeFile(asked: LargeFile): Uint8Array {
  const streams = Array.from({ length: asked.streams }, (_, i) => {
    const descriptor = describe(i + 1)
    const descriptorBytes = encodeDescriptor(descriptor)
    const leaves = leavesOf(asked)
    return { descriptor, descriptorBytes, tag: streamTag(descriptorBytes), leaves, of: i }
  })
  const sizes = sealedSizes(asked)
  const seals = sizes.map((size, i) => {
    const seq = asked.headers - sizes.length + i
    return { seq, size, tree: treeOf(sm3, streams[0]?.leaves.subarray(0, 32 * size) as Uint8Array) }
  })
  const batches = seals.map(({ size, tree }) => {
    const segments = streams
      .map(({ tag, of }) => ({ of, bytes: encodeSegment({ tag, size, root: tree.root }), tag }))
      .sort((a, b) => (bytesToHex(a.tag) < bytesToHex(b.tag) ? -1 : 1))
    const leaves = segments.flatMap(({ bytes }) => Array.from(statementLeaf(sm3, bytes)))
    return { segments, tree: treeOf(sm3, Uint8Array.from(leaves)) }
  })
  const headers = batches.map(({ segments, tree }, i) =>
    encodeHeader({
      gateway,
      incarnation: 0,
      seq: seals[i]?.seq as number,
      batchRoot: tree.root,
      segments: segments.length,
      wallMs: startMs + everyMs * (sizes[i] as number),
      boundMs: 40,
      beacon: null,
      previous: null,
      rotation: null,
    }),
  )
  const checkpoints = historiesOf(asked, headers).map(signedCheckpoint)
  return encodeEvidence({
    streams,
    ranges: streams.map(({ of }) => rangeOf(asked, of, (seals.at(-1) as { tree: Tree }).tree)),
    seals: headers.map((headerBytes, i): Seal => {
      const { segments, tree } = batches[i] as (typeof batches)[number]
      const { size, tree: streamTree } = seals[i] as (typeof seals)[number]
      return {
        headerBytes,
        header: {} as Seal['header'],
        segments: streams.map(({ of }) => {
          const position = segments.findIndex((segment) => segment.of === of)
          return { stream: of, position, size, root: streamTree.root, path: tree.path(position) }
        }),
        beaconProof: null,
        checkpoints: checkpoints.map((pathOf) => pathOf(seals[i]?.seq as number)),
      }
    }),
  })
}

/** The last seal covers the range; the ones before it lie evenly within. */
function sealedSizes({ from, to, leaves, seals }: LargeFile): number[] {
  const step = Math.floor((to - from) / seals)
  return Array.from({ length: seals }, (_, i) => (i === seals - 1 ? leaves : from + step * (i + 1)))
}

function describe(number: number): Descriptor {
  return {
    gateway,
    incarnation: 0,
    number,
    source: `cold-room-${number}/probe-1`,
    kinds: ['temperature'],
    erasable: false,
    promise: { type: 'period', ms: everyMs, toleranceMs: 5000 },
    predecessor: null,
  }
}

function readingAt(index: number): { salt: Uint8Array; bytes: Uint8Array; record: Reading } {
  const record: Reading = {
    type: 'reading',
    kind: 'temperature',
    value: [425 + (index % 50), -2],
    unit: 'Cel',
    quality: null,
    raw: null,
    counter: null,
    time: {
      boot: 3,
      monoMs: 86_400_000 + everyMs * index,
      wallMs: startMs + everyMs * index,
      clock: 2,
      boundMs: 40,
    },
    source: null,
    details: null,
  }
  const bytes = encodeRecord(record)
  return { salt: sm3(bytes).subarray(0, 16), bytes, record }
}

function leafAt(index: number, isHidden = false): Exclude<Leaf, { form: 'run' }> {
  const { salt, bytes, record } = readingAt(index)
  if (isHidden) return { form: 'hidden', commit: commitLeaf(salt, bytes) }
  return { form: 'opened', salt, bytes, record, openings: [] }
}

/** Real leaves where the range shows them; elsewhere any hash will do. */
function leavesOf({ leaves, from, to }: LargeFile): Uint8Array {
  const hashes = new Uint8Array(32 * leaves)
  const view = new DataView(hashes.buffer)
  for (let i = 0; i < leaves; i++) {
    if (i >= from && i < to) hashes.set(leafHash(leafAt(i)), 32 * i)
    else view.setUint32(32 * i, i)
  }
  return hashes
}

/** The history at the size of the headers, and of one more each. */
function historiesOf(asked: LargeFile, headers: readonly Uint8Array[]): History[] {
  const { headers: count, checkpoints = 1 } = asked
  const hashes = new Uint8Array(32 * (count + checkpoints))
  const view = new DataView(hashes.buffer)
  for (let i = 0; i < count + checkpoints; i++) view.setUint32(32 * i, i)
  for (const [i, header] of headers.entries()) {
    hashes.set(statementLeaf(historyHash(hashId), header), 32 * (count - headers.length + i))
  }
  return Array.from({ length: checkpoints }, (_, more) => {
    const size = count + more
    return { size, tree: treeOf(historyHash(hashId), hashes.subarray(0, 32 * size)) }
  })
}

interface History {
  readonly size: number
  readonly tree: Tree
}

function rangeOf({ from, to, hideLeaves }: LargeFile, stream: number, tree: Tree): Range {
  const leaves: LeafList = {
    *[Symbol.iterator]() {
      for (let i = from; i < to; i++) yield [i, leafAt(i, hideLeaves)] as const
    },
    *outlines() {
      for (let i = from; i < to; i++) yield leafAt(i, hideLeaves)
    },
    at: (index) => leafAt(index, hideLeaves),
  }
  return { stream, from, to, leaves, ...tree.range(from, to) }
}

/** Signs once, and then gives the checkpoint with the path of any header. */
function signedCheckpoint({ size, tree }: History): (seq: number) => SignedCheckpoint {
  const statement = { gateway, incarnation: 0, size, hashId, root: tree.root } as const
  const entry = { rules: 1, number: size - 1, previous: sm3(), wallMs: startMs + 2 ** 40 }
  const entrySignature = witnessKey.sign(entryMessage(encodeAnchorEntry(entry, statement)))
  const proof = encodeAnchorProof({
    ...entry,
    key: witnessKey.publicKey,
    signature: entrySignature,
  })
  const signature = gatewayKey.sign(checkpointMessage(statement))
  return (seq) => ({
    ...statement,
    key: gatewayKey.publicKey,
    signature,
    path: tree.path(seq),
    anchors: [{ kind: 1, proof }],
  })
}
