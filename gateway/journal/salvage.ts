/**
 * What LevelDB would drop of its log without a word, and what could end it in its tables, is read before it is let
 * in, laid aside, and put back after: rows whose own check holds are lost to nobody, and of the others it is known
 * what they held.
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isThere, writeWhole } from '../whole-files.ts'
import { inspectFolder, isTableWhole, type LevelFolder } from './leveldb-folder.ts'
import { emptyTable } from './leveldb-table.ts'
import { openRowStore, type RowStore } from './row-store.ts'
import type { RunHead } from './run-heads.ts'
import { rowsInLog, rowsInTable, type SavedRows } from './saved-rows.ts'

interface Salvaged {
  readonly rows: RowStore
  /** Of rows that are gone, as far as their own bytes tell. */
  readonly heads: ReadonlyMap<number, readonly RunHead[]>
  /** Something was damaged. */
  readonly isMended: boolean
  /** A table was found damaged while it is in use: the next open looks at all of them. */
  distrust(): void
}

const pendingEnd = '.pending'
/** So much of the newest tables is looked at on every open. */
const checkedBytes = 32 * 1024 * 1024

/** @param lastRow the last row that another witness saw on the disk, or -1 */
export async function openSalvaged(
  folder: string,
  mayCreate: boolean,
  lastRow: number,
  bufferBytes?: number,
): Promise<Salvaged> {
  const inUse = `${folder}.in-use`
  // LevelDB ends the process over some damage: after any bad end everything is looked at.
  const endedBadly = await isThere(inUse)
  const found = await inspectFolder(folder, mayCreate)
  const aside = join(dirname(folder), 'damaged', basename(folder))
  const isSuspect = (await layLogsAside(found, aside, lastRow)) || endedBadly
  await layTablesAside(folder, found, aside, isSuspect ? Number.POSITIVE_INFINITY : checkedBytes)
  const pending = (await readdir(aside).catch(() => [] as string[])).filter((name) =>
    name.endsWith(pendingEnd),
  )
  const rows = await openRowStore(folder, mayCreate, bufferBytes)
  const heads = new Map<number, readonly RunHead[]>()
  let isTrusted = true
  try {
    await writeWhole(inUse, new Uint8Array())
    for (const name of pending) {
      const saved = savedIn(name, Uint8Array.from(await readFile(join(aside, name))))
      await putBack(rows, saved)
      for (const [number, runs] of saved.heads) heads.set(number, runs)
    }
    for (const name of pending) await done(aside, name)
  } catch (error) {
    await rows[Symbol.asyncDispose]()
    throw error
  }
  return {
    heads,
    isMended: pending.length > 0,
    distrust() {
      isTrusted = false
    },
    rows: {
      ...rows,
      async [Symbol.asyncDispose]() {
        await rows[Symbol.asyncDispose]()
        if (isTrusted) await rm(inUse, { force: true })
      },
    },
  }
}

async function layLogsAside(
  { logs }: LevelFolder,
  aside: string,
  lastRow: number,
): Promise<boolean> {
  let isLaid = false
  for (const [i, { name, bytes }] of logs.entries()) {
    const { isDamaged, isTorn, lastWhole } = rowsInLog(bytes)
    // A write that was not finished was acknowledged to nobody, unless someone saw it on the disk.
    const isUnfinished = i === logs.length - 1 && lastWhole >= lastRow
    if (!isDamaged && (!isTorn || isUnfinished)) continue
    await mkdir(aside, { recursive: true, mode: 0o700 })
    await writeWhole(join(aside, `${name}${pendingEnd}`), bytes)
    isLaid = true
  }
  return isLaid
}

/** In its place LevelDB gets a table of the same length with nothing in it. */
async function layTablesAside(
  folder: string,
  { tables }: LevelFolder,
  aside: string,
  mostBytes: number,
): Promise<void> {
  let bytes = 0
  let isWell = true
  for (const table of tables) {
    bytes += table.length
    // Where one is damaged others may be.
    if (isWell && bytes > mostBytes) break
    if (await isTableWhole(folder, table)) continue
    isWell = false
    await mkdir(aside, { recursive: true, mode: 0o700 })
    const path = join(folder, table.name)
    await writeWhole(join(aside, `${table.name}${pendingEnd}`), await readFile(path))
    await writeWhole(path, emptyTable(table.length, table))
  }
}

const savedIn = (name: string, bytes: Uint8Array): SavedRows =>
  name.endsWith(`.log${pendingEnd}`) ? rowsInLog(bytes) : rowsInTable(bytes)

async function putBack(rows: RowStore, saved: SavedRows): Promise<void> {
  const missing = []
  for (const row of saved.rows) {
    if ((await rows.get(row.number)).kind === 'damaged') missing.push(row)
  }
  for (const [i, row] of missing.entries()) await rows.put(row, i === missing.length - 1)
}

/** What is damaged stays for whoever wants to look at it. */
async function done(folder: string, name: string): Promise<void> {
  const plain = name.slice(0, -pendingEnd.length)
  const taken = await readdir(folder)
  let free = plain
  for (let i = 2; taken.includes(free); i++) free = `${plain}.${i}`
  await rename(join(folder, name), join(folder, free))
}
