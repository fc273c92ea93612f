/**
 * A new life for a gateway whose store and ledgers do not agree: same key, new streams, a history from 0. What
 * the old store holds and no ledger does is committed again, so that it is lost to nobody.
 */
import { mkdir, rm } from 'node:fs/promises'
import { timeOf } from '../anchor-client/evidence/fields.ts'
import type { Field, HashId, Leaf, Time } from '../anchor-client/evidence/model.ts'
import { isReading } from '../anchor-client/evidence/records.ts'
import { controlStream } from '../anchor-client/evidence/stream.ts'
import { openAnchorStore } from './anchoring/anchor-store.ts'
import type { DataFolder, Marker } from './data-folder.ts'
import { writeMarker } from './data-folder.ts'
import type { StoredLeaf } from './journal/frame.ts'
import { type Journal, openJournal } from './journal/journal.ts'
import type { KnownStream } from './journal/journal-reader.ts'
import { openedLeaf } from './proving/opened-leaf.ts'
import type { Clock } from './recording/clock.ts'
import { type Epochs, openEpochs } from './recording/epochs.ts'
import { openGaps } from './recording/gaps.ts'
import { plainLeaf } from './recording/plain-leaf.ts'
import { sealPrivate } from './recording/private-leaves.ts'
import { openStreams, type Streams } from './recording/streams.ts'
import { forReading, openStore, type Store } from './store.ts'
import { program } from './version.ts'

interface Begun {
  readonly incarnation: number
  /** Readings of the incarnation before that no ledger has taken. */
  readonly recommitted: number
}

/** @param hashId the hash that the ledgers of today's configuration compute, where there is one. */
export async function beginAnew(data: DataFolder, hashId?: HashId): Promise<Begun> {
  await using old = await openStore(data, forReading)
  const { marker } = old
  const next: Marker = {
    ...marker,
    hashId: hashId ?? marker.hashId,
    incarnation: marker.incarnation + 1,
    previous: await lastAnchored(old),
  }
  const recommitted = await commitAgain(old, next)
  // Until here the old incarnation is the one that runs.
  await writeMarker(data, next)
  return { incarnation: next.incarnation, recommitted }
}

/** The last anchored checkpoint that this store knows of. */
async function lastAnchored({ anchors, marker }: Store): Promise<Marker['previous']> {
  let newest: Marker['previous'] = null
  for (const { ledgerId } of anchors.pins()) {
    const anchor = await anchors.newest(ledgerId)
    if (anchor && anchor.size > (newest?.size ?? 0)) {
      const { size, root } = anchor
      newest = { incarnation: marker.incarnation, size, hashId: marker.hashId, root }
    }
  }
  return newest
}

async function commitAgain(old: Store, next: Marker): Promise<number> {
  const { gateway, incarnation, hashId, previous } = next
  const folders = old.data.store(incarnation)
  // What an attempt that was cut off has left there would be committed twice.
  await rm(folders.folder, { recursive: true, force: true })
  await mkdir(folders.folder, { recursive: true, mode: 0o700 })
  await using journal = await openJournal({
    folder: folders.journal,
    indexFolder: folders.index,
    identity: { gateway, incarnation, hashId },
    mayCreate: true,
    nowMs: () => Date.now(),
    onCommitted() {},
    onBroken() {},
  })
  await using _ = await openAnchorStore(folders.anchors, { gateway, incarnation }, true)
  const epochs = openEpochs(folders.epochs, journal.nextStreamNumber)
  const { boot, machineBoot } = old.journal.opened
  const time = lastTime(old.journal, Math.max(0, boot))
  // What is committed again keeps its times, and these stand in the boots of the life before.
  journal.setBoot(boot, machineBoot)
  const streams = openStreams(journal, { now: () => time } as Clock, epochs, openGaps(journal))
  const add = (leaf: StoredLeaf) => journal.add({ stream: streams.control, leaf })
  add(plainLeaf({ type: 'boot', time, program }))
  add(plainLeaf({ type: 'note', time, name: 'machine-boot', bytes: machineBoot }))
  let readings = 0
  for await (const known of old.reader.streams()) {
    if (known.number === controlStream.number) continue
    const from = await anchoredLeaves(old, known, previous?.size ?? 0)
    readings += await copyLeaves({ old, journal, streams, epochs, time }, known, from)
    await journal.flush()
  }
  await journal.flush()
  return readings
}

/** How many leaves of the stream lie under a header that a ledger has taken. */
async function anchoredLeaves(old: Store, { number }: KnownStream, size: number): Promise<number> {
  let leaves = 0
  for await (const { seal, segment } of old.reader.sealsFrom(number, 1)) {
    if (seal.seq < size) leaves = segment.size
  }
  return leaves
}

interface Copying {
  readonly old: Store
  readonly journal: Journal
  readonly streams: Streams
  readonly epochs: Epochs
  readonly time: Time
}

async function copyLeaves(
  { old, journal, streams, epochs, time }: Copying,
  { number, descriptor, size }: KnownStream,
  from: number,
): Promise<number> {
  if (from >= size) return 0
  const { kinds, promise, erasable: isPrivate } = descriptor
  const source = old.epochs.of(number)?.source ?? descriptor.source
  const stream = streams.open({ source, kinds, promise, isPrivate, isDevice: false })
  const key = epochs.of(stream.number)?.key
  let readings = 0
  for await (const { leaf: stored } of old.reader.leaves(number, from, size)) {
    const leaf = stored && openedLeaf(stored, number, old.epochs)
    const again = copyOf(stored, leaf, key, isPrivate ? null : time)
    if (again === null) continue
    journal.add({ stream, leaf: again })
    if (leaf?.form === 'opened' && isReading(leaf.record)) readings += 1
    stream.lastTime = (leaf && timeOf(leaf)) ?? stream.lastTime
  }
  if (!old.journal.streams.has(number)) {
    streams.close(stream, { type: 'close', time: isPrivate ? null : time, members: null })
  }
  return readings
}

/** The same leaf; a private one under the new epoch's key; null for what only the old stream could say. */
function copyOf(
  stored: StoredLeaf | null,
  leaf: Leaf | null,
  key: Uint8Array | undefined,
  time: Time | null,
): StoredLeaf | null {
  if (stored === null || leaf?.form !== 'opened') {
    return plainLeaf({ type: 'gap', time, cause: 'damage', count: 1 })
  }
  if (leaf.record.type === 'private') {
    return key
      ? sealPrivate(
          key,
          leaf.openings.map(({ field }): Field => field),
        )
      : null
  }
  const isOwn =
    leaf.record.type === 'reading' || leaf.record.type === 'gap' || leaf.record.type === 'alive'
  return isOwn ? stored : null
}

/** The last time on record. */
function lastTime({ streams }: Journal, boot: number): Time {
  const times = Array.from(streams.values(), (stream) => stream.lastTime)
  const monoMs = Math.max(0, ...times.map((time) => (time?.boot === boot ? time.monoMs : 0)))
  return { boot, monoMs, wallMs: null, clock: 0, boundMs: null }
}
