/**
 * The journal's rows in LevelDB, numbered without holes. LevelDB alone notices neither a flipped bit nor a lost
 * table, so each row carries its number and a check, and whoever reads finds out what is not there.
 */
import { crc32 } from 'node:zlib'
import { Level } from 'level'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

export const rowKinds = { frame: 1, seal: 2, signature: 3 } as const
export type RowKind = keyof typeof rowKinds

export interface Row {
  readonly number: number
  readonly kind: RowKind
  readonly body: Uint8Array
}

/** A row that should be there: its bytes as far as they are, for whoever salvages. */
export interface DamagedRow {
  readonly number: number
  readonly kind: 'damaged'
  readonly body: Uint8Array
}

export interface RowStore extends AsyncDisposable {
  /** Resolves once the row is on the disk; without `sync` it may come there with the next one. */
  put(row: Row, sync: boolean): Promise<void>
  get(number: number): Promise<Row | DamagedRow>
  /** Rows [from, to) in order, missing ones as damaged. */
  rows(from: number, to: number): AsyncGenerator<Row | DamagedRow, void>
  /** Numbers there are, highest first: where the journal ends. */
  highest(): Promise<number | null>
  /** About how much of the disk it takes. */
  bytes(): Promise<number>
}

export async function openRowStore(folder: string, mayCreate: boolean): Promise<RowStore> {
  const db = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: mayCreate,
    writeBufferSize: 4 * 1024 * 1024,
    cacheSize: 2 * 1024 * 1024,
  })
  await db.open().catch((error) => {
    throw unopened(folder, error)
  })
  return {
    put: ({ number, kind, body }, sync) =>
      db.put(keyOf(number), encodeRow(number, kind, body), { sync } as object),
    async get(number) {
      return decodeRow(number, await db.get(keyOf(number)))
    },
    async *rows(from, to) {
      const iterator = db.iterator({
        gte: keyOf(from),
        lt: keyOf(to),
        highWaterMarkBytes: 1024 * 1024,
      } as object)
      try {
        let expected = from
        for (;;) {
          const entries = await iterator.nextv(64)
          if (entries.length === 0) break
          for (const [key, value] of entries) {
            const number = numberOf(key)
            while (expected < number) yield missing(expected++)
            if (number < expected) continue
            yield decodeRow(number, value)
            expected = number + 1
          }
        }
        while (expected < to) yield missing(expected++)
      } finally {
        await iterator.close()
      }
    },
    async highest() {
      for await (const key of db.keys({ reverse: true, limit: 1 })) return numberOf(key)
      return null
    },
    async bytes() {
      const range = db as unknown as {
        approximateSize(a: Uint8Array, b: Uint8Array): Promise<number>
      }
      return range.approximateSize(keyOf(0), keyOf(Number.MAX_SAFE_INTEGER))
    },
    [Symbol.asyncDispose]: () => db.close(),
  }
}

const missing = (number: number): DamagedRow => ({
  number,
  kind: 'damaged',
  body: new Uint8Array(),
})

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8)
  new DataView(key.buffer).setBigUint64(0, BigInt(number))
  return key
}

function numberOf(key: Uint8Array): number {
  if (key.length !== 8) return Number.MAX_SAFE_INTEGER
  return Number(new DataView(key.buffer, key.byteOffset).getBigUint64(0))
}

export function encodeRow(number: number, kind: RowKind, body: Uint8Array): Uint8Array {
  const value = new Uint8Array(body.length + 5)
  value[0] = rowKinds[kind]
  value.set(body, 1)
  new DataView(value.buffer).setUint32(body.length + 1, checkOf(number, value.subarray(0, -4)))
  return value
}

/** The number is part of what is checked: no row can stand in another's place. */
const checkOf = (number: number, bytes: Uint8Array): number => crc32(bytes, crc32(keyOf(number)))

export function decodeRow(number: number, value: Uint8Array | undefined): Row | DamagedRow {
  if (value === undefined || value.length < 5) return missing(number)
  const body = value.subarray(1, -4)
  const kind = kindOf(value[0] as number)
  const check = new DataView(value.buffer, value.byteOffset).getUint32(value.length - 4)
  const isWhole = kind !== undefined && check === checkOf(number, value.subarray(0, -4))
  return isWhole ? { number, kind, body } : { number, kind: 'damaged', body }
}

const kindOf = (code: number): RowKind | undefined =>
  (Object.keys(rowKinds) as RowKind[]).find((kind) => rowKinds[kind] === code)

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
