import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  properties,
  type Questions,
  type Report,
  type Verdict,
} from '../../anchor-client/evidence/model.ts'
import { parseTrust, type Trust } from '../../anchor-client/evidence/trust.ts'
import { parseExpectation } from '../../gateway/command-line/questions.ts'

/** One row of the manifest: a file, what it is held against, and what every verifier must answer. */
interface GoldenCase {
  readonly name: string
  readonly title: string
  readonly file: string
  readonly trust: string | null
  readonly expect: readonly string[]
  readonly maxLagMs: number | null
  readonly verdict: Verdict
  /** P, F or N for each of the sixteen lines. */
  readonly lines: string
}

export const goldenFolder = fileURLToPath(new URL('../golden/files/', import.meta.url))

const read = (name: string) => readFileSync(goldenFolder + name)

export const goldenCases: readonly GoldenCase[] = JSON.parse(read('manifest.json').toString())

export function goldenCase(name: string): GoldenCase {
  const found = goldenCases.find((one) => one.name === name)
  if (found === undefined) throw new TypeError(`no golden case ${name}`)
  return found
}

export const fileOf = ({ file }: GoldenCase): Uint8Array => new Uint8Array(read(file))

export const trustTextOf = ({ trust }: GoldenCase): string | null =>
  trust === null ? null : read(trust).toString()

export function trustOf(one: GoldenCase): Trust | null {
  const text = trustTextOf(one)
  return text === null ? null : parseTrust(text)
}

export const questionsOf = ({ expect, maxLagMs }: GoldenCase): Questions => ({
  expect: expect.map(parseExpectation),
  maxLagMs,
})

/** The sixteen results as letters, in order. */
export function lettersOf({ lines }: Report): string {
  if (lines.some(({ property }, i) => property !== properties[i])) {
    throw new TypeError('the sixteen lines are not in order')
  }
  return lines.map(({ result }) => result[0]).join('')
}
