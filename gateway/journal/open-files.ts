/** A journal's files, opened in an order in which each is judged by the others before anything is written. */
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { holding } from '../held.ts'
import { catchUp } from './catch-up.ts'
import { encodeFrameHead } from './frame.ts'
import type { JournalIdentity } from './journal.ts'
import { type JournalIndex, openJournalIndex } from './journal-index.ts'
import { recordLost } from './record-lost.ts'
import { type Opened, replay } from './replay.ts'
import { type Copied, rowSource } from './row-source.ts'
import type { RowStore } from './row-store.ts'
import { openSalvaged } from './salvage.ts'
import { scrub } from './scrub.ts'
import { openTail, type Tail } from './tail.ts'

export interface JournalFiles extends Copied, AsyncDisposable {
  readonly folder: string
  /** A table was found damaged: the next open looks at all of them. */
  distrust(): void
  readonly index: JournalIndex
  readonly tail: Tail
  readonly opened: Opened
  /** The first row that may be written. */
  readonly firstRow: number
}

interface Where {
  readonly folder: string
  readonly indexFolder: string
  readonly mayCreate: boolean
  readonly nowMs: () => number | null
  /** Opens for reading alone what cannot be gone on with. */
  readonly evenIfBroken?: boolean
}

const copiesBufferBytes = 256 * 1024

export async function openFiles(
  { folder, indexFolder, mayCreate, nowMs, evenIfBroken }: Where,
  identity: JournalIdentity,
): Promise<JournalFiles> {
  return holding(async (held) => {
    const tail = held.use(openTail(`${folder}.tail`))
    const lastRow = Math.max(-1, ...tail.found.keys())
    const { rows, heads, isMended, distrust } = await openSalvaged(folder, mayCreate, lastRow)
    held.use(rows)
    const copies = held.use(await openCopies(join(dirname(folder), 'copies')))
    const index = held.use(await openJournalIndex(indexFolder))
    const of = { rows, copies }
    const source = await rowSource(of, index, tail.found, heads)
    const found = await replay(source, identity, evenIfBroken)
    for (const [number, runs] of found.gone) {
      await copies.put({ number, kind: 'gone', body: encodeFrameHead(runs) }, true)
    }
    const isWell = found.broken.length === 0
    const lost = isWell ? await recordLost(rows, tail, found, nowMs()) : 0
    const firstRow = found.nextRow + lost
    await index.forgetStreams(found.nextStream)
    await catchUp(of, index, firstRow)
    const close = () => held[Symbol.asyncDispose]()
    const files = { ...of, folder, distrust, index, tail, firstRow, [Symbol.asyncDispose]: close }
    // What is damaged may be far older than the last snapshot.
    const { damage } = isMended ? await scrub(files, found.batchFirstRow, {}) : found
    return { ...files, opened: { ...found, damage } }
  })
}

/** Made from the journal anew where it cannot be opened. */
async function openCopies(folder: string): Promise<RowStore> {
  const open = async () => (await openSalvaged(folder, true, -1, copiesBufferBytes)).rows
  return open().catch(async (error) => {
    if (error.code === 'STORE_IN_USE') throw error
    await rm(folder, { recursive: true, force: true })
    return open()
  })
}
