/**
 * A store as one file: every row as it is, whatever the program makes of it. The secret of the keys is not in it:
 * whoever finds the file cannot sign.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equalBytes, u32, utf8 } from '../anchor-client/evidence/bytes.ts'
import {
  type Cursor,
  decodeWhole,
  readBytes,
  readText,
  readTuple,
  readUint,
} from '../anchor-client/evidence/codec.ts'
import { encode } from '../anchor-client/evidence/encode.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decodeAnchor, decodePin, encodeAnchor, encodePin } from './anchoring/anchor-records.ts'
import { openAnchorStore } from './anchoring/anchor-store.ts'
import { type DataFolder, lockData, makeDataFolder, readMarker } from './data-folder.ts'
import { decodeFrameHead } from './journal/frame.ts'
import type { RowKind } from './journal/row.ts'
import { openRowStore } from './journal/row-store.ts'
import type { Store } from './store.ts'

const magic = utf8('kedge backup 1\n')
const blockBytes = 1024 * 1024
const longestPart = 64 * 1024 * 1024

type Part =
  | { readonly type: 'file'; readonly path: string; readonly bytes: Uint8Array }
  | {
      readonly type: 'row'
      readonly number: number
      readonly kind: RowKind
      readonly body: Uint8Array
    }
  | { readonly type: 'pin'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly type: 'anchor'; readonly ledgerId: Uint8Array; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly sm3: Uint8Array }

const types = ['file', 'row', 'pin', 'anchor', 'end'] as const
const kinds: readonly RowKind[] = ['frame', 'seal', 'signature', 'gone']

/** The file's bytes, in pieces. */
export async function* backup(store: Store): AsyncGenerator<Uint8Array, void> {
  const hash = createHash('sm3')
  let pieces: Uint8Array[] = [magic]
  let length = magic.length
  hash.update(magic)
  for await (const part of partsOf(store)) {
    const bytes = encodePart(part)
    hash.update(bytes)
    pieces.push(bytes)
    length += bytes.length
    if (length < blockBytes) continue
    yield Uint8Array.from(Buffer.concat(pieces))
    pieces = []
    length = 0
  }
  pieces.push(encodePart({ type: 'end', sm3: Uint8Array.from(hash.digest()) }))
  yield Uint8Array.from(Buffer.concat(pieces))
}

async function* partsOf({ data, journal, anchors, identity }: Store): AsyncGenerator<Part, void> {
  for (const path of await filesIn(data, identity.incarnation)) {
    yield { type: 'file', path, bytes: Uint8Array.from(await readFile(join(data.folder, path))) }
  }
  for await (const row of journal.rows()) {
    if (row.kind !== 'damaged') yield { type: 'row', ...row, kind: row.kind }
  }
  for (const pinned of anchors.pins()) {
    yield { type: 'pin', name: pinned.name, bytes: encodePin(pinned) }
    for await (const anchor of anchors.list(pinned.ledgerId)) {
      yield { type: 'anchor', ledgerId: pinned.ledgerId, bytes: encodeAnchor(anchor) }
    }
  }
}

/** What is no database, the marker last: without it there is no store. */
async function filesIn(data: DataFolder, incarnation: number): Promise<string[]> {
  const under = async (folder: string, wanted: RegExp): Promise<string[]> => {
    const names = await readdir(join(data.folder, folder)).catch(() => [])
    return names.filter((name) => wanted.test(name)).map((name) => join(folder, name))
  }
  return [
    ...(await under('.', /^(kedge\.yaml|kedge\.store)$/)),
    ...(await under('keys', /\.key$/)),
    ...(await under(join('store', String(incarnation), 'epochs'), /\.json$/)),
    ...(await under('ledger', /^(witness\.log|key)$/)),
  ]
}

const encodePart = (part: Part): Uint8Array => {
  const body = encode([types.indexOf(part.type), ...itemsOf(part)])
  return Uint8Array.from(Buffer.concat([u32(body.length), body]))
}

function itemsOf(part: Part) {
  switch (part.type) {
    case 'file':
      return [part.path, part.bytes]
    case 'row':
      return [part.number, kinds.indexOf(part.kind), part.body]
    case 'pin':
      return [part.name, part.bytes]
    case 'anchor':
      return [part.ledgerId, part.bytes]
    case 'end':
      return [part.sm3]
  }
}

function readPart(at: Cursor): Part {
  const length = readLength(at)
  const type = types[readUint(at, types.length - 1)]
  const expected = type === 'row' ? 4 : type === 'end' ? 2 : 3
  if (length !== expected) throw new TypeError('not a part')
  switch (type) {
    case 'file':
      return { type, path: readText(at, 256), bytes: readBytes(at) }
    case 'row':
      return {
        type,
        number: readUint(at),
        kind: kinds[readUint(at, kinds.length - 1)] as RowKind,
        body: readBytes(at),
      }
    case 'pin':
      return { type, name: readText(at, 256), bytes: readBytes(at) }
    case 'anchor':
      return { type, ledgerId: readBytes(at), bytes: readBytes(at) }
    default:
      return { type: 'end', sm3: readBytes(at) }
  }
}

function readLength(at: Cursor): number {
  for (const count of [2, 3, 4]) {
    const start = at.at
    try {
      readTuple(at, count, 'a part')
      return count
    } catch {
      at.at = start
    }
  }
  throw new TypeError('not a part')
}

