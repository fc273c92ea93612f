import { bytesToHex } from '../bytes.ts'
import type { EvidenceFile, FileStream } from '../model.ts'
import { formatTime } from '../rfc3339.ts'
import { checkpointMessage, rotationMessage } from '../seal.ts'
import { verifySm2 } from '../sm2.ts'
import type { Trust } from '../trust.ts'
import { knownWall } from '../values.ts'
import {
  fails,
  givesContinuity,
  hasWrongCode,
  type JudgedCheckpoint,
  type JudgedSeal,
  outOfOrder,
  type PinnedAnchor,
  pinned,
  pinOfBeacon,
  pinsOf,
  proofKind,
} from './anchors.ts'
import { countOf, type Finding, fail, notChecked, pass, worstOf } from './finding.ts'

/** Lines 8 to 12 and 14: who signed, who keeps it, and what that is worth. */

export function signatureLine(seals: readonly JudgedSeal[]): Finding {
  for (const { seal, checkpoints } of seals) {
    for (const { checkpoint, statement } of checkpoints) {
      if (!verifySm2(checkpoint.key, checkpointMessage(statement), checkpoint.signature)) {
        return fail(
          `the checkpoint of ${checkpoint.size} headers is not signed by the key it names`,
        )
      }
    }
    const { header } = seal
    if (header.rotation) {
      const { key, signature } = header.rotation
      if (!verifySm2(key, rotationMessage(header, header.seq, key), signature)) {
        return fail(`header ${header.seq} names a new key that did not sign for itself`)
      }
    }
  }
  const count = seals.reduce((sum, { checkpoints }) => sum + checkpoints.length, 0)
  return pass(`${countOf(count, 'checkpoint')} signed with SM2`)
}

export function signerLine(
  file: EvidenceFile,
  seals: readonly JudgedSeal[],
  trust: Trust | null,
): Finding {
  if (trust === null) return notChecked('no trust file given')
  const { gateway, incarnation } = (file.streams[0] as FileStream).descriptor
  const keys = trust.gateways.get(bytesToHex(gateway))
  if (keys === undefined) return fail('trust does not know this gateway')
  const faults = seals.flatMap(({ checkpoints }) =>
    checkpoints.flatMap((judged) => signerFault(judged, incarnation, keys) ?? []),
  )
  return faults[0] ?? pass(`the key is trusted, as of ${formatTime(trust.asOfMs)}`)
}

type TrustedKeys = NonNullable<ReturnType<Trust['gateways']['get']>>

function signerFault(
  { checkpoint, anchors }: JudgedCheckpoint,
  incarnation: number,
  keys: TrustedKeys,
): Finding | undefined {
  const { size } = checkpoint
  const publicKey = bytesToHex(checkpoint.key)
  const key = keys.find(
    (known) => known.publicKey === publicKey && known.incarnation === incarnation,
  )
  if (key === undefined) {
    return fail(`trust does not know the key of ${size} headers for incarnation ${incarnation}`)
  }
  if (size < key.fromSize || size > (key.toSize ?? size)) {
    return fail(`trust does not let this key sign ${size} headers`)
  }
  const revokedMs = key.compromisedAfterMs
  if (revokedMs === null) return undefined
  const inTime = pinned(anchors).some(
    ({ pin, timeMs }) =>
      pin.independent && timeMs !== null && timeMs + pin.clockToleranceMs <= revokedMs,
  )
  if (inTime) return undefined
  return fail(
    `the key was revoked as of ${formatTime(revokedMs)}, and no independent anchor is older`,
  )
}

export const anchorLine = (seals: readonly JudgedSeal[], trust: Trust | null): Finding =>
  worstOf(seals.map((judged) => sealAnchored(judged, trust)))

