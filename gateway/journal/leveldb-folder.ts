/**
 * A LevelDB's folder, looked at before LevelDB is let in: it makes a store anew where files are missing, and goes
 * back to an older state where its manifest is cut, without a word about either.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { readLog } from './leveldb-log.ts'
import { readTable } from './leveldb-table.ts'
import { readVarint } from './varint.ts'

interface LogFile {
  readonly name: string
  readonly bytes: Uint8Array
}

interface TableFile {
  readonly name: string
  readonly length: number
  /** Keys as LevelDB has them, with 8 bytes of its own. */
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
}

export interface LevelFolder {
  /** The logs that LevelDB is going to read, oldest first. */
  readonly logs: readonly LogFile[]
  /** Newest first. */
  readonly tables: readonly TableFile[]
}

/** Throws where files are missing that should be there. */
export async function inspectFolder(folder: string, mayCreate: boolean): Promise<LevelFolder> {
  const names = await readdir(folder).catch(() => [] as string[])
  const ours = names.filter((name) => /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/.test(name))
  const isThere = (name: string) => ours.includes(name)
  // A manifest alone is what a beginning that was cut off leaves behind.
  const isNew = !isThere('CURRENT') && ours.every((name) => name.startsWith('MANIFEST'))
  if (mayCreate && isNew) return { logs: [], tables: [] }
  if (!isThere('CURRENT')) throw incomplete(folder, 'CURRENT')
  const manifest = (await readFile(join(folder, 'CURRENT'), 'utf8')).trimEnd()
  if (!/^MANIFEST-\d+$/.test(manifest)) throw unreadable(folder, 'CURRENT')
  if (!isThere(manifest)) throw incomplete(folder, manifest)
  const { tables, log } = await readManifest(folder, manifest)
  for (const { name } of tables) if (!isThere(name)) throw incomplete(folder, name)
  const oldest = `${numbered(log)}.log`
  // The log that the manifest names is only taken away once the manifest names a newer one.
  if (log > 0 && !isThere(oldest)) throw incomplete(folder, oldest)
  const logs: LogFile[] = []
  for (const name of ours.filter((of) => of.endsWith('.log')).toSorted(byNumber)) {
    if (Number.parseInt(name, 10) < log) continue
    logs.push({ name, bytes: Uint8Array.from(await readFile(join(folder, name))) })
  }
  return { logs, tables: tables.toSorted((a, b) => byNumber(b.name, a.name)) }
}

const numbered = (number: number): string => String(number).padStart(6, '0')

/** False where a table is not as it was written; gone since is well: LevelDB takes away what it has merged. */
export async function isTableWhole(folder: string, { name, length }: TableFile): Promise<boolean> {
  const bytes = await readFile(join(folder, name)).catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes === undefined) return true
  return bytes.length === length && readTable(Uint8Array.from(bytes)).isWhole
}

const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10)

/** The tables that belong to the store, and the oldest log that is not in them. */
async function readManifest(folder: string, name: string) {
  const tables = new Map<number, TableFile>()
  let log = 0
  const records = readLog(Uint8Array.from(await readFile(join(folder, name))))
  if (records.length === 0) throw unreadable(folder, name)
  for (const [i, { bytes, isWhole }] of records.entries()) {
    // An edit that was not finished: what it would have said is not so yet.
    if (!isWhole && i === records.length - 1 && i > 0) break
    const edit = isWhole ? readEdit(bytes) : undefined
    if (edit === undefined) throw unreadable(folder, name)
    log = edit.log ?? log
    for (const number of edit.gone) tables.delete(number)
    for (const [number, table] of edit.added) tables.set(number, table)
  }
  return { tables: Array.from(tables.values()), log }
}

const tags = {
  comparator: 1,
  log: 2,
  next: 3,
  sequence: 4,
  pointer: 5,
  gone: 6,
  added: 7,
  before: 9,
}

function readEdit(bytes: Uint8Array) {
  const reader = { bytes, at: 0 }
  const number = () => readVarint(reader)
  const text = () => {
    const length = number()
    reader.at += length
    return bytes.subarray(reader.at - length, reader.at)
  }
  const edit: { log?: number; gone: number[]; added: [number, TableFile][] } = {
    gone: [],
    added: [],
  }
  while (reader.at < bytes.length) {
    const tag = number()
    if (tag === tags.comparator) text()
    else if (tag === tags.log) edit.log = number()
    else if (tag === tags.next || tag === tags.sequence || tag === tags.before) number()
    else if (tag === tags.pointer) {
      number()
      text()
    } else if (tag === tags.gone) {
      number()
      edit.gone.push(number())
    } else if (tag === tags.added) {
      number()
      const name = number()
      const table = { length: number(), smallest: text(), largest: text() }
      edit.added.push([name, { name: `${numbered(name)}.ldb`, ...table }])
    } else return undefined
  }
  return reader.at === bytes.length ? edit : undefined
}

const hint = 'Nothing was changed. Bring back what is missing, or a backup (kedge store restore).'

const incomplete = (folder: string, what: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${what} is missing in ${folder}`, { hint })

const unreadable = (folder: string, name: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${join(folder, name)} is damaged`, { hint })
