/**
 * The rows in LevelDB's own files, whatever else in these is wrong. In its log each was put with one batch of its
 * own (sequence 8, count 4, then tag, key, value).
 */
import { decodeFrameHead } from './frame.ts'
import { readLog } from './leveldb-log.ts'
import { readTable } from './leveldb-table.ts'
import { type DamagedRow, decodeRow, numberOf, type Row } from './row.ts'
import type { RunHead } from './run-heads.ts'
import { readVarint, varintBytes } from './varint.ts'

export interface SavedRows {
  /** Whose own check holds, whatever LevelDB's says. */
  readonly rows: readonly Row[]
  /** What the rest held, as far as it is known. */
  readonly heads: ReadonlyMap<number, readonly RunHead[]>
}

interface LogRows extends SavedRows {
  /** The highest row in a record that is whole, or -1. */
  readonly lastWhole: number
  /** Something in it is not as it was written, and something whole follows. */
  readonly isDamaged: boolean
  /** It ends with what is not whole: a write that was not finished, or damage. */
  readonly isTorn: boolean
}

const keyAt = 14
const valueLengthAt = keyAt + 8

export function rowsInLog(bytes: Uint8Array): LogRows {
  const rows: Row[] = []
  const heads = new Map<number, readonly RunHead[]>()
  let lastWhole = -1
  let doubtful = 0
  let isDamaged = false
  for (const { bytes: batch, isWhole } of readLog(bytes)) {
    const row = rowIn(batch, rows.at(-1)?.number)
    if (row) sort(row, rows, heads)
    if (!isWhole) doubtful += 1
    else {
      if (doubtful > 0) isDamaged = true
      doubtful = 0
      lastWhole = Math.max(lastWhole, row?.number ?? -1)
    }
  }
  return { rows, heads, lastWhole, isDamaged, isTorn: doubtful > 0 }
}

export function rowsInTable(bytes: Uint8Array): SavedRows {
  const rows: Row[] = []
  const heads = new Map<number, readonly RunHead[]>()
  for (const { key, value } of readTable(bytes).entries()) {
    if (key.length === 16) sort(decodeRow(numberOf(key.subarray(0, 8)), value), rows, heads)
  }
  return { rows, heads }
}

function sort(row: Row | DamagedRow, rows: Row[], heads: Map<number, readonly RunHead[]>): void {
  if (row.kind !== 'damaged') rows.push(row)
  else {
    const head = decodeFrameHead(row.body)
    if (head) heads.set(row.number, head.runs)
  }
}

/** The fixed places of a batch of one: where a length or the key is wrong, its row may still be right. */
function rowIn(batch: Uint8Array, before: number | undefined) {
  if (batch.length < valueLengthAt + 1) return undefined
  const number = numberOf(batch.subarray(keyAt, valueLengthAt))
  const value = valueIn(batch)
  const row = decodeRow(number, value)
  if (row.kind !== 'damaged' || before === undefined) return row
  const next = decodeRow(before + 1, value)
  return next.kind === 'damaged' ? row : next
}

/** It goes to the end of the batch: how long it is need not be believed. */
function valueIn(batch: Uint8Array): Uint8Array {
  const said = { bytes: batch, at: valueLengthAt }
  if (readVarint(said) === batch.length - said.at) return batch.subarray(said.at)
  const rest = batch.length - valueLengthAt
  for (let bytes = 1; bytes <= 5; bytes++) {
    if (varintBytes(rest - bytes) === bytes) return batch.subarray(valueLengthAt + bytes)
  }
  return batch.subarray(valueLengthAt + 1)
}
