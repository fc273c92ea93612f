/**
 * The journal's rows in LevelDB, numbered without holes. LevelDB alone notices neither a flipped bit nor a lost
 * table, so each row carries a check, and whoever reads finds out what is not there.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type DamagedRow, decodeRow, encodeRow, keyOf, numberOf, type Row } from './row.ts'

export interface RowStore extends AsyncDisposable {
  /** Resolves once the row is on the disk; without `sync` it may come there with the next one. */
  put(row: Row, sync: boolean): Promise<void>
  get(number: number): Promise<Row | DamagedRow>
  /** Rows [from, to) in order, missing ones as damaged. */
  rows(from: number, to: number): AsyncGenerator<Row | DamagedRow, void>
  /** The highest number there is, as far as can be seen. */
  highest(): Promise<number | null>
  /** About how much of the disk it takes. */
  bytes(): Promise<number>
}

const usualBufferBytes = 4 * 1024 * 1024

export async function openRowStore(
  folder: string,
  mayCreate: boolean,
  writeBufferSize = usualBufferBytes,
): Promise<RowStore> {
  const db = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: mayCreate,
    writeBufferSize,
    cacheSize: 2 * 1024 * 1024,
  })
  await db.open().catch((error) => {
    throw unopened(folder, error)
  })

  const get: RowStore['get'] = async (number) => {
    // LevelDB finds some of what it cannot get by its key when it goes past it.
    const value = await db.get(keyOf(number)).catch(() => alone(number))
    return decodeRow(number, value)
  }

  async function alone(number: number): Promise<Uint8Array | undefined> {
    const range = { gte: keyOf(number), lt: keyOf(number + 1), limit: 1 }
    const [value] = await db
      .values(range)
      .all()
      .catch(() => [])
    return value
  }

  return {
    put: (row, sync) => db.put(keyOf(row.number), encodeRow(row), { sync } as object),
    get,
    async *rows(from, to) {
      const iterator = db.iterator({
        gte: keyOf(from),
        lt: keyOf(to),
        highWaterMarkBytes: 1024 * 1024,
      } as object)
      let expected = from
      try {
        for (;;) {
          // Of damage in a table LevelDB tells at the end, and keeps back what it read last.
          const entries = await iterator.nextv(64).catch(() => [])
          if (entries.length === 0) break
          for (const [key, value] of entries) {
            const number = numberOf(key)
            if (number < expected || number >= to) continue
            while (expected < number) yield get(expected++)
            yield decodeRow(number, value)
            expected = number + 1
          }
        }
        while (expected < to) yield get(expected++)
      } finally {
        await iterator.close()
      }
    },
    async highest() {
      const [key] = await db
        .keys({ reverse: true, limit: 1 })
        .all()
        .catch(() => [])
      return key ? numberOf(key) : null
    },
    async bytes() {
      let bytes = 0
      for (const name of await readdir(folder)) {
        // A file may go while we look.
        bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0
      }
      return bytes
    },
    [Symbol.asyncDispose]: () => db.close(),
  }
}

function unopened(folder: string, error: unknown): KedgeError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  if (cause?.code === 'LEVEL_LOCKED') {
    return new KedgeError('STORE_IN_USE', `another process holds ${folder}`, { cause: error })
  }
  return new KedgeError(
    'STORE_DAMAGED',
    `cannot open ${folder}: ${cause?.message ?? (error as Error).message}`,
    {
      hint: 'Nothing was changed. Bring back a backup (kedge store restore), or the files that are missing.',
      cause: error,
    },
  )
}
