import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { limits } from '../../../anchor-client/evidence/file.ts'
import type { Questions, Report, Verdict } from '../../../anchor-client/evidence/model.ts'
import { maxTrustBytes, parseTrust, type Trust } from '../../../anchor-client/evidence/trust.ts'
import { refusedForSize, verifyEvidence } from '../../../anchor-client/evidence/verify.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { type Extracted, extractInto } from '../extract-into.ts'
import { parseDuration, parseExpectation } from '../questions.ts'
import { readInput } from '../read-input.ts'
import { reportLines } from '../report-lines.ts'
import { properties } from '../words.ts'

/** From the worst to the best: of several files the worst decides. */
const exitCodes = new Map<Verdict, number>([
  ['invalid', 4],
  ['incomplete', 1],
  ['undetermined', 1],
  ['complete-with-declared-gaps', 5],
  ['complete', 0],
])

export const verify: Command = {
  summary: 'Check evidence files, and print a verdict and sixteen lines for each',
  usage: 'FILE…',
  options: {
    trust: { value: 'TRUST', means: 'what you already believe: keys, ledgers, controllers (JSON)' },
    expect: {
      value: 'STREAM,FROM,TO',
      repeatable: true,
      means: 'ask whether the file covers this, by two indices or two RFC 3339 times',
    },
    'max-lag': {
      value: 'DURATION',
      means: 'ask whether every reading was fixed so soon: 90s 15m 24h 7d 500ms',
    },
    extract: {
      value: 'DIR',
      means: 'write what each signature is over, and the openssl line that checks it',
    },
  },
  notes: [
    'A line passes when:\n' +
      Object.entries(properties.en)
        .map(([property, means]) => `  ${property.padEnd(13)} ${means}`)
        .join('\n'),
    'Reasons are in English in every language.',
    'Exit: 0 complete, 5 complete with declared gaps, 1 incomplete or undetermined, 4 invalid,\n' +
      '2 if a file could not be read; of several files the worst.',
  ],

  async run(args, terminal) {
    const { operands } = args
    if (operands.length === 0) {
      throw new KedgeError('USAGE', 'verify needs a file', { hint: 'kedge verify FILE…' })
    }
    const questions = questionsIn(args)
    const trustFile = args.text('trust')
    let trust: Trust | null = null
    try {
      if (trustFile !== undefined) trust = await readTrust(trustFile)
    } catch (error) {
      return terminal.explain(error, trustFile)
    }

    const folder = args.text('extract')
    const found = new Set<Verdict>()
    let troubleCode = 0
    for (const file of operands) {
      try {
        const { report, bytes } = await reportOn(file, trust, questions)
        found.add(report.verdict)
        const { extracted, problem } = await extractedFrom(bytes, folder)
        await terminal.print(...reportLines(file, report, extracted, terminal))
        if (problem) throw problem
      } catch (error) {
        troubleCode = Math.max(troubleCode, terminal.explain(error, file))
      }
    }
    const worst = Array.from(exitCodes).find(([verdict]) => found.has(verdict))
    return troubleCode || (worst?.[1] ?? 0)
  },
}

function questionsIn(args: Arguments): Questions {
  const maxLag = args.text('max-lag')
  return {
    expect: args.texts('expect').map(parseExpectation),
    maxLagMs: maxLag === undefined ? null : parseDuration('--max-lag', maxLag),
  }
}

async function readTrust(file: string): Promise<Trust> {
  const input = await readInput(file, maxTrustBytes)
  if ('tooLarge' in input) throw new KedgeError('TRUST_INVALID', 'larger than 1 MiB')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input.bytes)
  } catch (cause) {
    throw new KedgeError('TRUST_INVALID', 'not UTF-8', { cause })
  }
  return parseTrust(text)
}

async function reportOn(
  file: string,
  trust: Trust | null,
  questions: Questions,
): Promise<{ report: Report; bytes?: Uint8Array }> {
  const input = await readInput(file, limits.bytes)
  if ('tooLarge' in input) return { report: refusedForSize(input.tooLarge) }
  return { report: verifyEvidence(input.bytes, trust, questions), bytes: input.bytes }
}

/** The verdict is printed whatever happens here, so a problem is handed on, not thrown. */
async function extractedFrom(
  bytes: Uint8Array | undefined,
  folder: string | undefined,
): Promise<{ extracted?: readonly Extracted[]; problem?: unknown }> {
  if (folder === undefined) return {}
  try {
    return { extracted: bytes ? await extractInto(folder, bytes) : [] }
  } catch (problem) {
    return { problem }
  }
}
