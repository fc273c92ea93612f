import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { randomFrom } from './fuzz/random.ts'
import { openTestJournal } from './helpers/journal.ts'
import { baseOf, spoilBytes, trial, usualBases } from './helpers/journal-trial.ts'
import { scratchFolder } from './helpers/scratch.ts'

const seeds = 240

test(`${seeds} times bytes on the disk decay, and nothing that was acknowledged is gone without a word`, async (t) => {
  await using scratch = await scratchFolder()
  const bases = await usualBases(scratch.path, randomFrom(11))
  const total = { there: 0, lost: 0, damaged: 0, refused: 0 }
  for (let seed = 0; seed < seeds; seed++) {
    const random = randomFrom(Math.imul(seed + 1, 0x9e3779b1) >>> 0)
    // The large one takes its time.
    const base = seed % 24 === 0 ? bases[3] : bases[seed % 3]
    if (base === undefined) return t.fail()
    const path = join(scratch.path, 'trial')
    const found = await trial(base, path, random, spoilBytes(['journal']))
    total.there += found.there
    total.lost += found.lost
    total.damaged += found.damaged
    total.refused += found.refused ? 1 : 0
  }
  t.log(total)
  t.is(total.refused, 0, 'a decayed byte stops no gateway')
  t.true(total.lost > 0)
  t.true(total.damaged > 0)
  t.true(total.damaged + total.lost < total.there / 4, 'most is there still')
})

test('whatever decays beside the journal itself costs no reading', async (t) => {
  await using scratch = await scratchFolder()
  const [, base] = await usualBases(scratch.path, randomFrom(12))
  if (base === undefined) return t.fail()
  for (let seed = 0; seed < 60; seed++) {
    const random = randomFrom(Math.imul(seed + 1, 0x9e3779b1) >>> 0)
    const path = join(scratch.path, 'trial')
    const found = await trial(base, path, random, spoilBytes(['index', 'copies', '.']))
    t.like(found, { lost: 0, damaged: 0, refused: undefined }, found.how)
  }
})

const gone: Record<string, (journal: string) => void> = {
  'CURRENT is': (journal) => rmSync(join(journal, 'CURRENT')),
  'the manifest is': (journal) => rmSync(join(journal, only(journal, /^MANIFEST/))),
  'a table is': (journal) => rmSync(join(journal, only(journal, /\.ldb$/))),
  'the log is': (journal) => rmSync(join(journal, only(journal, /\.log$/))),
  'the end of the manifest is': (journal) => {
    const path = join(journal, only(journal, /^MANIFEST/))
    writeFileSync(path, readFileSync(path).subarray(0, -5))
  },
  'everything is': (journal) => rmSync(journal, { recursive: true }),
}

for (const [what, remove] of Object.entries(gone)) {
  test(`where ${what} gone, the journal is not opened, and nothing is made in its place`, async (t) => {
    await using scratch = await scratchFolder()
    const life = { frames: 20, leaves: 10, sealEvery: 10, endsSealed: true }
    const base = await baseOf(join(scratch.path, 'base'), randomFrom(5), [life, life])
    const journal = join(base.path, 'journal')
    remove(journal)
    const before = listOf(journal)
    const refused = await t.throwsAsync(openTestJournal(base.path), {
      instanceOf: KedgeError,
      code: 'STORE_DAMAGED',
    })
    t.regex(refused?.hint ?? '', /backup/)
    t.deepEqual(listOf(journal), before)
  })
}

test('a beginning that was cut off is begun again', async (t) => {
  await using scratch = await scratchFolder()
  mkdirSync(join(scratch.path, 'journal'))
  writeFileSync(join(scratch.path, 'journal', 'MANIFEST-000001'), new Uint8Array(50))
  await using journal = await openTestJournal(scratch.path, { mayCreate: true })
  t.is(journal.size, 0)
})

const only = (folder: string, named: RegExp): string =>
  readdirSync(folder).find((name) => named.test(name)) as string

function listOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}
