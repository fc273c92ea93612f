/** A gateway's history of real batches, a reading each, which its evidence can be made of without a gateway. */
import { bytesToHex } from '../../../anchor-client/evidence/bytes.ts'
import { consistencyProof } from '../../../anchor-client/evidence/consistency.ts'
import { encodeEvidence } from '../../../anchor-client/evidence/encode-file.ts'
import { leafHash } from '../../../anchor-client/evidence/leaves.ts'
import {
  type Hash,
  historyHash,
  nodeHash,
  statementLeaf,
} from '../../../anchor-client/evidence/merkle.ts'
import type { HashId, OpenedLeaf, Report, Seal } from '../../../anchor-client/evidence/model.ts'
import { encodeRecord } from '../../../anchor-client/evidence/records.ts'
import {
  checkpointMessage,
  encodeHeader,
  encodeSegment,
} from '../../../anchor-client/evidence/seal.ts'
import { keyId } from '../../../anchor-client/evidence/sm2.ts'
import { sm3 } from '../../../anchor-client/evidence/sm3.ts'
import { encodeDescriptor, streamTag } from '../../../anchor-client/evidence/stream.ts'
import { parseTrust } from '../../../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../../../anchor-client/evidence/verify.ts'
import type { Anchor } from '../../../gateway/anchoring/anchor-records.ts'
import { checkpointOf, type History, type SignedHead } from '../../../gateway/anchoring/history.ts'
import { signerOf } from '../../helpers/signer.ts'
import { join, treeOf } from '../../helpers/tree.ts'

export interface Recorded extends History {
  /** Seals without signing. */
  seal(size: number): void
  /** Seals and signs: from then on it may be anchored. */
  sign(size: number): void
  /** The device key, as the registrar gets to know it. */
  readonly publicKey: Uint8Array
  /** What a regulator makes of all readings under these anchors, who believes this key and this ledger alone. */
  judge(anchors: readonly Anchor[], pin: Readonly<Record<string, unknown>>): Report
}

const source = 'probe'
const hashId: HashId = 2
const hash = historyHash(hashId)

/** A list of hashes that grows, with the roots of its beginnings. */
function growing(of: Hash) {
  const leaves: Uint8Array[] = []
  const known = new Map<string, Uint8Array>()
  const subtree = (low: number, high: number): Uint8Array => {
    if (high - low === 1) return leaves[low] as Uint8Array
    const name = `${low} ${high}`
    const before = known.get(name)
    if (before) return before
    let k = 1
    while (2 * k < high - low) k *= 2
    const node = nodeHash(of, subtree(low, low + k), subtree(low + k, high))
    known.set(name, node)
    return node
  }
  return { leaves, subtree, root: (size: number) => subtree(0, size) }
}

/** @param secret of the device key; with the same and the same start, another process has the same history */
export function recordedHistory(secret: string, startMs: number): Recorded {
  const key = signerOf(secret)
  const gateway = keyId(key.publicKey)
  const identity = { gateway, incarnation: 0, hashId }
  const descriptor = {
    gateway,
    incarnation: 0,
    number: 1,
    source,
    kinds: ['temperature'],
    erasable: false,
    promise: null,
    predecessor: null,
  } as const
  const descriptorBytes = encodeDescriptor(descriptor)
  const tag = streamTag(descriptorBytes)
  const readings: OpenedLeaf[] = []
  const headers: Uint8Array[] = []
  const stream = growing(sm3)
  const batches = growing(hash)
  const signed = new Map<number, SignedHead>()
  let newest = 0

  function sealOne(): void {
    const seq = headers.length
    const wallMs = startMs + seq
    const reading = readingOf(seq, wallMs)
    readings.push(reading)
    stream.leaves.push(leafHash(reading))
    const size = seq + 1
    const segment = encodeSegment({ tag, size, root: stream.root(size) })
    const header = encodeHeader({
      gateway,
      incarnation: 0,
      seq,
      batchRoot: statementLeaf(sm3, segment),
      segments: 1,
      wallMs,
      boundMs: 1000,
      beacon: null,
      previous: null,
      rotation: null,
    })
    headers.push(header)
    batches.leaves.push(statementLeaf(hash, header))
  }

  const history: Recorded = {
    ...identity,
    publicKey: key.publicKey,
    newest: () => signed.get(newest) ?? null,
    size: () => headers.length,
    rootAt: async (size) => batches.root(size),
    consistency: async (oldSize, size) => consistencyProof(batches.subtree, oldSize, size),
    async signedAt(size) {
      const before = signed.get(size)
      if (before) return before
      const root = batches.root(size)
      const signature = key.sign(checkpointMessage(checkpointOf(history, size, root)))
      const head = { size, root, key: key.publicKey, signature }
      signed.set(size, head)
      return head
    },
    seal(size) {
      while (headers.length < size) sealOne()
    },
    sign(size) {
      history.seal(size)
      void history.signedAt(size)
      newest = size
    },
    judge(anchors, pin) {
      const seals = anchors.map((anchor): Seal => sealOf(anchor))
      const to = anchors.at(-1)?.size ?? 0
      const leaves = readings.slice(0, to)
      const bytes = encodeEvidence({
        streams: [{ descriptor, descriptorBytes, tag }],
        ranges: [
          {
            stream: 0,
            from: 0,
            to,
            left: new Uint8Array(),
            right: new Uint8Array(),
            leaves: {
              [Symbol.iterator]: () => leaves.entries(),
              outlines: () => leaves,
              at: (index) => leaves[index] as OpenedLeaf,
            },
          },
        ],
        seals,
      })
      const keys = [{ publicKey: bytesToHex(key.publicKey), incarnation: 0 }]
      const trust = parseTrust(
        JSON.stringify({
          asOf: new Date().toISOString(),
          gateways: [{ gateway: bytesToHex(gateway), keys }],
          ledgers: [{ ...pin, independent: true }],
          controllers: [],
        }),
      )
      const whole = { stream: source, by: 'index', from: 0, to: to - 1 } as const
      return verifyEvidence(bytes, trust, { expect: [whole], maxLagMs: null })
    },
  }

  function sealOf({ size, root, key: by, signature, proof }: Anchor): Seal {
    const seq = size - 1
    const tree = treeOf(hash, join(batches.leaves.slice(0, size)))
    const checkpoint = { size, hashId, root, key: by, signature, path: tree.path(seq) }
    return {
      headerBytes: headers[seq] as Uint8Array,
      header: {} as Seal['header'],
      segments: [{ stream: 0, position: 0, size, root: stream.root(size), path: new Uint8Array() }],
      beaconProof: null,
      checkpoints: [{ ...checkpoint, anchors: proof ? [proof] : [] }],
    }
  }
  return history
}

function readingOf(index: number, wallMs: number): OpenedLeaf {
  const record = {
    type: 'reading',
    kind: 'temperature',
    value: [400 + (index % 90), -2],
    unit: 'Cel',
    quality: null,
    raw: null,
    counter: null,
    time: { boot: 1, monoMs: index, wallMs, clock: 2, boundMs: 1000 },
    source: null,
    details: null,
  } as const
  const bytes = encodeRecord(record)
  return { form: 'opened', salt: sm3(bytes).subarray(0, 16), bytes, record, openings: [] }
}
