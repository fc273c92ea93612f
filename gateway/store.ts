/** A gateway's store: what it recorded, what ledgers took of it, and whose pseudonyms are whose. */
import { mkdir, rm } from 'node:fs/promises'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { historyHash } from '../anchor-client/evidence/merkle.ts'
import type { HashId } from '../anchor-client/evidence/model.ts'
import { decodeHeader } from '../anchor-client/evidence/seal.ts'
import { type AnchorStore, openAnchorStore } from './anchoring/anchor-store.ts'
import {
  beginMarker,
  type DataFolder,
  lockData,
  type Marker,
  makeDataFolder,
  readMarker,
  writeMarker,
} from './data-folder.ts'
import { type Held, holding } from './held.ts'
import { type Journal, openJournal } from './journal/journal.ts'
import { consistency } from './journal/tree-proofs.ts'
import type { Sources } from './proving/evidence.ts'
import { type Epochs, openEpochs } from './recording/epochs.ts'
import { signedHead } from './sealing/sealing.ts'

export interface Store extends Sources, AsyncDisposable {
  readonly data: DataFolder
  readonly marker: Marker
  readonly journal: Journal
  readonly anchors: AnchorStore
  readonly epochs: Epochs
  /** That the history of one size goes on in that of another. */
  consistency(oldSize: number, newSize: number): Promise<Uint8Array>
}

interface StoreHooks {
  readonly nowMs: () => number | null
  readonly onCommitted: () => void
  readonly onBroken: (error: KedgeError) => void
  /** Opens for reading alone what cannot be gone on with. */
  readonly evenIfBroken?: boolean
}

const noHooks: StoreHooks = { nowMs: () => Date.now(), onCommitted() {}, onBroken() {} }
/** For who takes out what can still be read, whatever else is gone. */
export const forReading: StoreHooks = { ...noHooks, evenIfBroken: true }

export async function openStore(data: DataFolder, hooks: StoreHooks = noHooks): Promise<Store> {
  const marker = await readMarker(data)
  if (marker === undefined) throw noStore(data)
  return holding((held) => openAll(data, marker, held, hooks))
}

/** Before the first batch is sealed its history may still take the hash that the ledgers compute. */
export async function openStoreFor(
  data: DataFolder,
  hashId: HashId,
  hooks: StoreHooks = noHooks,
): Promise<Store> {
  const store = await openStore(data, hooks)
  const { marker, journal } = store
  if (marker.hashId === hashId || journal.size > 0) return store
  await store[Symbol.asyncDispose]()
  await writeMarker(data, { ...marker, hashId })
  return openStore(data, hooks)
}

async function openAll(
  data: DataFolder,
  marker: Marker,
  held: Held,
  hooks: StoreHooks,
): Promise<Store> {
  held.use(await lockData(data))
  const { gateway, incarnation, hashId } = marker
  const folders = data.store(incarnation)
  const identity = { gateway, incarnation, hashId }
  const journal = held.use(
    await openJournal({
      folder: folders.journal,
      indexFolder: folders.index,
      identity,
      mayCreate: false,
      ...hooks,
    }),
  )
  const anchors = held.use(await openAnchorStore(folders.anchors, identity, false))
  const epochs = openEpochs(folders.epochs, journal.nextStreamNumber)
  const { reader } = journal
  return {
    data,
    marker,
    journal,
    anchors,
    epochs,
    identity,
    reader,
    newest: () => signedHead(journal),
    consistency: (oldSize, newSize) =>
      consistency(historyHash(identity.hashId), reader.historyNodes, oldSize, newSize),
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}

/** Makes an empty store: from here on it is missing if it is not there. */
export async function createStore(data: DataFolder, marker: Marker): Promise<void> {
  await makeDataFolder(data)
  await using _ = await lockData(data)
  if (await readMarker(data)) throw storeExists(data)
  const { folder, journal, index, anchors } = data.store(marker.incarnation)
  await beginMarker(data, marker)
  // What is there was never finished.
  await rm(folder, { recursive: true, force: true })
  const identity = {
    gateway: marker.gateway,
    incarnation: marker.incarnation,
    hashId: marker.hashId,
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const made = await openJournal({
    folder: journal,
    indexFolder: index,
    identity,
    mayCreate: true,
    ...noHooks,
  })
  await made[Symbol.asyncDispose]()
  await (await openAnchorStore(anchors, identity, true))[Symbol.asyncDispose]()
  await writeMarker(data, marker)
}

/** The key that the newest header names, if it names one. */
export async function lastNamedKey({ reader, journal }: Store): Promise<Uint8Array | null> {
  if (journal.size === 0) return null
  return decodeHeader((await reader.seal(journal.size - 1)).header).rotation?.key ?? null
}

export const storeExists = ({ folder }: DataFolder): KedgeError =>
  new KedgeError('STORE_EXISTS', `there is a gateway in ${folder} already`, {
    hint: 'Run it with kedge run, or name another folder with --data.',
  })

const noStore = ({ folder }: DataFolder): KedgeError =>
  new KedgeError('STORE_MISSING', `there is no gateway in ${folder}`, {
    hint: 'kedge init makes one; kedge demo shows one with simulated devices.',
  })
