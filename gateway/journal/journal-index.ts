/**
 * Where in the journal a stream's leaves were sealed. Derived from the journal alone: whatever is wrong with it,
 * it is thrown away and made again, and nothing waits for it to be on the disk.
 */
import { rm } from 'node:fs/promises'
import { Level } from 'level'
import { u32, u64 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import type { Frame } from './frame.ts'
import { inspectFolder, isTableWhole } from './leveldb-folder.ts'
import { readLog } from './leveldb-log.ts'
import type { SealRow } from './seal-row.ts'

export interface JournalIndex extends AsyncDisposable {
  addSeal(row: number, seal: SealRow): Promise<void>
  addStream(number: number, descriptor: Uint8Array): Promise<void>
  /** The rows before this one are in it. */
  readonly progress: number
  /** Streams that were made known and never opened. */
  forgetStreams(from: number): Promise<void>
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

export async function openJournalIndex(folder: string): Promise<JournalIndex> {
  const db = await openOrMakeAnew(folder)
  const progressKey = keyOf('p')
  let progress = numberIn(await db.get(progressKey)) ?? 0
  return {
    get progress() {
      return progress
    },
    async addSeal(row, { seq, segments }) {
      const batch = db.batch()
      for (const { stream, size } of segments)
        batch.put(keyOf('s', u32(stream), u64(size)), u64(row))
      batch.put(keyOf('q', u64(seq)), u64(row))
      progress = Math.max(progress, row + 1)
      batch.put(progressKey, u64(progress))
      await batch.write()
    },
    addStream: (number, descriptor) => db.put(keyOf('d', u32(number)), descriptor),
    forgetStreams: (from) => db.clear({ gte: keyOf('d', u32(from)), lt: keyOf('e') }),
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
  // LevelDB opens itself as soon as there is one: not before it is known what it would find.
  const opened = async () => {
    const db = new Level<Uint8Array, Uint8Array>(folder, options)
    await db.open()
    return db
  }
  if (!(await isDamaged(folder))) {
    try {
      return await opened()
    } catch (error) {
      if (isLocked(error)) throw error
    }
  }
  await rm(folder, { recursive: true, force: true })
  return opened()
}

const isLocked = (error: unknown): boolean =>
  (error as { cause?: { code?: string } }).cause?.code === 'LEVEL_LOCKED'

async function isDamaged(folder: string): Promise<boolean> {
  const found = await inspectFolder(folder, true).catch((error) => {
    if (error instanceof KedgeError) return undefined
    throw error
  })
  // What LevelDB would drop in the middle would be missed by nobody.
  if (found === undefined) return true
  const { logs, tables } = found
  for (const { bytes } of logs) {
    const records = readLog(bytes)
    const firstDoubtful = records.findIndex(({ isWhole }) => !isWhole)
    // What is not whole at the end is a write that was not finished.
    if (firstDoubtful >= 0 && records.slice(firstDoubtful).some((of) => of.isWhole)) return true
  }
  for (const table of tables) if (!(await isTableWhole(folder, table))) return true
  return false
}

function keyOf(prefix: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat([Buffer.from(prefix), ...parts]))
}

const numberIn = (value: Uint8Array | undefined): number | undefined =>
  value?.length === 8
    ? Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0))
    : undefined
