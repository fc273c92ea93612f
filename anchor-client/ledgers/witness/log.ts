import { constants } from 'node:fs'
import { access, type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { concat, equalBytes, u32, utf8 } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { sm3 } from '../../evidence/sm3.ts'

/**
 * An append-only file of records that are there whole or not at all. A record is `u32 length ‖ u32 ~length ‖
 * bytes ‖ first 8 bytes of their SM3`: the length guards itself, since a flipped bit in it would else make
 * everything after it look like a record that was never finished.
 */
interface AppendLog extends AsyncDisposable {
  readonly count: number
  /** What was cut off on open: the unfinished write of a record that nobody was told of. */
  readonly cutBytes: number
  /** Resolves once the record is on the disk. After a failure nothing more is written before it is opened again. */
  append(record: Uint8Array): Promise<void>
  read(number: number): Promise<Uint8Array>
}

/** Gives every record to `replay`, in order. What `replay` throws is damage of that record. */
export async function openLog(
  folder: string,
  { owner, mayCreate }: { owner: Uint8Array; mayCreate: boolean },
  replay: (record: Uint8Array, number: number) => void,
): Promise<AppendLog> {
  const path = join(folder, fileName)
  const head = concat(magic, owner)
  if (!(await isThere(path))) {
    if (!mayCreate) {
      throw new KedgeError('LEDGER_MISSING', `there is no ${path}`, {
        hint: 'Bring back the file: a ledger that starts anew forgets what it has taken.',
      })
    }
    await create(folder, path, head)
  }
  const file = await open(path, constants.O_RDWR)
  try {
    await checkHead(file, path, head)
    const { offsets, end, cutBytes } = await scan(file, path, head.length, replay)
    if (cutBytes > 0) await file.truncate(end)
    // What was read may so far have been in memory only, and will be answered as written.
    await file.sync()
    return appendLog(file, path, offsets, end, cutBytes)
  } catch (error) {
    await file.close()
    throw error
  }
}

function appendLog(
  file: FileHandle,
  path: string,
  offsets: number[],
  start: number,
  cutBytes: number,
): AppendLog {
  let end = start
  let isBroken = false
  return {
    get count() {
      return offsets.length
    },
    cutBytes,
    async append(record) {
      if (record.length > maxRecordBytes) throw new TypeError(`a record of ${record.length} bytes`)
      // After a failed write or sync nobody knows what the disk holds until it is read again.
      if (isBroken) throw new KedgeError('LEDGER_DAMAGED', `${path} could not be written before`)
      isBroken = true
      const { size } = await file.stat()
      if (size !== end) throw new KedgeError('LEDGER_IN_USE', `somebody else wrote ${path}`)
      const frame = frameOf(record)
      const { bytesWritten } = await file.write(frame, 0, frame.length, end)
      if (bytesWritten !== frame.length) {
        throw new KedgeError('LEDGER_DAMAGED', `no room to write ${path}`)
      }
      await file.datasync()
      offsets.push(end)
      end += frame.length
      isBroken = false
    },
    async read(number) {
      const from = offsets[number]
      if (from === undefined) throw new TypeError(`there is no record ${number}`)
      const frame = await readAt(file, from, (offsets[number + 1] ?? end) - from)
      const record = takeFrame(frame, true)
      if (!('record' in record)) throw damaged(path, number, from)
      return record.record
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

const fileName = 'witness.log'
const magic = utf8('kedge witness log 1\n')
const checkBytes = 8
const headerBytes = 8
const maxRecordBytes = 65_536
const blockBytes = 1 << 20

const checkOf = (header: Uint8Array, record: Uint8Array): Uint8Array =>
  sm3(header, record).subarray(0, checkBytes)

function frameOf(record: Uint8Array): Uint8Array {
  const header = concat(u32(record.length), u32(~record.length))
  return concat(header, record, checkOf(header, record))
}

type Taken =
  | { readonly record: Uint8Array; readonly length: number }
  | { readonly fault: 'unfinished' | 'damaged' }

/** The first record of these bytes. `isAll` says that nothing follows them in the file. */
function takeFrame(bytes: Uint8Array, isAll: boolean): Taken {
  const unfinished: Taken = { fault: 'unfinished' }
  if (bytes.length < headerBytes) return unfinished
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const length = view.getUint32(0)
  if (length !== ~view.getUint32(4) >>> 0 || length > maxRecordBytes) {
    // A file system may lengthen a file before it fills it.
    return isAll && isZero(bytes) ? unfinished : { fault: 'damaged' }
  }
  const whole = headerBytes + length + checkBytes
  if (bytes.length < whole) return unfinished
  const record = bytes.subarray(headerBytes, headerBytes + length)
  const check = bytes.subarray(headerBytes + length, whole)
  if (equalBytes(check, checkOf(bytes.subarray(0, headerBytes), record))) {
    return { record, length: whole }
  }
  return isAll && bytes.length === whole && isZero(check) ? unfinished : { fault: 'damaged' }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

async function scan(
  file: FileHandle,
  path: string,
  start: number,
  replay: (record: Uint8Array, number: number) => void,
) {
  const { size } = await file.stat()
  const offsets: number[] = []
  let end = start
  while (end < size) {
    const block = await readAt(file, end, Math.min(blockBytes, size - end))
    const isAll = end + block.length === size
    let at = 0
    while (at < block.length) {
      const taken = takeFrame(block.subarray(at), isAll)
      if ('fault' in taken) {
        if (taken.fault === 'damaged') throw damaged(path, offsets.length, end + at)
        // Unfinished in a block that is not the last only means: read on from here.
        if (isAll) return { offsets, end: end + at, cutBytes: size - end - at }
        break
      }
      replayOrRefuse(replay, taken.record, path, offsets.length, end + at)
      offsets.push(end + at)
      at += taken.length
    }
    end += at
  }
  return { offsets, end, cutBytes: 0 }
}

function replayOrRefuse(
  replay: (record: Uint8Array, number: number) => void,
  bytes: Uint8Array,
  path: string,
  number: number,
  at: number,
): void {
  try {
    replay(Uint8Array.from(bytes), number)
  } catch (cause) {
    throw damaged(path, number, at, cause)
  }
}

const damaged = (path: string, number: number, at: number, cause?: unknown): KedgeError =>
  new KedgeError('LEDGER_DAMAGED', `entry ${number} of ${path} is damaged (byte ${at})`, {
    hint: 'Bring back a whole copy of the file. Nothing was changed or left out.',
    cause,
  })

async function checkHead(file: FileHandle, path: string, head: Uint8Array): Promise<void> {
  const found = await readAt(file, 0, head.length)
  if (equalBytes(found, head)) return
  const isOurs = equalBytes(found.subarray(0, magic.length), magic)
  const what = isOurs ? 'was kept with another key' : 'is no witness log of this version'
  throw new KedgeError('LEDGER_MISMATCH', `${path} ${what}`)
}

/** Complete under another name first, so that a log that is there always has its head. */
async function create(folder: string, path: string, head: Uint8Array): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  await file.writeFile(head)
  await file.sync()
  await file.close()
  await rename(`${path}.new`, path)
  const directory = await open(folder, 'r')
  await directory.sync()
  await directory.close()
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, at)
  return bytes.subarray(0, bytesRead)
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
