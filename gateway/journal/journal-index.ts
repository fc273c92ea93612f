/**
 * Where in the journal a stream's leaves were sealed. Derived from the journal alone: whatever is wrong with it,
 * it is thrown away and made again, and nothing waits for it to be on the disk.
 */
import { rm } from 'node:fs/promises'
import { Level } from 'level'
import { u32, u64 } from '../../anchor-client/evidence/bytes.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { controlStream, decodeDescriptor } from '../../anchor-client/evidence/stream.ts'
import { decodeFrame, type Frame } from './frame.ts'
import type { RowStore } from './row-store.ts'
import { decodeSealRow, type SealRow } from './seal-row.ts'

export interface JournalIndex extends AsyncDisposable {
  addSeal(row: number, seal: SealRow): Promise<void>
  addStream(number: number, descriptor: Uint8Array): Promise<void>
  /** The row of this seal. */
  sealRow(seq: number): Promise<number | undefined>
  /** Rows of the seals in which the stream reached at least this size, in order. */
  sealsFrom(stream: number, size: number): AsyncGenerator<number, void>
  /** The size at which the stream was sealed last. */
  sealedSize(stream: number): Promise<number>
  /** Every stream there ever was. */
  descriptors(): AsyncGenerator<readonly [number: number, descriptor: Uint8Array], void>
  descriptor(number: number): Promise<Uint8Array | undefined>
}

export async function openJournalIndex(
  folder: string,
  rows: RowStore,
  nextRow: () => number,
): Promise<JournalIndex> {
  const db = await openOrMakeAnew(folder)
  const progressKey = keyOf('p')
  const progress = numberIn(await db.get(progressKey)) ?? 0
  // Ahead of the journal: it belongs to another one.
  if (progress > nextRow()) await db.clear()

  const index: JournalIndex = {
    async addSeal(row, { seq, segments }) {
      const batch = db.batch()
      for (const { stream, size } of segments)
        batch.put(keyOf('s', u32(stream), u64(size)), u64(row))
      batch.put(keyOf('q', u64(seq)), u64(row))
      batch.put(progressKey, u64(row + 1))
      await batch.write()
    },
    addStream: (number, descriptor) => db.put(keyOf('d', u32(number)), descriptor),
    sealRow: async (seq) => numberIn(await db.get(keyOf('q', u64(seq)))),
    async *sealsFrom(stream, size) {
      const range = { gte: keyOf('s', u32(stream), u64(size)), lt: keyOf('s', u32(stream + 1)) }
      for await (const row of db.values(range)) yield numberIn(row) as number
    },
    async sealedSize(stream) {
      const range = { gte: keyOf('s', u32(stream)), lt: keyOf('s', u32(stream + 1)) }
      for await (const key of db.keys({ ...range, reverse: true, limit: 1 })) {
        return numberIn(key.subarray(5)) ?? 0
      }
      return 0
    },
    async *descriptors() {
      for await (const [key, descriptor] of db.iterator({ gte: keyOf('d'), lt: keyOf('e') })) {
        yield [new DataView(key.buffer, key.byteOffset).getUint32(1), descriptor]
      }
    },
    descriptor: (number) => db.get(keyOf('d', u32(number))),
    [Symbol.asyncDispose]: () => db.close(),
  }

  for await (const row of rows.rows(progress > nextRow() ? 0 : progress, nextRow())) {
    if (row.kind === 'seal') await index.addSeal(row.number, decodeSealRow(row.body))
    if (row.kind !== 'frame') continue
    const frame = decodeFrame(row.body)
    if (frame === undefined) continue
    for (const descriptor of streamsOpenedIn(frame)) {
      await index.addStream(decodeDescriptor(descriptor).number, descriptor)
    }
  }
  return index
}

/** The control stream's first leaf opens it, so that every stream is found in this way. */
export function streamsOpenedIn(frame: Frame): Uint8Array[] {
  return frame.runs.flatMap(({ stream }, i) => {
    if (stream !== controlStream.number) return []
    return frame.leavesOf(i).flatMap(({ body }) => {
      const record = decodeRecord(body)
      return record.type === 'stream' ? [record.descriptor] : []
    })
  })
}

async function openOrMakeAnew(folder: string) {
  const options = {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: 256 * 1024,
    cacheSize: 512 * 1024,
  } as const
  const make = () => new Level<Uint8Array, Uint8Array>(folder, options)
  const db = make()
  try {
    await db.open()
    return db
  } catch {
    await db.close().catch(() => undefined)
    await rm(folder, { recursive: true, force: true })
    const anew = make()
    await anew.open()
    return anew
  }
}

function keyOf(prefix: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat([Buffer.from(prefix), ...parts]))
}

const numberIn = (value: Uint8Array | undefined): number | undefined =>
  value?.length === 8
    ? Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0))
    : undefined
