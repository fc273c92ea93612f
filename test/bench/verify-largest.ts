import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseTrust } from '../../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'

/** Judges the file in a folder, and prints how long that took and the most memory that the process had. */
const folder = process.argv[2] as string
const trust = parseTrust(readFileSync(join(folder, 'trust.json'), 'utf8'))
const { buffer, byteOffset, length } = readFileSync(join(folder, 'large.kedge'))
const file = new Uint8Array(buffer, byteOffset, length)
const start = performance.now()
const { verdict } = verifyEvidence(file, trust, { expect: [], maxLagMs: null })
const seconds = (performance.now() - start) / 1000
if (verdict !== 'complete') throw new Error(`the file to measure is ${verdict}`)
console.log(JSON.stringify({ seconds, bytes: 1024 * process.resourceUsage().maxRSS }))
