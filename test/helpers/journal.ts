import { join } from 'node:path'
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import type { Time } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { controlStream, encodeDescriptor } from '../../anchor-client/evidence/stream.ts'
import type { StoredLeaf } from '../../gateway/journal/frame.ts'
import { type Journal, type JournalOptions, openJournal } from '../../gateway/journal/journal.ts'
import type { StreamState } from '../../gateway/journal/stream-state.ts'
import { plainLeaf } from '../../gateway/recording/plain-leaf.ts'
import { gatewayOf, secretOf } from './anchoring.ts'

/** A journal in a folder of its own, and what was acknowledged of each stream, to be held against it. */
const testGateway = gatewayOf({ secret: secretOf('journal') })
export const identity = { gateway: testGateway.id, incarnation: 0, hashId: 1 } as const
export const nowMs = Date.UTC(2026, 2, 1)

export async function openTestJournal(
  path: string,
  told: Partial<JournalOptions> = {},
): Promise<Journal> {
  return openJournal({
    folder: join(path, 'journal'),
    indexFolder: join(path, 'index'),
    identity,
    mayCreate: false,
    nowMs: () => nowMs,
    onCommitted() {},
    onBroken() {},
    ...told,
  })
}

export const timeAt = (monoMs: number): Time => ({
  boot: 0,
  monoMs,
  wallMs: nowMs + monoMs,
  clock: 2,
  boundMs: 5,
})

interface TestStreams {
  readonly control: StreamState
  open(source: string): StreamState
  close(stream: StreamState): void
}

/** Streams with their openings on record, as the gateway opens them. */
export function testStreams(journal: Journal): TestStreams {
  const { gateway, incarnation } = journal.identity
  const bySource = new Map<string, StreamState>()
  for (const stream of journal.streams.values()) {
    if (!stream.isClosed) bySource.set(stream.descriptor.source, stream)
  }
  const add = (source: string): StreamState => {
    const descriptor = encodeDescriptor({
      gateway,
      incarnation,
      number: journal.nextStreamNumber,
      source,
      kinds: source === controlStream.source ? [] : null,
      erasable: false,
      promise: null,
      predecessor: null,
    })
    const stream = journal.addStream(descriptor)
    bySource.set(source, stream)
    const control = bySource.get(controlStream.source) as StreamState
    journal.add({
      stream: control,
      leaf: plainLeaf({ type: 'stream', time: timeAt(0), descriptor }),
    })
    return stream
  }
  const open = (source: string) => bySource.get(source) ?? add(source)
  return {
    control: open(controlStream.source),
    open,
    close(stream) {
      stream.isClosed = true
      bySource.delete(stream.descriptor.source)
      journal.add({ stream, leaf: plainLeaf({ type: 'close', time: timeAt(0), members: null }) })
    },
  }
}

export const readingLeaf = (
  value: number,
  monoMs: number,
  text = '',
  counter: number | null = null,
): StoredLeaf =>
  plainLeaf({
    type: 'reading',
    kind: 'temperature',
    value: [value, -2],
    unit: 'Cel',
    quality: text || null,
    raw: null,
    counter,
    time: timeAt(monoMs),
    source: null,
    details: null,
  })

/** What was acknowledged: each stream's leaves by index. */
export type Acknowledged = Map<number, Map<number, Uint8Array>>

function remember(acknowledged: Acknowledged, stream: number, index: number, leaf: StoredLeaf) {
  const of = acknowledged.get(stream) ?? new Map<number, Uint8Array>()
  if (of.has(index)) throw new Error(`index ${index} of stream ${stream} was given away twice`)
  of.set(index, leaf.body)
  acknowledged.set(stream, of)
}

/** Adds leaves, and remembers them once they are on the disk. */
export function addTo(journal: Journal, acknowledged: Acknowledged) {
  return (stream: StreamState, leaf: StoredLeaf) =>
    journal.add({
      stream,
      leaf,
      committed: (index) => remember(acknowledged, stream.number, index, leaf),
    })
}

export const sealNow = (journal: Journal, isFinal = false) =>
  journal.seal(
    () => ({ wallMs: nowMs, boundMs: 5, beacon: null, previous: null, rotation: null }),
    isFinal,
  )

export interface Accounted {
  readonly there: number
  readonly lost: number
  readonly damaged: number
}

/** Every leaf that was acknowledged is there as it was, or declared at just its index; else this throws. */
export async function account(journal: Journal, acknowledged: Acknowledged): Promise<Accounted> {
  const found = { there: 0, lost: 0, damaged: 0 }
  const { damage } = await journal.scrub()
  const declared = [...damage, ...(await damageOnRecord(journal))]
  for (const [number, leaves] of acknowledged) {
    const known = await journal.reader.stream(number)
    if (known === undefined) throw new Error(`stream ${number} is gone`)
    const end = Math.max(...leaves.keys()) + 1
    if (known.size < end) throw new Error(`stream ${number} ends at ${known.size}, not ${end}`)
    for await (const { index, leaf } of journal.reader.leaves(number, 0, known.size)) {
      const body = leaves.get(index)
      if (leaf === null) {
        const isDeclared = declared.some(
          ({ tag, from, to }) => equalBytes(tag, known.tag) && from <= index && index < to,
        )
        if (!isDeclared) throw new Error(`${index} of stream ${number} is gone, undeclared`)
        found.damaged += 1
      } else if (body === undefined) {
      } else if (equalBytes(leaf.body, body)) {
        found.there += 1
      } else {
        if (decodeRecord(leaf.body).type !== 'lost') {
          throw new Error(`${index} of stream ${number} is another leaf`)
        }
        found.lost += 1
      }
    }
  }
  return found
}

async function damageOnRecord({ reader }: Journal) {
  const control = await reader.stream(controlStream.number)
  const found: { tag: Uint8Array; from: number; to: number }[] = []
  if (control === undefined) return found
  for await (const { leaf } of reader.leaves(control.number, 0, control.size)) {
    const record = leaf && decodeRecord(leaf.body)
    if (record?.type === 'damage') found.push(record)
  }
  return found
}
