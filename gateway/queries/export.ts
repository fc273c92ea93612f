import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import {
  decodeWhole,
  readFixedBytes,
  readText,
  readTuple,
  readUint,
} from '../../anchor-client/evidence/codec.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { disclosedBy } from '../../anchor-client/evidence/fields.ts'
import type { Leaf } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import { shownLeaf } from '../../anchor-client/evidence/show.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import { parseMoments } from '../command-line/questions.ts'
import type { FoundLeaf, KnownStream } from '../journal/journal-reader.ts'
import { streamsNamed } from '../proving/find.ts'
import { momentOf, openedLeaf } from '../proving/opened-leaf.ts'
import type { Store } from '../store.ts'
import { type Query, textOf } from './query.ts'

/** What the store holds of a stream, a line a reading, sealed or not. */
export const exportReadings: Query = async function* ({ store, live }, asked) {
  // What is on the disk counts; what was only taken is waited for.
  await live?.store.journal.flush()
  if (asked.refused === true) {
    for await (const line of refusals(store)) yield { line }
    return
  }
  const name = textOf(asked, 'stream')
  if (name === undefined) throw new KedgeError('USAGE', 'export needs --stream S, or --refused')
  const window = parseMoments(textOf(asked, 'from'), textOf(asked, 'to'))
  for (const stream of await streamsNamed(store.reader, store.epochs, name)) {
    for await (const found of store.reader.leaves(stream.number, 0, stream.size)) {
      const leaf = found.leaf && openedLeaf(found.leaf, stream.number, store.epochs)
      const moment = leaf && momentOf(leaf)
      if (moment && (moment.latestMs < window.from || moment.earliestMs > window.to)) continue
      const line = lineOf(store, stream, found, leaf)
      if (line) yield { line }
    }
  }
}

function lineOf(
  { epochs }: Store,
  { number, descriptor }: KnownStream,
  { index, committedAtMs, seq }: FoundLeaf,
  leaf: Leaf | null,
): Record<string, unknown> | undefined {
  const shown = leaf
    ? shownLeaf(descriptor, leaf, undefined)
    : { gap: { cause: 'damage', count: 1 } }
  if (shown === undefined) return undefined
  const epoch = epochs.of(number)
  const details = leaf ? disclosedBy(leaf).details : null
  const publisherId = details?.find(([name]) => name === 'publisher-id')?.[1]
  return {
    stream: epoch?.source ?? descriptor.source,
    index,
    ...shown,
    ...(epoch && { pseudonym: epoch.pseudonym }),
    ...(publisherId !== undefined && { publisherId }),
    committedAt: committedAtMs === null ? null : formatTime(committedAtMs),
    batch: seq,
  }
}

async function* refusals({ reader }: Store): AsyncGenerator<Record<string, unknown>, void> {
  const control = await reader.stream(controlStream.number)
  if (control === undefined) return
  for await (const { leaf } of reader.leaves(control.number, 0, control.size)) {
    const record = leaf && decodeRecord(leaf.body)
    if (record?.type !== 'note' || record.name !== 'refused') continue
    const { wallMs } = record.time
    yield { ...refusalIn(record.bytes), at: wallMs === null ? null : formatTime(wallMs) }
  }
}

const refusalIn = (bytes: Uint8Array) =>
  decodeWhole(bytes, (cursor) => {
    readTuple(cursor, 4, 'a refusal')
    return {
      source: readText(cursor, 256),
      reason: readText(cursor, 256),
      sm3: bytesToHex(readFixedBytes(cursor, 32)),
      bytes: readUint(cursor),
    }
  })
