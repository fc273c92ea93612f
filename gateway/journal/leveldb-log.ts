/**
 * LevelDB's log format, read without LevelDB: what fails its check it drops without a word, and more around it.
 * Blocks of 32 KiB hold chunks of check (4), length (2) and type (1): a whole record, or its first, middle, last.
 */
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { crc32c, masked } from './crc32c.ts'

interface LogRecord {
  readonly bytes: Uint8Array
  /** Every check in it holds. */
  readonly isWhole: boolean
}

interface Chunk {
  /** Null where it cannot be believed. */
  readonly type: number | null
  readonly bytes: Uint8Array
}

const blockBytes = 32 * 1024
const headerBytes = 7
const types = { whole: 1, first: 2, middle: 3, last: 4 } as const

/** All that can be told from each other, also what is not as it was written. */
export function readLog(bytes: Uint8Array): LogRecord[] {
  const chunks: Chunk[] = []
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes)
    // Room that was never written, as a power cut leaves it behind.
    if (chunks.length > 0 && isZero(bytes.subarray(at))) break
    chunks.push(...chunksOf(block, at + block.length === bytes.length))
  }
  return joined(chunks)
}

function chunksOf(block: Uint8Array, isLast: boolean): Chunk[] {
  const chunks: Chunk[] = []
  for (let at = 0; at + headerBytes <= block.length; ) {
    const length = wholeAt(block, at)
    if (length >= 0) {
      const end = at + headerBytes + length
      chunks.push({ type: block[at + 6] as number, bytes: block.subarray(at + headerBytes, end) })
      at = end
      continue
    }
    if (isLast && isZero(block.subarray(at))) break
    // The length may be what is wrong: the next chunk is where its check says so.
    let next = at + 1
    while (next < block.length && wholeAt(block, next) < 0) next += 1
    chunks.push({ type: null, bytes: block.subarray(at + headerBytes, next) })
    at = next
  }
  return chunks
}

/** The length of the chunk that begins here, or -1 where there is none. */
function wholeAt(block: Uint8Array, at: number): number {
  const type = block[at + 6]
  if (type === undefined || type < types.whole || type > types.last) return -1
  const view = new DataView(block.buffer, block.byteOffset + at)
  const length = view.getUint16(4, true)
  const end = at + headerBytes + length
  if (end > block.length) return -1
  return view.getUint32(0, true) === masked(crc32c(block, at + 6, end)) ? length : -1
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** Chunks to records. What a doubtful one is follows from those around it. */
function joined(chunks: readonly Chunk[]): LogRecord[] {
  const records: LogRecord[] = []
  let parts: Chunk[] = []
  const end = (isWhole: boolean) => {
    if (parts.length === 0) return
    const bytes = parts.length === 1 ? (parts[0] as Chunk).bytes : concat(...parts.map(bytesOf))
    records.push({ bytes, isWhole: isWhole && parts.every(({ type }) => type !== null) })
    parts = []
  }
  for (const [i, chunk] of chunks.entries()) {
    const after = chunks[i + 1]?.type
    const goesOn = after === types.middle || after === types.last
    const type =
      chunk.type ??
      (parts.length > 0 ? (goesOn ? types.middle : types.last) : goesOn ? types.first : types.whole)
    if (type === types.whole || type === types.first) end(false)
    parts.push(chunk)
    if (type === types.whole) end(true)
    if (type === types.last) end(parts.length > 1)
  }
  end(false)
  return records
}

const bytesOf = ({ bytes }: Chunk): Uint8Array => bytes
