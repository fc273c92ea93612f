/** Rows as replay and scrub read them: what is damaged in one place is looked for in the others. */
import { decodeFrameHead } from './frame.ts'
import type { JournalIndex } from './journal-index.ts'
import type { DamagedRow, Row } from './row.ts'
import type { RowStore } from './row-store.ts'
import type { RunHead } from './run-heads.ts'
import type { TailRow } from './tail.ts'

export interface RowSource {
  readonly nextRow: number
  get(number: number): Promise<Row | DamagedRow>
  rows(from: number, to: number): AsyncGenerator<Row | DamagedRow, void>
  /** What a damaged row held; null where nobody knows. */
  headOf(number: number, body: Uint8Array): readonly RunHead[] | null
  /** It was no more than a signature, which can be made again. */
  isExpendable(number: number): boolean
  descriptor(stream: number): Promise<Uint8Array | undefined>
}

export interface Copied {
  readonly rows: RowStore
  /** Seals, and heads of frames that are gone. */
  readonly copies: RowStore
}

/** A row, or the copy of it. */
export async function rowOf({ rows, copies }: Copied, number: number): Promise<Row | DamagedRow> {
  const row = await rows.get(number)
  return row.kind === 'damaged' ? copyOf(copies, row) : row
}

export async function* rowsOf(
  { rows, copies }: Copied,
  from: number,
  to: number,
): AsyncGenerator<Row | DamagedRow, void> {
  for await (const row of rows.rows(from, to)) {
    yield row.kind === 'damaged' ? await copyOf(copies, row) : row
  }
}

async function copyOf(copies: RowStore, row: DamagedRow): Promise<Row | DamagedRow> {
  const copy = await copies.get(row.number)
  return copy.kind === 'damaged' ? row : copy
}

export async function rowSource(
  of: Copied,
  index: JournalIndex,
  tail: ReadonlyMap<number, TailRow>,
  heads: ReadonlyMap<number, readonly RunHead[]>,
): Promise<RowSource> {
  const ends = [await of.rows.highest(), await of.copies.highest(), ...tail.keys()]
  return {
    nextRow: ends.reduce<number>((next, row) => Math.max(next, (row ?? -1) + 1), 0),
    get: (number) => rowOf(of, number),
    rows: (from, to) => rowsOf(of, from, to),
    headOf(number, body) {
      const known = tail.get(number)
      if (known) return known.kind === 'seal' ? null : known.runs
      return decodeFrameHead(body)?.runs ?? heads.get(number) ?? null
    },
    isExpendable: (number) => tail.get(number)?.kind === 'signature',
    descriptor: (stream) => index.descriptor(stream),
  }
}
