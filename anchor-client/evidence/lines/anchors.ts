import { bytesToHex } from '../bytes.ts'
import type { EvidenceFile, FileStream, LedgerProof, Seal, SignedCheckpoint } from '../model.ts'
import { proofKinds } from '../proofs/index.ts'
import type { AnchorJudgement, ProofKind } from '../proofs/proof.ts'
import type { Checkpoint } from '../seal.ts'
import type { Trust, TrustedLedger } from '../trust.ts'

/** What the anchors of each seal are worth under a trust file: judged once, used by lines 9 to 14. */
export interface JudgedSeal {
  readonly seal: Seal
  readonly checkpoints: readonly JudgedCheckpoint[]
  /** Anchors that hold on pinned ledgers; none where any anchor of the seal fails. */
  readonly held: readonly PinnedAnchor[]
  /** Of those, where some are independent, only those. */
  readonly candidates: readonly PinnedAnchor[]
  /** When the seal was fixed at the latest, by an independent ledger's clock. */
  readonly fixed: { readonly timeMs: number; readonly toleranceMs: number } | null
}

export interface JudgedCheckpoint {
  readonly checkpoint: SignedCheckpoint
  readonly statement: Checkpoint
  readonly anchors: readonly JudgedAnchor[]
}

export interface JudgedAnchor {
  readonly judgement: AnchorJudgement
  readonly pin: TrustedLedger | null
}

export type PinnedAnchor = Extract<AnchorJudgement, { holds: true }> & {
  readonly pin: TrustedLedger
}

/** Line 1 lets no other kinds pass. */
export const proofKind = ({ kind }: LedgerProof): ProofKind =>
  proofKinds.find((known) => known.kind === kind) as ProofKind

export function judgeSeals({ streams, seals }: EvidenceFile, trust: Trust | null): JudgedSeal[] {
  const { gateway, incarnation } = (streams[0] as FileStream).descriptor
  return seals.map((seal) => {
    const checkpoints = seal.checkpoints.map((checkpoint) => {
      const { size, hashId, root } = checkpoint
      const statement = { gateway, incarnation, size, hashId, root }
      const anchors = checkpoint.anchors.map((anchor) => judgeAnchor(anchor, statement, trust))
      return { checkpoint, statement, anchors }
    })
    const anchors = checkpoints.flatMap((checkpoint) => checkpoint.anchors)
    const held = anchors.some(fails) ? [] : pinned(anchors)
    const independent = held.filter(({ pin }) => pin.independent)
    const candidates = independent.length > 0 ? independent : held
    return { seal, checkpoints, held, candidates, fixed: fixedTime(candidates) }
  })
}

function judgeAnchor(
  anchor: LedgerProof,
  statement: Checkpoint,
  trust: Trust | null,
): JudgedAnchor {
  const kind = proofKind(anchor)
  const judgement = kind.judgeAnchor(anchor.proof, statement, pinsOf(trust, kind))
  const pin = judgement.holds ? pinOf(trust, kind, judgement.ledgerId) : null
  return { judgement, pin }
}

export const pinsOf = (trust: Trust | null, { name }: ProofKind): TrustedLedger[] =>
  [...(trust?.ledgers.values() ?? [])].filter(({ kind }) => kind === name)

function pinOf(
  trust: Trust | null,
  { name }: ProofKind,
  ledgerId: string | null,
): TrustedLedger | null {
  const pin = ledgerId === null ? undefined : trust?.ledgers.get(ledgerId)
  return pin?.kind === name ? pin : null
}

export const pinOfBeacon = (
  trust: Trust | null,
  kind: ProofKind,
  ledger: Uint8Array,
): TrustedLedger | null => pinOf(trust, kind, bytesToHex(ledger))

export const fails = ({ judgement }: JudgedAnchor): boolean => !judgement.holds

export function pinned(anchors: readonly JudgedAnchor[]): PinnedAnchor[] {
  return anchors.flatMap(({ judgement, pin }) =>
    judgement.holds && pin ? [{ ...judgement, pin }] : [],
  )
}

/** Strength is never put together from two ledgers: only anchors that give continuity date, if any does. */
function fixedTime(candidates: readonly PinnedAnchor[]): JudgedSeal['fixed'] {
  if (!candidates.some(({ pin }) => pin.independent)) return null
  const continuous = candidates.filter(givesContinuity)
  const dating = continuous.length > 0 ? continuous : candidates
  const times = dating.flatMap(({ timeMs, pin }) =>
    timeMs === null ? [] : [{ timeMs, toleranceMs: pin.clockToleranceMs }],
  )
  times.sort((a, b) => a.timeMs - b.timeMs || a.toleranceMs - b.toleranceMs)
  return times[0] ?? null
}

/** A code that is not shown is not a wrong one, and gives no continuity either. */
export const hasWrongCode = ({ code, pin }: PinnedAnchor): boolean =>
  code !== null && code !== pin.code
export const givesContinuity = (anchor: PinnedAnchor): boolean =>
  anchor.extensionsOnly && !hasWrongCode(anchor)

/** A ledger that takes only extensions numbers its entries or blocks in the order of the sizes. */
export function outOfOrder(seals: readonly JudgedSeal[]): PinnedAnchor | undefined {
  const taken = seals
    .flatMap(({ checkpoints }) =>
      checkpoints.flatMap(({ checkpoint: { size }, anchors }) =>
        pinned(anchors).map((anchor) => ({ size, anchor })),
      ),
    )
    .filter(({ anchor }) => givesContinuity(anchor))
    .sort((a, b) => a.size - b.size || a.anchor.height - b.anchor.height)
  const last = new Map<string, { size: number; height: number }>()
  for (const { size, anchor } of taken) {
    const { pin, height, isStanding } = anchor
    const before = last.get(pin.ledgerId)
    const isSameEntry = before?.size === size && (isStanding || before.height === height)
    if (before && !isSameEntry && (before.size === size || height <= before.height)) return anchor
    last.set(pin.ledgerId, { size, height })
  }
  return undefined
}