function sealAnchored({ seal, checkpoints }: JudgedSeal, trust: Trust | null): Finding {
  const anchors = checkpoints.flatMap((checkpoint) => checkpoint.anchors)
  const failed = anchors.find(fails)
  if (failed?.judgement.holds === false) {
    return fail(`an anchor of header ${seal.header.seq} does not hold: ${failed.judgement.why}`)
  }
  if (anchors.length === 0) return notChecked(`header ${seal.header.seq} carries no anchor`)
  const held = pinned(anchors)
  const notes = anchors.flatMap(({ judgement, pin }) =>
    judgement.holds && judgement.note !== null && !pin ? [judgement.note] : [],
  )
  if (held.length === 0) {
    const isNamed = anchors.some(({ judgement }) => judgement.holds && judgement.mayBe.length > 0)
    const why = isNamed
      ? 'what trust pins does not vouch for it'
      : 'no ledger of its anchors is pinned by trust'
    return notChecked([why, ...notes].join(': '))
  }
  const ledgers = new Set(held.map(({ pin }) => pin.ledgerId))
  for (const [ledgerId, { required, name }] of trust?.ledgers ?? []) {
    if (required && !ledgers.has(ledgerId)) {
      return notChecked(`trust requires an anchor on ${name} for header ${seal.header.seq}`)
    }
  }
  const names = [...new Set(held.map(nameOf))].join(', ')
  const count = anchors.length - held.length
  const others = [`${countOf(count, 'anchor')} not pinned`, ...notes].join(': ')
  return pass(`held by ${names}${count > 0 ? `; ${others}` : ''}`)
}

const nameOf = ({ pin, note }: PinnedAnchor): string =>
  note === null ? pin.name : `${pin.name} ${note}`

export function continuityLine(seals: readonly JudgedSeal[]): Finding {
  for (const { candidates } of seals) {
    const wrong = candidates.find(hasWrongCode)
    if (wrong) return fail(`${wrong.pin.name} runs "${wrong.code}", not "${wrong.pin.code}"`)
  }
  const disorder = outOfOrder(seals)
  if (disorder) return fail(`${disorder.pin.name} took a smaller history after a larger one`)
  // Two ledgers that each saw one of two histories do not make one: the same must have taken every seal.
  const mustBeIndependent = seals.every(isIndependent)
  const [first, ...others] = seals.map(({ held }) => held.filter(givesContinuity))
  const through = first?.find(
    ({ pin }) =>
      (pin.independent || !mustBeIndependent) &&
      others.every((givers) => givers.some((giver) => giver.pin.ledgerId === pin.ledgerId)),
  )
  return through
    ? pass(`${through.pin.name} takes only extensions of what it took before`)
    : notChecked('no one such ledger holds every seal and refuses a history that was changed')
}

export const isIndependent = ({ candidates }: JudgedSeal): boolean =>
  candidates.some(({ pin }) => pin.independent)

export const independentLine = (seals: readonly JudgedSeal[]): Finding =>
  worstOf(
    seals.map((judged) => {
      const names = judged.candidates.map(({ pin }) => pin.name).join(', ')
      return isIndependent(judged)
        ? pass(`${names} is not run by those who run the gateway`)
        : notChecked('no anchor on a ledger that trust calls independent')
    }),
  )

export const sealedAfterLine = (seals: readonly JudgedSeal[], trust: Trust | null): Finding =>
  worstOf(
    seals.map(({ seal: { header, beaconProof }, fixed }) => {
      const { beacon } = header
      if (beacon === null) return notChecked(`header ${header.seq} names no beacon`)
      if (beaconProof === null) {
        return notChecked(`the beacon of header ${header.seq} is not proved`)
      }
      const kind = proofKind(beaconProof)
      const judgement = kind.judgeBeacon(beaconProof.proof, beacon, pinsOf(trust, kind))
      if (!judgement.holds) return fail(`the beacon of header ${header.seq}: ${judgement.why}`)
      const pin = pinOfBeacon(trust, kind, beacon.ledger)
      if (!pin?.independent) return notChecked('the beacon is of no pinned independent ledger')
      if (judgement.doubt !== null) {
        return notChecked(`the beacon of header ${header.seq} on ${pin.name}: ${judgement.doubt}`)
      }
      const latestMs = fixed && fixed.timeMs + fixed.toleranceMs + pin.clockToleranceMs
      if (judgement.timeMs !== null && latestMs !== null && judgement.timeMs > latestMs) {
        return fail(`header ${header.seq} would be sealed after it was fixed`)
      }
      const wall = knownWall(header)
      const earliestMs = wall && wall.wallMs + wall.boundMs + pin.clockToleranceMs
      if (judgement.timeMs !== null && earliestMs !== null && earliestMs < judgement.timeMs) {
        return fail(`header ${header.seq} states a time before the ${kind.heightOf} that it names`)
      }
      const when = judgement.timeMs === null ? '' : `, ${formatTime(judgement.timeMs)}`
      return pass(`sealed after ${kind.heightOf} ${beacon.height} of ${pin.name}${when}`)
    }),
  )
