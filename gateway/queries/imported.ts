/** What earlier imports have left in the store. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import {
  decodeWhole,
  readFixedBytes,
  readText,
  readTuple,
  readUint,
} from '../../anchor-client/evidence/codec.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Reading, Value } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import type { LoggerFile } from '../../drivers/logger-file.ts'
import { streamsNamed } from '../proving/find.ts'
import type { Store } from '../store.ts'

interface Import {
  readonly hash: Uint8Array
  readonly stream: string
  readonly format: string
  readonly readings: number
  readonly refused: number
}

/** Goes on record when an import is whole. */
export const noteOfImport = ({ hash, stream, format, readings, refused }: Import): Uint8Array =>
  encode([hash, stream, format, readings, refused])

const importIn = (bytes: Uint8Array): Import =>
  decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 5, 'an import')
    return {
      hash: readFixedBytes(cursor, 32),
      stream: readText(cursor, 256),
      format: readText(cursor, 256),
      readings: readUint(cursor),
      refused: readUint(cursor),
    }
  })

/** Whether a file was imported whole into this stream. */
export async function isImported(
  { reader }: Store,
  hash: Uint8Array,
  stream: string,
): Promise<boolean> {
  const control = await reader.stream(controlStream.number)
  if (control === undefined) return false
  for await (const { leaf } of reader.leaves(control.number, 0, control.size)) {
    const record = leaf && decodeRecord(leaf.body)
    if (record?.type !== 'note' || record.name !== 'import') continue
    const known = importIn(record.bytes)
    if (known.stream === stream && bytesToHex(known.hash) === bytesToHex(hash)) return true
  }
  return false
}

export interface There {
  /** Of this very file: an import of it was cut off. */
  readonly lines: ReadonlySet<number>
  /** Positions among the readings of this file that an earlier one of the same logger has brought, with the same value. */
  readonly known: ReadonlySet<number>
  /** Lines of this file to which an earlier one has another value. */
  readonly contradicted: ReadonlySet<number>
}

export async function readingsThere(
  { reader, epochs }: Store,
  stream: string,
  hash: Uint8Array,
  { serial, readings }: LoggerFile,
): Promise<There> {
  /** What is stored, by what stands in the file, too. */
  const stored = new Map<string, Set<string>>(
    readings.map(({ time, kind }) => [keyOf(serial, time, kind), new Set()]),
  )
  const lines = new Set<number>()
  const known = new Set<number>()
  const contradicted = new Set<number>()
  const streams = await streamsNamed(reader, epochs, stream).catch((error) => {
    if (error instanceof KedgeError && error.code === 'NOT_FOUND') return []
    throw error
  })
  for (const { number, size } of streams) {
    for await (const { leaf } of reader.leaves(number, 0, size)) {
      const record = leaf && decodeRecord(leaf.body)
      if (record?.type !== 'reading') continue
      const { file, line, logger, time } = marksOf(record)
      if (file !== null && file === bytesToHex(hash)) {
        lines.add(line)
        continue
      }
      stored.get(keyOf(logger, time, record.kind))?.add(JSON.stringify(record.value))
    }
  }
  for (const [i, { time, kind, value, line }] of readings.entries()) {
    const values = stored.get(keyOf(serial, time, kind))
    if (values === undefined || values.size === 0) continue
    if (values.has(JSON.stringify(value))) known.add(i)
    else contradicted.add(line)
  }
  return { lines, known, contradicted }
}

const keyOf = (logger: string | null, time: string, kind: string): string =>
  JSON.stringify([logger, time, kind])

function marksOf({ details }: Reading) {
  const marks = new Map<string, Value>(details ?? [])
  const [file, line, logger, time] = ['file', 'line', 'logger', 'logger-time'].map((name) =>
    marks.get(name),
  )
  return {
    file: file instanceof Uint8Array ? bytesToHex(file) : null,
    line: Array.isArray(line) ? Number(line[0]) : 0,
    logger: typeof logger === 'string' ? logger : null,
    time: typeof time === 'string' ? time : '',
  }
}
