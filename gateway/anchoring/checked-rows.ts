/**
 * Rows of a small LevelDB, each fsynced, with a version and a check that binds its key and its owner: LevelDB
 * itself notices neither a flipped bit nor a row that stands in another's place.
 */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Level } from 'level'
import { concat, u32 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { inspectFolder, isTableWhole } from '../journal/leveldb-folder.ts'

export interface CheckedRow {
  readonly key: Uint8Array
  /** Null where what stands there is not what was written. */
  readonly body: Uint8Array | null
}

export interface CheckedRows extends AsyncDisposable {
  /** All of them or none; resolves once they are on the disk. A null body takes the row away. */
  write(rows: readonly CheckedRow[]): Promise<void>
  get(key: Uint8Array): Promise<CheckedRow | undefined>
  /** Rows whose keys begin with `prefix` and, with it, lie in [from, to); ascending unless asked otherwise. */
  rows(prefix: Uint8Array, range?: RowRange): AsyncGenerator<CheckedRow, void>
}

interface RowRange {
  readonly from?: Uint8Array
  readonly to?: Uint8Array
  readonly reverse?: boolean
}

const version = 1

export async function openCheckedRows(
  folder: string,
  owner: Uint8Array,
  mayCreate: boolean,
): Promise<CheckedRows> {
  if (!mayCreate) await access(join(folder, 'CURRENT')).catch((cause) => missing(folder, cause))
  // A table with a flipped bit ends the process when LevelDB reads it.
  for (const table of (await inspectFolder(folder, mayCreate)).tables) {
    if (!(await isTableWhole(folder, table))) throw damaged(folder, table.name)
  }
  const db = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: mayCreate,
    writeBufferSize: 256 * 1024,
    cacheSize: 256 * 1024,
  })
  await db.open().catch((cause) => unopened(folder, cause))
  let isBroken = false
  // LevelDB writes nothing more after a write that failed, until it is opened again.
  const mend = async (): Promise<void> => {
    await db.close()
    await db.open()
    isBroken = false
  }
  const check = (key: Uint8Array, body: Uint8Array): number => crc32(body, crc32(key, crc32(owner)))

  const encodeRow = (key: Uint8Array, body: Uint8Array): Uint8Array => {
    const versioned = concat(Uint8Array.of(version), body)
    return concat(versioned, u32(check(key, versioned)))
  }
  const decodeRow = (key: Uint8Array, value: Uint8Array): CheckedRow => {
    // A copy, as what LevelDB hands out is a view of something larger.
    const row = Uint8Array.from(value)
    const versioned = row.subarray(0, -4)
    const isWhole =
      row.length >= 5 &&
      row[0] === version &&
      new DataView(row.buffer).getUint32(row.length - 4) === check(key, versioned)
    return { key, body: isWhole ? versioned.subarray(1) : null }
  }

  return {
    async write(rows) {
      const changes = rows.map(({ key, body }) =>
        body === null
          ? ({ type: 'del', key } as const)
          : ({ type: 'put', key, value: encodeRow(key, body) } as const),
      )
      try {
        if (isBroken) await mend()
        await db.batch(changes, { sync: true } as object)
      } catch (cause) {
        isBroken = true
        unwritten(folder, cause)
      }
    },
    async get(key) {
      const value = await db.get(key)
      return value === undefined ? undefined : decodeRow(key, value)
    },
    async *rows(prefix, { from, to, reverse = false } = {}) {
      const gte = concat(prefix, from ?? new Uint8Array())
      const lt = concat(prefix, to ?? new Uint8Array(64).fill(0xff))
      for await (const [key, value] of db.iterator({ gte, lt, reverse })) {
        yield decodeRow(Uint8Array.from(key), value)
      }
    },
    [Symbol.asyncDispose]: () => db.close(),
  }
}

/** Undefined for what was never written so, although its check holds: another version's, for instance. */
export function decoded<T>(
  body: Uint8Array | null,
  decode: (bytes: Uint8Array) => T,
): T | undefined {
  if (body === null) return undefined
  try {
    return decode(body)
  } catch (error) {
    if (error instanceof KedgeError) return undefined
    throw error
  }
}

function missing(folder: string, cause: unknown): never {
  throw new KedgeError('STORE_MISSING', `there is no store of anchors in ${folder}`, {
    hint: 'Bring back the folder.',
    cause,
  })
}

function unopened(folder: string, error: unknown): never {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  if (cause?.code === 'LEVEL_LOCKED') {
    throw new KedgeError('STORE_IN_USE', `another process holds ${folder}`, { cause: error })
  }
  const why = cause?.message ?? (error as Error).message
  throw new KedgeError('STORE_DAMAGED', `cannot open ${folder}: ${why}`, {
    hint: 'Nothing was changed. Bring back the files that are missing.',
    cause: error,
  })
}

const damaged = (folder: string, name: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${join(folder, name)} is damaged`, {
    hint: 'Bring back the folder from a backup.',
  })

function unwritten(folder: string, cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new KedgeError('STORE_FAILED', `cannot write ${folder}: ${why}`, {
    cause,
    hint: 'Make room on the disk. It is tried again.',
  })
}
