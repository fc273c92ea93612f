import { concat, u32, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { consistencyProof } from '../../anchor-client/evidence/consistency.ts'
import { historyHash, nodeHash } from '../../anchor-client/evidence/merkle.ts'
import type { HashId } from '../../anchor-client/evidence/model.ts'
import {
  type Checkpoint,
  checkpointMessage,
  rotationMessage,
} from '../../anchor-client/evidence/seal.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import type {
  Admission,
  AnchorRequest,
  ForkReport,
  LedgerRequest,
  LedgerSession,
  Outcome,
  RotationRequest,
} from '../../anchor-client/ledgers/ledger.ts'
import { type Signer, signerOf } from './signer.ts'

/** A gateway's history, as long as anyone asks: what it would sign, and what it must not. */
export interface TestGateway {
  readonly id: Uint8Array
  readonly key: Signer
  readonly admission: Admission
  checkpoint(size: number): Checkpoint
  anchor(oldSize: number, size: number, key?: Signer): AnchorRequest
  rotation(seq: number, newKey: Signer, oldKey?: Signer): RotationRequest
  fork(size: number, other: TestGateway): ForkReport
}

export interface Told {
  readonly secret: string
  /** The id of the first key, where this is another one. */
  readonly id?: Uint8Array
  readonly incarnation?: number
  readonly hashId?: HashId
  /** From which header on this history is another than the usual one. */
  readonly forkedAt?: number
}

export function gatewayOf({ secret, incarnation = 0, hashId = 1, ...told }: Told): TestGateway {
  const key = signerOf(secret)
  const id = told.id ?? keyId(key.publicKey)
  const hash = historyHash(hashId)
  const forkedAt = told.forkedAt ?? Number.POSITIVE_INFINITY
  const leaf = (i: number) => hash(utf8(i < forkedAt ? 'header ' : 'other header '), u32(i))
  const subtree = (low: number, high: number): Uint8Array => {
    if (high <= low) return hash()
    if (high - low === 1) return leaf(low)
    let k = 1
    while (2 * k < high - low) k *= 2
    return nodeHash(hash, subtree(low, low + k), subtree(low + k, high))
  }
  const checkpoint = (size: number): Checkpoint => {
    return { gateway: id, incarnation, size, hashId, root: subtree(0, size) }
  }
  const signed = (size: number, by: Signer) => {
    const of = checkpoint(size)
    return { root: of.root, signature: by.sign(checkpointMessage(of)) }
  }
  return {
    id,
    key,
    admission: { gateway: id, incarnation, hashId, key: key.publicKey },
    checkpoint,
    anchor: (oldSize, size, by = key) => ({
      type: 'anchor',
      ...checkpoint(size),
      oldSize,
      oldRoot: subtree(0, oldSize),
      key: by.publicKey,
      signature: by.sign(checkpointMessage(checkpoint(size))),
      consistency: oldSize <= size ? consistencyProof(subtree, oldSize, size) : new Uint8Array(),
    }),
    rotation: (seq, newKey, oldKey = key) => {
      const message = rotationMessage({ gateway: id, incarnation }, seq, newKey.publicKey)
      return {
        type: 'rotation',
        gateway: id,
        incarnation,
        seq,
        newKey: newKey.publicKey,
        oldSignature: oldKey.sign(message),
        newSignature: newKey.sign(message),
      }
    },
    fork: (size, other) => ({
      type: 'fork',
      gateway: id,
      incarnation,
      size,
      hashId,
      key: key.publicKey,
      forks: [signed(size, key), { ...signedBy(other, size) }],
    }),
  }
}

function signedBy(of: TestGateway, size: number) {
  const { root, signature } = of.anchor(0, size)
  return { root, signature }
}

/** What the outbox will do: sends the same bytes until the ledger has an answer that stays. */
export async function ask(session: LedgerSession, request: LedgerRequest): Promise<Outcome> {
  const { signal } = new AbortController()
  const prepared = await session.prepare(request, signal)
  if (prepared.state !== 'prepared') return prepared
  for (let attempt = 0; attempt < 600; attempt++) {
    const outcome = await session.send(prepared, signal)
    if (outcome.state !== 'unknown' && outcome.state !== 'known') return outcome
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the ledger never came to an end')
}

/** A name for a secret key, so that tests need not spell 64 digits. */
export const secretOf = (name: string): string =>
  Buffer.from(concat(Uint8Array.of(0), sm3(utf8(name)).subarray(1))).toString('hex')
