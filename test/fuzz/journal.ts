import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeFrame, decodeFrameHead, runsOf } from '../../gateway/journal/frame.ts'
import { readLog } from '../../gateway/journal/leveldb-log.ts'
import { readTable } from '../../gateway/journal/leveldb-table.ts'
import { rowsInLog } from '../../gateway/journal/saved-rows.ts'
import { unsnap } from '../../gateway/journal/snappy.ts'
import { spoilBytes, trial, usualBases } from '../helpers/journal-trial.ts'
import { scratchFolder } from '../helpers/scratch.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

const everywhere = ['journal', 'journal', 'journal', 'index', 'copies', '.']

/** Stores whose bytes decay: nothing that was acknowledged may be gone without a word, and nothing may throw. */
export const journal: Target = {
  summary: 'the journal, with bytes on its disk decayed, and what reads these bytes',

  async run(random, isTimeUp) {
    await using scratch = await scratchFolder()
    const bases = await usualBases(scratch.path, random)
    const path = join(scratch.path, 'trial')
    const worst = { ms: 0, what: '' }
    let tried = 0
    let refused = 0
    for (; !isTimeUp(); tried++) {
      const base = random.oneOf(bases.slice(0, 3))
      const start = performance.now()
      const found = await trial(base, path, random, spoilBytes(everywhere))
      const ms = Math.round(performance.now() - start)
      if (ms > worst.ms) Object.assign(worst, { ms, what: found.how })
      if (found.refused) refused += 1
      for (let i = 0; i < 50; i++)
        readGarbage(random, readFileSync(join(base.path, 'journal.tail')))
    }
    return { tried, worst: [worst, { what: 'not opened', count: refused }] }
  },
}

function readGarbage(random: Random, some: Uint8Array): void {
  const bytes = random.oneOf([random.bytes(random.below(300)), altered(random, some)])
  readLog(bytes)
  rowsInLog(bytes)
  Array.from(readTable(bytes).entries())
  unsnap(bytes)
  decodeFrameHead(bytes)
  const frame = decodeFrame(bytes)
  if (frame) runsOf(frame)
}

function altered(random: Random, some: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(some.subarray(0, 2000))
  for (let i = 0; i < 3; i++) bytes[random.below(bytes.length)] = random.below(256)
  return bytes
}
