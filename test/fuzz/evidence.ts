import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { properties } from '../../anchor-client/evidence/model.ts'
import { shownReadings } from '../../anchor-client/evidence/show.ts'
import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'
import { fileOf, goldenCases, questionsOf, trustOf } from '../helpers/cases.ts'
import { mutations } from '../helpers/mutations.ts'
import { hostileFiles } from './hostile.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

/** Every file must get its table, however it was made; what took longest is weighed once more on its own. */
export const evidence: Target = {
  summary: 'the verifier: golden files altered, and files made to be slow or large',

  async run(random, isTimeUp) {
    const slowest: Seen[] = []
    let tried = 0
    const see = (seen: Seen) => {
      tried += 1
      slowest.push(seen)
      slowest.sort((a, b) => b.ms - a.ms)
      slowest.length = Math.min(slowest.length, 4)
    }
    const hostile = Array.from(hostileFiles(), ({ what, bytes }) => judged(what, bytes, 0))
    while (!isTimeUp()) see(alteredAndJudged(random))
    const worst: Readonly<Record<string, unknown>>[] = []
    for (const seen of [...hostile, ...slowest]) worst.push(await weighed(seen))
    return { tried: tried + hostile.length, worst }
  },
}

const seeds = goldenCases
  .filter(({ lines }) => lines.startsWith('PPPPPPPP'))
  .map((one) => ({
    name: one.name,
    bytes: fileOf(one),
    trust: trustOf(one),
    questions: questionsOf(one),
  }))

interface Seen {
  readonly what: string
  readonly bytes: Uint8Array
  readonly ms: number
  readonly fails: string
}

function alteredAndJudged(random: Random): Seen {
  const at = random.below(seeds.length)
  const { name, bytes } = seeds[at] as (typeof seeds)[number]
  const alter = random.oneOf(alterations)
  return judged(`${name}, ${alter.name}`, alter(random, bytes), at)
}

/** Anything but a whole table is a fault of the verifier, and ends the run. */
function judged(what: string, bytes: Uint8Array, at: number): Seen {
  const { trust, questions } = seeds[at] as (typeof seeds)[number]
  const start = performance.now()
  const { lines } = verifyEvidence(bytes, trust, questions)
  const ms = performance.now() - start
  if (lines.length !== properties.length) throw new Error(`${what}: ${lines.length} lines`)
  if (lines[0]?.result === 'PASS') for (const _ of shownReadings(bytes));
  const fails = lines.find(({ result }) => result === 'FAIL')?.property ?? 'none'
  return { what, bytes, ms, fails }
}

const alterations: readonly ((random: Random, bytes: Uint8Array) => Uint8Array)[] = [
  function bitsFlipped(random, bytes) {
    const changed = Uint8Array.from(bytes)
    for (let left = 1 + random.below(3); left > 0; left--) {
      const at = random.below(bytes.length)
      changed[at] = (changed[at] as number) ^ (1 << random.below(8))
    }
    return changed
  },
  function cutShort(random, bytes) {
    return bytes.subarray(0, random.below(bytes.length))
  },
  function bytesReplaced(random, bytes) {
    const changed = Uint8Array.from(bytes)
    const noise = random.bytes(1 + random.below(8))
    changed.set(noise, random.below(bytes.length - noise.length))
    return changed
  },
  function bytesInserted(random, bytes) {
    const at = random.below(bytes.length)
    return concat(bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at))
  },
  function partRepeated(random, bytes) {
    const at = random.below(bytes.length)
    return concat(bytes.subarray(0, at), bytes.subarray(random.below(at + 1)))
  },
  function elementsMoved(random, bytes) {
    let skip = random.below(300)
    for (const mutation of mutations(bytes)) if (skip-- === 0) return mutation.bytes
    return bytes
  },
  function noiseOnly(random) {
    return concat(Uint8Array.of(0x4b, 0x45, 0x44, 0x47, 0x45, 1), random.bytes(random.below(400)))
  },
]

/** What is promised for files of up to 1 MiB, beyond what an idle verifier takes. */
const promised = { earlyMs: 100, lateMs: 5000, mebibytes: 64 }

async function weighed({ what, bytes, ms, fails }: Seen) {
  const child = fork(fileURLToPath(new URL('weigh.ts', import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: ['--import', 'tsx'],
  })
  child.send(bytes)
  const [{ mebibytes, ms: coldMs }] = await once(child, 'message')
  child.disconnect()
  const isEarly = (properties.slice(0, 7) as readonly string[]).includes(fails)
  const withinPromise =
    ms <= (isEarly ? promised.earlyMs : promised.lateMs) && mebibytes <= promised.mebibytes
  const round = (value: number) => Math.round(value * 10) / 10
  const weight = { ms: round(ms), coldMs: round(coldMs), mebibytes, withinPromise }
  return { what, bytes: bytes.length, fails, ...weight }
}
