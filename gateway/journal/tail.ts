/**
 * What the rows since the last seal held, a second time, in a file of its own: should they be gone, it is known
 * which indices they gave away. It is never fsynced: a process that is killed leaves it whole, and what a power
 * cut takes of it is named by the rows themselves.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { RunHead } from './frame.ts'
import { kindOf, type RowKind, rowKinds } from './row.ts'
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
    bytes: new Uint8Array((4 + 3 * runs.length) * maxVarintBytes),
    at: 0,
  }
  writeVarint(writer, number)
  writeVarint(writer, rowKinds[kind])
  writeVarint(writer, runs.length)
  for (const { stream, start, count } of runs) {
    writeVarint(writer, stream)
    writeVarint(writer, start)
    writeVarint(writer, count)
  }
  const check = crc32(writer.bytes.subarray(0, writer.at))
  new DataView(writer.bytes.buffer).setUint32(writer.at, check)
  return writer.bytes.subarray(0, writer.at + 4)
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
      runs.push({
        stream: readVarint(reader),
        start: readVarint(reader),
        count: readVarint(reader),
      })
    }
    if (kind === undefined || reader.at + 4 > bytes.length) break
    const check = crc32(bytes.subarray(whole, reader.at))
    const said = new DataView(bytes.buffer, bytes.byteOffset).getUint32(reader.at)
    if (check !== said) break
    reader.at += 4
    whole = reader.at
    found.set(number, { kind, runs })
  }
  return { found, bytes: whole }
}
