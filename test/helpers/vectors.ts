import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'

/** A file of test/vectors, parsed. */
export const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))

/** Standards data that may not be passed on: beside the repository where somebody put it. */
export const standards = fileURLToPath(new URL('../../../shared/standards/', import.meta.url))

/** `test`, or `test.skip` with a printed reason where that data is not at hand. */
export function testWithStandards(name: string): typeof test.skip {
  if (existsSync(standards + name)) return test
  console.error(`skipped: no ../shared/standards/${name}`)
  return test.skip
}
