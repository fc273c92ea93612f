import { shownReadings } from '../../anchor-client/evidence/show.ts'
import { parseTrust } from '../../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'

/** What the browser's realm is asked through: text in, text out, since its bytes are not the test's bytes. */
Object.assign(globalThis, {
  judge(base64: string, trust: string | null, questions: string): string {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const report = verifyEvidence(
      bytes,
      trust === null ? null : parseTrust(trust),
      JSON.parse(questions),
    )
    const soundUpToDisclosure = report.lines[3]?.result !== 'NOT CHECKED'
    const shown = soundUpToDisclosure ? [...shownReadings(bytes)].length : 0
    return JSON.stringify({ ...report, shown })
  },
})
