import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { equalBytes } from '../anchor-client/evidence/bytes.ts'
import type { Journal } from '../gateway/journal/journal.ts'
import { type Random, randomFrom } from './fuzz/random.ts'
import { openTestJournal, readingLeaf, sealNow, testStreams } from './helpers/journal.ts'
import { scratchFolder } from './helpers/scratch.ts'

const cuts = 1000

interface Acknowledged {
  readonly stream: number
  readonly index: number
  readonly body: Uint8Array
}

/** The moment after an fsync: how long each file was, and how much was acknowledged by then. */
interface Moment {
  readonly lengths: ReadonlyMap<string, number>
  readonly acknowledged: number
}

test(`${cuts} times the power is cut, and every reading that was acknowledged is there`, async (t) => {
  await using scratch = await scratchFolder()
  const random = randomFrom(77)
  for (let store = 0; store < 5; store++) {
    const path = join(scratch.path, `store-${store}`)
    const { moments, acknowledged } = await recorded(path, random)
    for (let cut = 0; cut < cuts / 5; cut++) {
      const at = random.below(moments.length - 1)
      const trial = join(scratch.path, 'trial')
      const how = cutPower(path, trial, moments, at, random)
      await using journal = await openTestJournal(trial)
      const { damage, lost, damagedRows } = journal.opened
      t.deepEqual({ damage, lost, damagedRows }, { damage: [], lost: [], damagedRows: [] }, how)
      const missing = await notThere(journal, acknowledged.slice(0, moments[at]?.acknowledged))
      if (missing.length > 0) return t.fail(`${how}: ${missing.join(', ')}`)
      if (cut % 20 > 0) continue
      // It goes on with the next index of each stream, and all roots are as they were.
      const { control } = testStreams(journal)
      journal.add({ stream: control, leaf: readingLeaf(1, 1) })
      await journal.flush()
      await sealNow(journal)
      t.deepEqual(await journal.scrub(), { damage: [], damagedRows: [], damagedTables: [] }, how)
    }
  }
})

/** A gateway that works a while; its files as they are in the end, and what they were at every fsync. */
async function recorded(path: string, random: Random) {
  mkdirSync(`${path}-live`)
  const acknowledged: Acknowledged[] = []
  const moments: Moment[] = []
  for (const isLast of [false, true]) {
    await using journal = await openTestJournal(`${path}-live`, { mayCreate: true })
    const streams = testStreams(journal)
    for (let frame = 0; frame < (isLast ? 40 : 10); frame++) {
      for (let left = 1 + random.below(8); left > 0; left--) {
        const stream = streams.open(`probe-${random.below(4)}`)
        const leaf = readingLeaf(random.below(9999), frame, 'x'.repeat(random.oneOf([0, 200])))
        journal.add({
          stream,
          leaf,
          committed: (index) =>
            acknowledged.push({ stream: stream.number, index, body: leaf.body }),
        })
      }
      await journal.flush()
      if (isLast) {
        moments.push({ lengths: lengthsIn(`${path}-live`), acknowledged: acknowledged.length })
      }
      if (random.below(6) > 0) continue
      const { size } = await sealNow(journal, random.below(4) === 0)
      const signed = { key: new Uint8Array(65), signature: new Uint8Array(64) }
      await journal.keepSignature({ size, isInterim: false, ...signed })
    }
    if (isLast) cpSync(`${path}-live`, path, { recursive: true })
  }
  return { moments, acknowledged }
}

function lengthsIn(path: string): Map<string, number> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return new Map(names.map((name) => [name, statSync(join(path, name)).size]))
}

/** What was fsynced is there, of the journal perhaps more; of what never is, any part of it. */
function cutPower(
  path: string,
  trial: string,
  moments: readonly Moment[],
  at: number,
  random: Random,
): string {
  rmSync(trial, { recursive: true, force: true })
  cpSync(path, trial, { recursive: true })
  const before = (moments[at] as Moment).lengths
  const after = (moments[at + 1] as Moment).lengths
  let how = `cut after frame ${at}`
  for (const [name, length] of before) {
    if (!/\.(log|tail)$/.test(name)) continue
    const bytes = readFileSync(join(trial, name))
    if (/^journal\/.*log$/.test(name)) {
      const end = length + random.below((after.get(name) ?? length) - length + 1)
      const behind = random.oneOf([
        Buffer.alloc(0),
        Buffer.alloc(random.below(5000)),
        Buffer.from(random.bytes(random.below(600))),
      ])
      how += `, at ${end} of ${length} with ${behind.length} bytes ${behind[0]} behind`
      writeFileSync(join(trial, name), Buffer.concat([bytes.subarray(0, end), behind]))
    } else {
      const rest = random.oneOf([length, random.below(length + 1)])
      how += `, ${rest} of ${name}`
      writeFileSync(join(trial, name), bytes.subarray(0, rest))
    }
  }
  return how
}

async function notThere(journal: Journal, acknowledged: readonly Acknowledged[]) {
  const there = new Map<string, Uint8Array>()
  for (const stream of new Set(acknowledged.map((of) => of.stream))) {
    const { size = 0 } = (await journal.reader.stream(stream)) ?? {}
    for await (const { index, leaf } of journal.reader.leaves(stream, 0, size)) {
      if (leaf) there.set(`${stream} ${index}`, leaf.body)
    }
  }
  return acknowledged
    .filter(({ stream, index, body }) => {
      const found = there.get(`${stream} ${index}`)
      return found === undefined || !equalBytes(found, body)
    })
    .map(({ stream, index }) => `${stream} ${index}`)
}
