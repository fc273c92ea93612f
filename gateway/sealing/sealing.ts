/** When a batch is sealed and who signs it: what is on the disk first, what leaves the box after. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Header } from '../../anchor-client/evidence/model.ts'
import {
  type Checkpoint,
  checkpointMessage,
  interimMessage,
  rotationMessage,
} from '../../anchor-client/evidence/seal.ts'
import type { SignedHead } from '../anchoring/history.ts'
import type { Journal, Sealed, Statement } from '../journal/journal.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Rotation } from '../keys/rotations.ts'
import type { Recording } from '../recording/open-recording.ts'

interface SealingOptions {
  /** What comes first counts. */
  readonly limits: {
    readonly maxReadings: number
    readonly maxAgeMs: number
    readonly maxBytes: number
  }
  readonly recording: Pick<Recording, 'clock' | 'recorder' | 'streams'>
  /** What header 0 says of the incarnation before. */
  readonly previous: Header['previous']
  /** `lagMs` is from the batch's first commit to the signature. */
  readonly onSealed: (sealed: Sealed, signed: SignedHead | null, lagMs: number) => void
  readonly onFailed: (error: unknown) => void
}

export interface Sealing extends AsyncDisposable {
  /** Told after each commit. */
  committed(): void
  /** The ledgers were heard and know no more than we do: from now on checkpoints are signed. */
  allow(): Promise<void>
  /** Somebody else has signed for this gateway: no more checkpoints in this run, whoever allows it later. */
  forbid(): void
  readonly isAllowed: boolean
  /** The newest checkpoint, for the ledgers. */
  newest(): SignedHead | null
  /** Seals what there is, now. */
  seal(isFinal?: boolean): Promise<void>
  /** Goes over to a new key: the next header names it, and is the last one that the old key signs. */
  rotate(): Promise<Rotation>
}

export function openSealing(journal: Journal, keys: KeyRing, options: SealingOptions): Sealing {
  const { limits, recording, previous, onSealed, onFailed } = options
  const { clock, recorder, streams } = recording
  const { gateway, incarnation, hashId } = journal.identity
  let isAllowed = false
  let isForbidden = false
  let newest = signedHead(journal)
  let timer: NodeJS.Timeout | undefined
  let firstMs: number | undefined
  let last: Promise<void> = Promise.resolve()

  function statement(rotation: Header['rotation']): Statement {
    const { wallMs, boundMs } = clock.now()
    return {
      wallMs,
      boundMs,
      beacon: null,
      previous: journal.size === 0 ? previous : null,
      rotation,
    }
  }

  async function sealOnce(isFinal: boolean, rotation: Header['rotation'] = null): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const begunMs = firstMs ?? performance.now()
    firstMs = undefined
    const sealed = await journal.seal(() => statement(rotation), isFinal)
    const signed = await sign(sealed.size, sealed.historyRoot)
    onSealed(sealed, signed, Math.round(performance.now() - begunMs))
    committed()
  }

  /** Header, segments and trees are on the disk: the same size is signed again after a crash, never another root. */
  async function sign(size: number, root: Uint8Array): Promise<SignedHead | null> {
    const of: Checkpoint = { gateway, incarnation, size, hashId, root }
    const isInterim = !isAllowed
    const message = isInterim ? interimMessage(of) : checkpointMessage(of)
    const key = keys.current
    const signature = key.sign(message)
    await journal.keepSignature({ size, isInterim, key: key.publicKey, signature })
    if (isInterim) return null
    newest = { size, root, key: key.publicKey, signature }
    return newest
  }

  function seal(isFinal = false): Promise<void> {
    last = last.then(() => sealOnce(isFinal))
    return last
  }

  async function rotateOnce(): Promise<Rotation> {
    if (!isAllowed) {
      throw new KedgeError(
        'NOT_SIGNED',
        'no key is changed before the ledgers have said what they hold',
        {
          hint: 'Try again when kedge status shows no ledger as silent.',
        },
      )
    }
    const next = await keys.makeNext()
    const seq = journal.size
    const message = rotationMessage(journal.identity, seq, next.publicKey)
    const rotation: Rotation = {
      incarnation,
      seq,
      newKey: next.publicKey,
      oldSignature: keys.current.sign(message),
      newSignature: next.sign(message),
    }
    await keys.keep(rotation)
    const { control } = streams
    recorder.state(control, { type: 'rotation', time: clock.now(), key: next.publicKey, seq })
    try {
      await journal.flush()
      await sealOnce(false, { key: next.publicKey, signature: rotation.newSignature })
      await keys.complete(next)
    } catch (error) {
      // Half-way between two keys nothing more is signed: the next start finds out which one counts.
      onFailed(error)
      throw error
    }
    return rotation
  }

  function committed(): void {
    const { leaves, bytes } = journal.unsealed
    if (leaves === 0) return
    firstMs ??= performance.now()
    if (leaves >= limits.maxReadings || bytes >= limits.maxBytes) sealSoon(0)
    else if (timer === undefined) sealSoon(limits.maxAgeMs)
  }

  let isSoon = false
  function sealSoon(delayMs: number): void {
    if (delayMs > 0) {
      timer = setTimeout(() => sealSoon(0), delayMs)
      return
    }
    if (isSoon === true) return
    isSoon = true
    seal()
      .catch(onFailed)
      .finally(() => {
        isSoon = false
        // What was committed meanwhile may be a whole batch already.
        committed()
      })
  }

  return {
    committed,
    seal,
    newest: () => newest,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await last.catch(() => undefined)
      clearTimeout(timer)
    },
    rotate() {
      const rotated = last.then(rotateOnce)
      last = rotated.then(
        () => undefined,
        () => undefined,
      )
      return rotated
    },
    get isAllowed() {
      return isAllowed
    },
    forbid() {
      isForbidden = true
      isAllowed = false
    },
    async allow() {
      if (isAllowed || isForbidden) return
      isAllowed = true
      if (journal.size > (newest?.size ?? 0)) {
        last = last.then(async () => {
          if (journal.size > (newest?.size ?? 0)) await sign(journal.size, journal.historyRoot)
        })
        await last
      }
    },
  }
}

/** Signed before the journal was opened; null where it is not of the newest batch. */
export function signedHead({
  opened: { checkpoint },
  size,
  historyRoot,
}: Journal): SignedHead | null {
  if (checkpoint === null || checkpoint.size !== size) return null
  return { size, root: historyRoot, key: checkpoint.key, signature: checkpoint.signature }
}
