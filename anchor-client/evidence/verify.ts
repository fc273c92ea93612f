import { KedgeError } from './errors.ts'
import { decodeEvidence, limits } from './file.ts'
import { judgeSeals } from './lines/anchors.ts'
import { claimLine, sealedStreams } from './lines/claim.ts'
import { claimSentence } from './lines/claim-sentence.ts'
import { completeLine } from './lines/complete.ts'
import { fixedBeforeLine } from './lines/dated.ts'
import { disclosureLine } from './lines/disclosure.ts'
import { erasedLine, erasures } from './lines/erased.ts'
import { type Finding, fail, notChecked, pass } from './lines/finding.ts'
import {
  anchorLine,
  continuityLine,
  independentLine,
  sealedAfterLine,
  signatureLine,
  signerLine,
} from './lines/signed.ts'
import { batchLine, historyLine, streamLine, streamNameLine } from './lines/trees.ts'
import {
  type EvidenceFile,
  type Line,
  type Property,
  properties,
  type Questions,
  type Report,
  type Verdict,
} from './model.ts'
import type { Trust } from './trust.ts'

/**
 * The verdict on an evidence file: sixteen lines, always all of them, in the order of FORMAT.md section 11.
 * It never throws on any bytes; a trust file of null leaves open what only trust can close.
 */
export function verifyEvidence(
  bytes: Uint8Array,
  trust: Trust | null,
  questions: Questions,
): Report {
  const file = decodeOrRefuse(bytes)
  if ('result' in file) return refusal([file])
  const findings = [pass(`${bytes.length.toLocaleString('en')} bytes of evidence v1`)]
  for (const line of structure) {
    const finding = line(file)
    findings.push(finding)
    if (finding.result === 'FAIL') return refusal(findings)
  }
  return judgeSigned(file, trust, questions, findings)
}

/** The report on a file that is too large to be read at all. */
export const refusedForSize = (bytes: number): Report =>
  refusal([fail(`${bytes} bytes, more than the limit of ${limits.bytes}`)])

/** Lines 2 to 7: what they say rests on nothing but the file. After the first that fails, none is reached. */
const structure: readonly ((file: EvidenceFile) => Finding)[] = [
  claimLine,
  streamNameLine,
  disclosureLine,
  streamLine,
  batchLine,
  historyLine,
]

function decodeOrRefuse(bytes: Uint8Array): EvidenceFile | Finding {
  try {
    return decodeEvidence(bytes)
  } catch (error) {
    if (error instanceof KedgeError) return fail(error.message)
    throw error
  }
}

function refusal(findings: readonly Finding[]): Report {
  const lines = properties.map((property, i) => ({
    property,
    ...(findings[i] ?? notChecked('not reached')),
  }))
  return { verdict: 'invalid', claim: 'nothing was verified: the file is not sound', lines }
}

function judgeSigned(
  file: EvidenceFile,
  trust: Trust | null,
  questions: Questions,
  structural: readonly Finding[],
): Report {
  const seals = judgeSeals(file, trust)
  const streams = sealedStreams(file)
  const erased = new Set(erasures(file).keys())
  const fixedBefore = fixedBeforeLine(seals, streams)
  const isFixedBefore = fixedBefore.result === 'PASS'
  const complete = completeLine({ file, streams, seals, erased, isFixedBefore }, questions)
  const findings = [
    ...structural,
    signatureLine(seals),
    signerLine(file, seals, trust),
    anchorLine(seals, trust),
    continuityLine(seals),
    independentLine(seals),
    fixedBefore,
    sealedAfterLine(seals, trust),
    erasedLine(file, trust),
    complete,
  ]
  const lines = properties.map((property, i): Line => {
    const { result, reason } = findings[i] as Finding
    return { property, result, reason }
  })
  const verdict = verdictOf(lines, complete.gaps, erased.size > 0)
  return { verdict, claim: claimSentence(file, lines), lines }
}

const saysNothingOfValidity: readonly Property[] = ['independent', 'complete']
const neededForCertainty: readonly Property[] = ['signature', 'signer', 'anchor', 'complete']

function verdictOf(lines: readonly Line[], gaps: number, isErased: boolean): Verdict {
  const resultOf = new Map(lines.map(({ property, result }) => [property, result]))
  const invalid = lines.some(
    ({ property, result }) => result === 'FAIL' && !saysNothingOfValidity.includes(property),
  )
  if (invalid) return 'invalid'
  if (resultOf.get('complete') === 'FAIL') return 'incomplete'
  const open = neededForCertainty.some((property) => resultOf.get(property) === 'NOT CHECKED')
  if (open || (isErased && resultOf.get('erased') === 'NOT CHECKED')) return 'undetermined'
  return gaps > 0 ? 'complete-with-declared-gaps' : 'complete'
}
