import type { Damage } from '../../anchor-client/evidence/model.ts'
import { plainLeaf } from '../../gateway/recording/plain-leaf.ts'
import type { Random } from '../fuzz/random.ts'
import {
  type Acknowledged,
  addTo,
  openTestJournal,
  readingLeaf,
  sealNow,
  testStreams,
  timeAt,
} from './journal.ts'

export interface Life {
  readonly frames: number
  /** A frame has up to so many leaves. */
  readonly leaves: number
  /** After so many frames, about, a batch is sealed. */
  readonly sealEvery: number
  readonly endsSealed: boolean
  /** How long the longest text in a leaf is. */
  readonly textBytes?: number
}

/** Opens the journal, fills it and closes it: frames of several streams, batches now and then. */
export async function live(
  path: string,
  random: Random,
  acknowledged: Acknowledged,
  { frames, leaves, sealEvery, endsSealed, textBytes = 200 }: Life,
): Promise<void> {
  await using journal = await openTestJournal(path, { mayCreate: true })
  const streams = testStreams(journal)
  const add = addTo(journal, acknowledged)
  // As a start of the gateway does: what was found is put on record.
  for (const damage of journal.opened.damage) {
    add(streams.control, damageLeaf(damage))
  }
  const sources = Array.from({ length: 2 + random.below(4) }, (_, i) => `probe-${i}`)
  for (let frame = 0; frame < frames; frame++) {
    for (let left = 1 + random.below(leaves); left > 0; left--) {
      const text = 'x'.repeat(textBytes > 200 ? textBytes : random.oneOf([0, 0, 0, 10, textBytes]))
      add(streams.open(random.oneOf(sources)), readingLeaf(random.below(9999), frame, text))
    }
    await journal.flush()
    if (random.below(sealEvery) === 0) await sealNow(journal, random.below(8) === 0)
  }
  if (endsSealed) await sealNow(journal, true)
}

export const damageLeaf = (damage: Omit<Damage, 'type' | 'time'>) =>
  plainLeaf({ type: 'damage', time: timeAt(0), ...damage })
