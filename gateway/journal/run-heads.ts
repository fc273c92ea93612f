/** Which indices of which streams were given away, and the check that stands behind: in frames and in the tail. */
import { crc32 } from 'node:zlib'
import { type Reader, readVarint, type Writer, writeVarint } from './varint.ts'

export interface RunHead {
  readonly stream: number
  readonly start: number
  readonly count: number
}

export function writeRunHeads(writer: Writer, runs: readonly RunHead[]): void {
  writeVarint(writer, runs.length)
  for (const { stream, start, count } of runs) {
    writeVarint(writer, stream)
    writeVarint(writer, start)
    writeVarint(writer, count)
  }
}

export const readRunHead = (reader: Reader): RunHead => ({
  stream: readVarint(reader),
  start: readVarint(reader),
  count: readVarint(reader),
})

export const checkBytes = 4

/** Of all that was written so far. */
export function writeCheck(writer: Writer): void {
  const check = crc32(writer.bytes.subarray(0, writer.at))
  new DataView(writer.bytes.buffer).setUint32(writer.at, check)
  writer.at += checkBytes
}

/** Whether the check of all that was read since `from` follows. */
export function readCheck(reader: Reader, from: number): boolean {
  const { bytes, at } = reader
  if (at + checkBytes > bytes.length) return false
  const said = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
  if (said !== crc32(bytes.subarray(from, at))) return false
  reader.at += checkBytes
  return true
}
