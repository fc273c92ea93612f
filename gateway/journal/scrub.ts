/**
 * Reads the whole journal once, slowly, while it is in use: what has decayed since it was written is found before
 * someone needs it, and named for the record. On the way the index is made right, where it is not.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { frontierOf } from '../../anchor-client/evidence/merkle.ts'
import type { LeafRecord } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { controlStream, decodeDescriptor, streamTag } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame, type StoredLeaf } from './frame.ts'
import { emptyFrontier } from './growing-tree.ts'
import { inspectFolder, isTableWhole } from './leveldb-folder.ts'
import type { JournalFiles } from './open-files.ts'
import { undeclared } from './replayed-control.ts'
import type { Row } from './row.ts'
import { rowsOf } from './row-source.ts'
import { decodeSealRow, encodeSealRow, type SealRow } from './seal-row.ts'
import { type Damaged, openSegments } from './segments.ts'

export interface Scrubbed {
  /** Sealed, gone, and not on record so far. */
  readonly damage: readonly Damaged[]
  /** Rows that cannot be read. */
  readonly damagedRows: readonly number[]
  /** Files of which nothing was read, as that could end the process: they are mended on the next open. */
  readonly damagedTables: readonly string[]
}

export interface ScrubOptions {
  readonly signal?: AbortSignal
  /** Is called after each row: whoever wants it slow waits there. */
  readonly pace?: (bytes: number) => Promise<void>
}

interface Tree {
  readonly tag: Uint8Array
  sealed: ReturnType<typeof emptyFrontier>
}

/** Rows before `endRow`; a seal must follow whatever is to be judged. */
export async function scrub(
  of: Omit<JournalFiles, 'opened'>,
  endRow: number,
  { signal, pace = () => nextTurn() }: ScrubOptions,
): Promise<Scrubbed> {
  const { folder, index } = of
  const damagedTables: string[] = []
  for (const table of (await inspectFolder(folder, false)).tables) {
    if (signal?.aborted) break
    if (!(await isTableWhole(folder, table))) damagedTables.push(table.name)
    await pace(table.length)
  }
  if (damagedTables.length > 0) {
    of.distrust()
    return { damage: [], damagedRows: [], damagedTables }
  }
  const segments = openSegments()
  const trees = new Map<number, Tree>()
  const declared: LeafRecord[] = []
  const damagedRows: number[] = []

  async function treeOf(stream: number): Promise<Tree | undefined> {
    const descriptor = trees.has(stream) ? undefined : await index.descriptor(stream)
    if (descriptor) trees.set(stream, { tag: streamTag(descriptor), sealed: emptyFrontier() })
    return trees.get(stream)
  }

  async function onControl(leaves: readonly StoredLeaf[]): Promise<void> {
    for (const { body } of leaves) {
      const record = decodeRecord(body)
      if (record.type === 'damage') declared.push(record)
      if (record.type !== 'stream') continue
      const { number } = decodeDescriptor(record.descriptor)
      if ((await treeOf(number)) === undefined) await index.addStream(number, record.descriptor)
    }
  }

  async function onSeal(row: number, seal: SealRow): Promise<void> {
    if ((await index.sealRow(seal.seq)) !== row) await index.addSeal(row, seal)
    if ((await of.copies.get(row)).kind !== 'seal') {
      await of.copies.put({ number: row, kind: 'seal', body: encodeSealRow(seal) }, false)
    }
    for (const segment of seal.segments) {
      const tree = await treeOf(segment.stream)
      if (tree) segments.seal(tree, segment)
    }
    for (const { number, size, frontier } of seal.snapshot?.streams ?? []) {
      const tree = await treeOf(number)
      if (tree) tree.sealed = frontierOf(size, frontier) ?? tree.sealed
    }
  }

  async function onRow(row: Row): Promise<void> {
    if (row.kind === 'seal') return onSeal(row.number, decodeSealRow(row.body))
    const frame = row.kind === 'frame' ? decodeFrame(row.body) : undefined
    for (const [stream, leaves] of frame ? segments.add(frame) : []) {
      if (stream === controlStream.number) await onControl(leaves)
    }
  }

  for await (const row of rowsOf(of, 0, endRow)) {
    if (signal?.aborted) break
    if (row.kind === 'damaged') damagedRows.push(row.number)
    else await onRow(row)
    await pace(row.body.length)
  }
  return {
    damage: undeclared(segments.damage(), declared),
    damagedRows,
    damagedTables,
  }
}
