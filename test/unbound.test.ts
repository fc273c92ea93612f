import { fileURLToPath } from 'node:url'
import test from 'ava'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { browserVerifier } from './helpers/browser.ts'
import {
  fileOf,
  goldenCase,
  goldenFolder,
  lettersOf,
  questionsOf,
  trustOf,
  trustTextOf,
} from './helpers/cases.ts'
import { mutations } from './helpers/mutations.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'

// No byte of a file is unbound: whatever is altered, a line says so.

/** Tried bit by bit, in every verifier. */
const smallest = goldenCase('one-reading')
/** Tried element by element: between them they hold every structure. */
const varied = [
  'one-reading',
  'private-opened-as-needed',
  'erased',
  'control-records',
  'shipment',
  'damage-declared',
  'range-of-four-days',
  'values',
  'chain',
  'chain-receipt',
  'chain-beacon',
].map(goldenCase)

test('a file with any one bit flipped fails a line', (t) => {
  const letters = lettersOfFlips()
  t.true(letters.length > 8 * 500)
  const unnoticed = letters.flatMap((found, bit) => (isNoticed(found) ? [] : [`${bit} ${found}`]))
  t.deepEqual(unnoticed, [])
})

test('a browser finds the same for every flipped bit', async (t) => {
  const judge = await browserVerifier()
  const trust = trustTextOf(smallest)
  const questions = questionsOf(smallest)
  const found = flips(fileOf(smallest), (bytes) => lettersOf(judge(bytes, trust, questions)))
  t.deepEqual(found, lettersOfFlips())
})

testWith('python3', 'openssl')(
  'a script of Python and openssl finds the same for every flipped bit',
  async (t) => {
    const script = fileURLToPath(new URL('verify.py', import.meta.url))
    const asked = [script, '--flips', goldenFolder, smallest.name]
    const { code, stdout, stderr } = await run('python3', asked)
    t.is(code, 0, stderr)
    const expected = lettersOfFlips().map((found, bit) => `${bit} ${found}`)
    t.deepEqual(stdout.trim().split('\n'), expected)
  },
)

const onChain = goldenCase('chain')
/** Bits apart, so that every byte's neighbourhood is tried and the script is done in seconds. */
const stride = 83

testWith('python3', 'openssl')(
  'a script of Python finds the same for flipped bits of what a chain holds',
  async (t) => {
    const script = fileURLToPath(new URL('verify.py', import.meta.url))
    const asked = [script, '--flips', goldenFolder, onChain.name, String(stride)]
    const { code, stdout, stderr } = await run('python3', asked)
    t.is(code, 0, stderr)
    const [trust, questions] = [trustOf(onChain), questionsOf(onChain)]
    const found = flips(
      fileOf(onChain),
      (bytes) => lettersOf(verifyEvidence(bytes, trust, questions)),
      stride,
    )
    const expected = found.map((letters, i) => `${i * stride} ${letters}`)
    t.deepEqual(stdout.trim().split('\n'), expected)
  },
)

for (const one of varied) {
  test(`an element deleted, doubled or swapped is noticed (${one.name})`, (t) => {
    const trust = trustOf(one)
    const questions = questionsOf(one)
    const judge = (bytes: Uint8Array) => verifyEvidence(bytes, trust, questions)
    const before = JSON.stringify(judge(fileOf(one)))
    const lettersBefore = lettersOf(judge(fileOf(one)))
    let tried = 0
    for (const { what, bytes, narrows } of mutations(fileOf(one))) {
      tried += 1
      const report = judge(bytes)
      const saysSo = narrows && JSON.stringify(report) !== before
      const letters = lettersOf(report)
      if (!letters.includes('F') && !saysSo && !leavesOpen(lettersBefore, letters)) {
        t.fail(`${what}: ${letters}`)
      }
    }
    t.true(tried > 50)
  })
}

let known: string[] | undefined

function lettersOfFlips(): string[] {
  const trust = trustOf(smallest)
  const questions = questionsOf(smallest)
  known ??= flips(fileOf(smallest), (bytes) => lettersOf(verifyEvidence(bytes, trust, questions)))
  return known
}

/** What is found with each bit flipped in turn, the lowest bit of the first byte first. */
function flips<T>(bytes: Uint8Array, find: (bytes: Uint8Array) => T, stride = 1): T[] {
  return Array.from({ length: Math.ceil((8 * bytes.length) / stride) }, (_, i) => {
    const bit = i * stride
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    return find(flipped)
  })
}

/** A ledger of a kind that nobody knows cannot be judged: that leaves line 10 open, and no more. */
function isNoticed(found: string): boolean {
  return found.includes('F') || found[9] === 'N'
}

/** A chain's blocks with fewer seals prove less: what passed by them, an anchor or a beacon, passes no longer. */
const leavesOpen = (before: string, found: string): boolean =>
  [9, 13].some((line) => before[line] === 'P' && found[line] === 'N')
