import { randomBytes } from 'node:crypto'
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { encodeRecord } from '../../anchor-client/evidence/records.ts'
import { encodeFrame, headOf, type Run, type StoredLeaf } from './frame.ts'
import { leafHashes } from './leaf-hashes.ts'
import type { Opened } from './replay.ts'
import type { RowStore } from './row-store.ts'
import type { Tail } from './tail.ts'

const lostRecord = encodeRecord({ type: 'lost', cause: 'damage' })
const mostAtOnce = 4096

/** Puts a lost leaf at every index that was committed and is gone before it was sealed. Gives the rows written. */
export async function recordLost(
  rows: RowStore,
  tail: Tail,
  { lost, nextRow }: Opened,
  nowMs: number | null,
): Promise<number> {
  let written = 0
  for (const { stream, from, to } of lost) {
    for (let start = from; start < to; start += mostAtOnce) {
      const leaves = Array.from(
        { length: Math.min(mostAtOnce, to - start) },
        (): StoredLeaf => ({ form: 'plain', head: randomBytes(16), body: lostRecord }),
      )
      const run: Run = { stream: stream.number, start, leaves }
      const number = nextRow + written++
      await rows.put({ number, kind: 'frame', body: encodeFrame(nowMs, [run]) }, true)
      tail.add(number, { kind: 'frame', runs: [headOf(run)] })
      const fresh = concat(...stream.fresh)
      fresh.set(leafHashes(leaves), 32 * (start - stream.sealed.size))
      stream.fresh = [fresh]
    }
    stream.hasGapSince = true
  }
  return written
}
