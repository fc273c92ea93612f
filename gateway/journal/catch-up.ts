/** The index and the copies of seals follow the journal: what they lack after a crash is read from it again. */
import { decodeDescriptor } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame } from './frame.ts'
import { type JournalIndex, streamsOpenedIn } from './journal-index.ts'
import type { Row } from './row.ts'
import { type Copied, rowsOf } from './row-source.ts'
import { decodeSealRow } from './seal-row.ts'

export async function catchUp(of: Copied, index: JournalIndex, nextRow: number): Promise<void> {
  const copied = ((await of.copies.highest()) ?? -1) + 1
  for await (const row of rowsOf(of, Math.min(copied, index.progress), nextRow)) {
    if (row.kind === 'damaged') continue
    if (row.kind === 'seal' && row.number >= copied) await of.copies.put(row, false)
    await indexRow(index, row)
  }
}

/** Puts in what the row says; the same again changes nothing. */
async function indexRow(index: JournalIndex, row: Row): Promise<void> {
  if (row.kind === 'seal') await index.addSeal(row.number, decodeSealRow(row.body))
  const frame = row.kind === 'frame' ? decodeFrame(row.body) : undefined
  for (const descriptor of frame ? streamsOpenedIn(frame) : []) {
    await index.addStream(decodeDescriptor(descriptor).number, descriptor)
  }
}
