/**
 * What the rows since the last seal held, a second time, in a file of its own: should they be gone, it is known
 * which indices they gave away. It is never fsynced: a process that is killed leaves it whole, and what a power
 * cut takes of it is named by the rows themselves.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { kindOf, type RowKind, rowKinds } from './row.ts'
import {
  checkBytes,
  type RunHead,
  readCheck,
  readRunHead,
  writeCheck,
  writeRunHeads,
} from './run-heads.ts'
import { maxVarintBytes, type Reader, readVarint, type Writer, writeVarint } from './varint.ts'

export interface TailRow {
  readonly kind: RowKind
  /** Of a frame. */
  readonly runs: readonly RunHead[]
}

export interface Tail extends AsyncDisposable {
  /** As it was found on open, by row number. */
  readonly found: ReadonlyMap<number, TailRow>
  /** To be called when the row is on the disk, in order. */
  add(number: number, row: TailRow): void
}

/** Sealed rows are named by their seals: from this length on the file is begun anew with the next one. */
const longBytes = 64 * 1024

export function openTail(path: string): Tail {
  const file = openOrRefuse(path)
  const { found, bytes } = readRows(readFileSync(file))
  let length = bytes
  // What follows was not finished.
  ftruncateSync(file, length)
  let isWell = true

  const empty = () => {
    ftruncateSync(file, 0)
    length = 0
    isWell = true
  }

  return {
    found,
    add(number, row) {
      try {
        if (row.kind === 'seal' && (length > longBytes || !isWell)) empty()
        if (!isWell) return
        const record = encodeRow(number, row)
        if (writeSync(file, record) < record.length) throw new Error('the disk is full')
        length += record.length
      } catch {
        // Only a second witness: what is committed does not fail for it.
        isWell = false
      }
    },
    async [Symbol.asyncDispose]() {
      closeSync(file)
    },
  }
}

function openOrRefuse(path: string): number {
  try {
    return openSync(path, 'a+', 0o600)
  } catch (cause) {
    throw new KedgeError('STORE_MISSING', `there is no store where ${path} should lie`, {
      hint: 'Bring back the folder, or a backup with kedge store restore.',
      cause,
    })
  }
}

function encodeRow(number: number, { kind, runs }: TailRow): Uint8Array {
  const writer: Writer = {
    bytes: new Uint8Array(checkBytes + (3 + 3 * runs.length) * maxVarintBytes),
    at: 0,
  }
  writeVarint(writer, number)
  writeVarint(writer, rowKinds[kind])
  writeRunHeads(writer, runs)
  writeCheck(writer)
  return writer.bytes.subarray(0, writer.at)
}

function readRows(bytes: Uint8Array) {
  const found = new Map<number, TailRow>()
  const reader: Reader = { bytes, at: 0 }
  let whole = 0
  while (reader.at < bytes.length) {
    const number = readVarint(reader)
    const kind = kindOf(readVarint(reader))
    const runs: RunHead[] = []
    for (let left = readVarint(reader); left > 0 && reader.at < bytes.length; left--) {
      runs.push(readRunHead(reader))
    }
    if (kind === undefined || !readCheck(reader, whole)) break
    whole = reader.at
    found.set(number, { kind, runs })
  }
  return { found, bytes: whole }
}
