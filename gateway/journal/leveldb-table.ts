/**
 * LevelDB's table files, read without LevelDB: it takes their blocks unchecked, and a wrong byte in one can end the
 * whole process. A file is blocks (bytes, kind, check), an index of them, and a footer that says where that lies.
 */
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { crc32c, lengthByCheck, masked } from './crc32c.ts'
import { unsnap } from './snappy.ts'
import { readVarint, type Writer, writeVarint } from './varint.ts'

interface TableEntry {
  /** As LevelDB has it: the key, and 8 bytes of its own. */
  readonly key: Uint8Array
  readonly value: Uint8Array
}

interface Table {
  readonly isWhole: boolean
  /** What can be told of it; of damaged blocks too, whatever that is worth. */
  entries(): Iterable<TableEntry>
}

interface Handle {
  readonly at: number
  readonly length: number
}

const footerBytes = 48
const trailerBytes = 5
const magic = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb)

export function readTable(bytes: Uint8Array): Table {
  const footer = readFooter(bytes)
  const index = footer && isChecked(bytes, footer.index) ? blockAt(bytes, footer.index) : undefined
  const listed = index && Array.from(entriesIn(index), ({ value }) => handleIn(value))
  const blocks = listed?.every((of) => of !== undefined) ? (listed as Handle[]) : undefined
  const others = footer ? [footer.meta, ...filters(bytes, footer.meta)] : []
  const isWhole =
    blocks?.every((of) => isChecked(bytes, of)) === true &&
    others.every((of) => isChecked(bytes, of))
  return {
    isWhole,
    *entries() {
      for (const handle of blocks ?? foundBlocks(bytes)) {
        const block = blockAt(bytes, handle)
        if (block) yield* entriesIn(block)
      }
    },
  }
}

function readFooter(bytes: Uint8Array): { meta: Handle; index: Handle } | undefined {
  if (bytes.length < footerBytes) return undefined
  const reader = { bytes, at: bytes.length - footerBytes }
  if (!magic.every((byte, i) => byte === bytes[bytes.length - 8 + i])) return undefined
  const handle = (): Handle => ({ at: readVarint(reader), length: readVarint(reader) })
  return { meta: handle(), index: handle() }
}

function handleIn(value: Uint8Array): Handle | undefined {
  const reader = { bytes: value, at: 0 }
  const handle = { at: readVarint(reader), length: readVarint(reader) }
  return Number.isNaN(handle.at + handle.length) ? undefined : handle
}

/** The blocks that the index of filters names. */
function filters(bytes: Uint8Array, meta: Handle): Handle[] {
  const block = isChecked(bytes, meta) ? blockAt(bytes, meta) : undefined
  return block ? Array.from(entriesIn(block)).flatMap(({ value }) => handleIn(value) ?? []) : []
}

function isChecked(bytes: Uint8Array, { at, length }: Handle): boolean {
  const end = at + length + 1
  if (!(end + 4 <= bytes.length)) return false
  return littleAt(bytes, end) === masked(crc32c(bytes, at, end))
}

const littleAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)

function blockAt(bytes: Uint8Array, { at, length }: Handle): Uint8Array | undefined {
  if (!(at + length + trailerBytes <= bytes.length)) return undefined
  const block = bytes.subarray(at, at + length)
  return bytes[at + length] === 1 ? unsnap(block) : block
}

/** Where nobody says where the blocks are: one ends where its check is right. */
function* foundBlocks(bytes: Uint8Array): Generator<Handle, void> {
  for (let at = 0; ; ) {
    // The last byte before the check says whether it is compressed.
    const length = lengthByCheck(bytes, at, 1) - 1
    if (length < 0) return
    yield { at, length }
    at += length + trailerBytes
  }
}

/** Entries share the beginnings of their keys. Stops at the first that cannot be. */
function* entriesIn(block: Uint8Array): Generator<TableEntry, void> {
  if (block.length < 4) return
  const restarts = littleAt(block, block.length - 4)
  const end = block.length - 4 * (restarts + 1)
  const reader = { bytes: block, at: 0 }
  let key = new Uint8Array()
  while (reader.at < end) {
    const shared = readVarint(reader)
    const own = readVarint(reader)
    const length = readVarint(reader)
    const valueAt = reader.at + own
    if (!(shared <= key.length && valueAt + length <= end)) return
    key = Uint8Array.from(concat(key.subarray(0, shared), block.subarray(reader.at, valueAt)))
    reader.at = valueAt + length
    yield { key, value: block.subarray(valueAt, reader.at) }
  }
}

/** A table of the same length with nothing in it that anyone would take for a row. */
export function emptyTable(
  length: number,
  { smallest, largest }: { smallest: Uint8Array; largest: Uint8Array },
) {
  const table = new Uint8Array(length)
  const rows = blockOf(smallest, Uint8Array.of(0))
  const meta = withTrailer(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0))
  const handles = (at: number, block: Uint8Array) => {
    const writer: Writer = { bytes: new Uint8Array(16), at: 0 }
    writeVarint(writer, at)
    writeVarint(writer, block.length - trailerBytes)
    return writer.bytes.subarray(0, writer.at)
  }
  const index = blockOf(largest, handles(0, rows))
  const footer = concat(handles(rows.length, meta), handles(rows.length + meta.length, index))
  const parts = concat(rows, meta, index)
  if (parts.length + footerBytes > length) throw new TypeError('no room for a table')
  table.set(parts)
  table.set(footer, length - footerBytes)
  table.set(magic, length - 8)
  return table
}

function blockOf(key: Uint8Array, value: Uint8Array): Uint8Array {
  const writer: Writer = { bytes: new Uint8Array(24), at: 0 }
  for (const number of [0, key.length, value.length]) writeVarint(writer, number)
  const restarts = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0)
  return withTrailer(concat(writer.bytes.subarray(0, writer.at), key, value, restarts))
}

function withTrailer(block: Uint8Array): Uint8Array {
  const whole = concat(block, new Uint8Array(trailerBytes))
  const check = masked(crc32c(whole, 0, block.length + 1))
  new DataView(whole.buffer).setUint32(block.length + 1, check, true)
  return whole
}