/** Checks the whole file before the first byte is written. */
export async function restore(
  data: DataFolder,
  path: string,
): Promise<{ readings: number; bytes: number }> {
  if (await readMarker(data)) {
    throw new KedgeError('STORE_EXISTS', `there is a gateway in ${data.folder} already`, {
      hint: 'Name another folder with --data: nothing is ever written over.',
    })
  }
  let readings = 0
  for await (const part of partsIn(path)) {
    const runs = part.type === 'row' && part.kind === 'frame' && decodeFrameHead(part.body)?.runs
    for (const { count } of runs || []) readings += count
  }
  await makeDataFolder(data)
  await using _ = await lockData(data)
  await write(data, path)
  return { readings, bytes: (await stat(path)).size }
}

async function write(data: DataFolder, path: string): Promise<void> {
  let marker: (Part & { type: 'file' }) | undefined
  let folders: ReturnType<DataFolder['store']> | undefined
  let journal: Awaited<ReturnType<typeof openRowStore>> | undefined
  let anchors: Awaited<ReturnType<typeof openAnchorStore>> | undefined
  try {
    for await (const part of partsIn(path)) {
      if (part.type === 'file') {
        if (part.path === 'kedge.store') marker = part
        else await writeAt(data, part)
      }
      if (part.type !== 'row' && part.type !== 'pin' && part.type !== 'anchor') continue
      if (folders === undefined || !journal || !anchors) {
        const { incarnation, gateway } = markerIn(marker)
        folders = data.store(incarnation)
        await mkdir(folders.folder, { recursive: true, mode: 0o700 })
        journal = await openRowStore(folders.journal, true)
        anchors = await openAnchorStore(folders.anchors, { gateway, incarnation }, true)
      }
      if (part.type === 'row') await journal.put(part, false)
      else if (part.type === 'pin') await anchors.pin(part.name, identityIn(part))
      else await anchors.keep(part.ledgerId, [decodeAnchor(part.bytes)], false)
    }
  } finally {
    await journal?.[Symbol.asyncDispose]()
    await anchors?.[Symbol.asyncDispose]()
  }
  if (marker) await writeAt(data, marker)
}

const identityIn = ({ name, bytes }: Part & { type: 'pin' }) => {
  const { ledgerId, pin } = decodePin(name, bytes)
  return {
    state: 'described',
    ledgerId,
    pin: JSON.parse(pin),
    hashIds: [1, 2],
    finality: '',
  } as const
}

function markerIn(marker: (Part & { type: 'file' }) | undefined) {
  const text = new TextDecoder().decode(marker?.bytes)
  const { gateway, incarnation } = JSON.parse(text.slice(text.indexOf('\n')))
  return { gateway: Uint8Array.from(Buffer.from(gateway, 'hex')), incarnation: Number(incarnation) }
}

async function writeAt({ folder }: DataFolder, part: Part & { type: 'file' }): Promise<void> {
  const path = join(folder, part.path)
  // Only what a backup of ours can hold: nothing leads out of the folder.
  if (
    !/^(kedge\.(yaml|store)|keys\/[\w.-]+|ledger\/[\w.-]+|store\/\d+\/epochs\/\d+\.json)$/.test(
      part.path,
    )
  ) {
    throw notABackup(part.path)
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, part.bytes, { mode: 0o600 })
}

async function* piecesOf(path: string): AsyncGenerator<Buffer, void> {
  try {
    yield* createReadStream(path, { highWaterMark: blockBytes })
  } catch (cause) {
    const { message } = cause as NodeJS.ErrnoException
    throw new KedgeError('FILE_UNREADABLE', `cannot read ${path}: ${message}`, { cause })
  }
}

/** The parts of a whole file; throws where it is not one. */
async function* partsIn(path: string): AsyncGenerator<Part, void> {
  let rest = Buffer.alloc(0)
  const hash: Hash = createHash('sm3')
  let isBegun = false
  let isEnded = false
  for await (const piece of piecesOf(path)) {
    rest = Buffer.concat([rest, piece])
    if (!isBegun) {
      if (!equalBytes(rest.subarray(0, magic.length), magic)) throw notABackup(path)
      hash.update(rest.subarray(0, magic.length))
      rest = rest.subarray(magic.length)
      isBegun = true
    }
    while (!isEnded && rest.length >= 4) {
      const length = rest.readUInt32BE(0)
      if (length > longestPart) throw notABackup(path)
      if (rest.length < 4 + length) break
      const part = partIn(rest.subarray(4, 4 + length), path)
      if (part.type === 'end') {
        if (!equalBytes(part.sm3, Uint8Array.from(hash.digest()))) throw notABackup(path)
        isEnded = true
      } else {
        hash.update(rest.subarray(0, 4 + length))
        yield part
      }
      rest = rest.subarray(4 + length)
    }
  }
  if (!isEnded || rest.length > 0) throw notABackup(path)
}

function partIn(bytes: Uint8Array, path: string): Part {
  try {
    return decodeWhole(Uint8Array.from(bytes), readPart)
  } catch {
    throw notABackup(path)
  }
}

const notABackup = (path: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${path} is no whole backup of a store`, {
    hint: 'Take another copy of it. Nothing was written.',
  })
