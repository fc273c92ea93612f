import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'
import { fileOf, goldenCase } from '../helpers/cases.ts'

/** Judges one file in a process of its own, and says how much memory that took beyond an idle verifier's. */
process.once('message', (bytes: Uint8Array) => {
  const nothingAsked = { expect: [], maxLagMs: null }
  verifyEvidence(fileOf(goldenCase('one-reading')), null, nothingAsked)
  const idleKibibytes = process.resourceUsage().maxRSS
  const start = performance.now()
  verifyEvidence(bytes, null, nothingAsked)
  const ms = performance.now() - start
  const kibibytes = process.resourceUsage().maxRSS - idleKibibytes
  process.send?.({ ms, mebibytes: Math.round(kibibytes / 102.4) / 10 })
})
