/**
 * What lies where in a gateway's data folder. The marker is read before anything else: an older or a newer
 * program finds out there that it must keep its hands off, and a store that should be there is never made anew.
 */
import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { HashId, Header } from '../anchor-client/evidence/model.ts'
import { lockFolder } from '../anchor-client/ledgers/witness/lock.ts'
import { isThere, syncFolder, writeSynced } from './whole-files.ts'

export interface DataFolder {
  readonly folder: string
  readonly config: string
  readonly keys: string
  readonly socket: string
  readonly evidence: string
  /** The port that the broker took when it was free to choose. */
  readonly mqttPort: string
  /** Room that is kept for what must be recorded when the disk is full. */
  readonly reserve: string
  /** Of one incarnation. */
  store(incarnation: number): StoreFolders
}

interface StoreFolders {
  readonly folder: string
  readonly journal: string
  /** Derived: may be thrown away. */
  readonly index: string
  readonly anchors: string
  readonly epochs: string
}

export const dataFolder = (folder: string): DataFolder => ({
  folder,
  config: join(folder, 'kedge.yaml'),
  keys: join(folder, 'keys'),
  socket: join(folder, 'kedge.sock'),
  evidence: join(folder, 'evidence'),
  mqttPort: join(folder, 'mqtt.port'),
  reserve: join(folder, 'reserve'),
  store(incarnation) {
    const store = join(folder, 'store', String(incarnation))
    return {
      folder: store,
      journal: join(store, 'journal'),
      index: join(store, 'index'),
      anchors: join(store, 'anchors'),
      epochs: join(store, 'epochs'),
    }
  },
})

/** What the store is of, and who may read it. */
export interface Marker {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly hashId: HashId
  /** The last anchored checkpoint of the incarnation before, as far as it is known. */
  readonly previous: Header['previous']
}

const markerName = 'kedge.store'
const storeVersion = 1

export async function readMarker({ folder }: DataFolder): Promise<Marker | undefined> {
  const path = join(folder, markerName)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
    throw new KedgeError('STORE_DAMAGED', `cannot read ${path}: ${cause.message}`, { cause })
  })
  if (text === undefined) {
    if (!(await isThere(join(folder, 'store'))) || (await isUnfinished(folder))) return undefined
    throw new KedgeError('STORE_DAMAGED', `there is a store in ${folder}, but no ${markerName}`, {
      hint: 'Bring back that file from a backup (kedge store restore): it says whose store this is.',
    })
  }
  return parseMarker(text, path)
}

function parseMarker(text: string, path: string): Marker {
  const [, version] = /^kedge store (\d+)\n/.exec(text) ?? []
  if (version === undefined) {
    throw new KedgeError('STORE_DAMAGED', `${path} is not what it should be`, {
      hint: 'Bring it back from a backup with kedge store restore.',
    })
  }
  if (Number(version) !== storeVersion) {
    throw new KedgeError(
      'STORE_OTHER_VERSION',
      `the store in ${path} is of version ${version}, and this program reads version ${storeVersion}`,
      { hint: 'Run the program that wrote it, or one that says that it can read it.' },
    )
  }
  try {
    const { gateway, incarnation, hashId, previous } = JSON.parse(text.slice(text.indexOf('\n')))
    return {
      gateway: hexToBytes(gateway),
      incarnation,
      hashId,
      previous: previous && { ...previous, root: hexToBytes(previous.root) },
    }
  } catch (cause) {
    throw new KedgeError('STORE_DAMAGED', `${path} is damaged`, {
      hint: 'Bring it back from a backup with kedge store restore.',
      cause,
    })
  }
}

/** A first store whose making was cut off: nothing was ever recorded in it. */
async function isUnfinished(folder: string): Promise<boolean> {
  const path = join(folder, `${markerName}.new`)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text !== undefined && parseMarker(text, path).incarnation === 0
}

/** Says on the disk that a store is being made; `writeMarker` says that it is there. */
export async function beginMarker({ folder }: DataFolder, marker: Marker): Promise<void> {
  const { gateway, previous, ...rest } = marker
  const content = {
    gateway: bytesToHex(gateway),
    ...rest,
    previous: previous && { ...previous, root: bytesToHex(previous.root) },
  }
  const path = join(folder, markerName)
  await writeSynced(`${path}.new`, `kedge store ${storeVersion}\n${JSON.stringify(content)}\n`)
  await syncFolder(folder)
}

export async function writeMarker(data: DataFolder, marker: Marker): Promise<void> {
  await beginMarker(data, marker)
  const path = join(data.folder, markerName)
  await rename(`${path}.new`, path)
  await syncFolder(data.folder)
}

export async function makeDataFolder({ folder }: DataFolder): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

/** Held by the one process that may write. */
export async function lockData({ folder }: DataFolder): Promise<AsyncDisposable> {
  return lockFolder(folder).catch((error) => {
    if (!(error instanceof KedgeError && error.code === 'LEDGER_IN_USE')) throw error
    const pid = /process (\d+)/.exec(error.message)?.[1] ?? '?'
    throw new KedgeError('STORE_IN_USE', `process ${pid} holds the data folder ${folder}`, {
      hint: 'Stop that process, or name another folder with --data.',
      cause: error,
    })
  })
}
