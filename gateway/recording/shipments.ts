/** A shipment is a stream of its own: opened at a reader, it takes the reader's events until it is closed. */
import { compareBytes, equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Promised } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import type { Journal } from '../journal/journal.ts'
import type { StreamState } from '../journal/stream-state.ts'
import type { Clock } from './clock.ts'
import type { Recorder } from './recorder.ts'
import type { StreamPlan, Streams } from './streams.ts'

export interface Reader {
  readonly name: string
  readonly kinds: readonly string[]
  readonly promise: Promised
  /** Whose windows belong to every shipment opened here. */
  readonly members: readonly StreamPlan[]
}

export interface Shipments {
  /** The open shipment's stream at this reader. */
  at(reader: string): StreamState | undefined
  open(reader: Reader, id: string): OpenedShipment
  close(reader: string, id?: string): Promise<ClosedShipment>
  list(): readonly { readonly reader: string; readonly id: string; readonly stream: string }[]
}

interface OpenedShipment {
  readonly reader: string
  readonly id: string
  readonly stream: string
  readonly members: readonly string[]
}

interface ClosedShipment {
  readonly reader: string
  readonly id: string
  readonly stream: string
  readonly leaves: number
}

const prefix = 'shipment/'

const shipmentSource = (reader: string, id: string): string => `${prefix}${reader}/${id}`

/** Shipments' streams that the journal has open are on their way still. */
export function openShipments(
  journal: Journal,
  streams: Streams,
  recorder: Recorder,
  clock: Clock,
): Shipments {
  const byReader = new Map<string, StreamState>()
  const closing = new Set<StreamState>()
  for (const stream of journal.streams.values()) {
    const { source } = stream.descriptor
    if (!stream.isClosed && source.startsWith(prefix)) {
      byReader.set(source.slice(prefix.length).split('/')[0] as string, stream)
    }
  }
  const idOf = (stream: StreamState) =>
    stream.descriptor.source.slice(prefix.length).split('/').slice(1).join('/')

  return {
    at: (reader) => byReader.get(reader),
    list: () =>
      Array.from(byReader, ([reader, stream]) => {
        return { reader, id: idOf(stream), stream: stream.descriptor.source }
      }),
    open({ name, kinds, promise, members }, id) {
      if (!/^[A-Za-z0-9._-]{1,64}$/.test(id)) {
        throw new KedgeError('USAGE', `${id} is no id of a shipment`, {
          hint: 'letters, digits, dots, dashes and _, at most 64',
        })
      }
      const before = byReader.get(name)
      if (before) {
        throw new KedgeError('USAGE', `${idOf(before)} is open at ${name}`, {
          hint: `kedge shipment close ${name}`,
        })
      }
      const source = shipmentSource(name, id)
      const opened = members.map((member) => streams.open(member))
      const stream = streams.openNew({
        source,
        kinds: [...kinds, 'custody'],
        promise,
        isPrivate: false,
        isDevice: true,
      })
      const time = clock.now()
      const from = opened
        .map((member) => [member.tag, member.added] as const)
        .toSorted(([a], [b]) => compareBytes(a, b))
      recorder.state(stream, { type: 'open', time, id, members: from })
      stream.lastTime = time
      for (const member of opened) recorder.declareSilence(member, true)
      byReader.set(name, stream)
      return { reader: name, id, stream: source, members: members.map((of) => of.source) }
    },
    async close(reader, id) {
      const stream = byReader.get(reader)
      const isMeant = stream !== undefined && (id === undefined || idOf(stream) === id)
      if (!isMeant || closing.has(stream)) {
        throw new KedgeError('NOT_FOUND', `no shipment${id ? ` ${id}` : ''} is open at ${reader}`)
      }
      // Whoever asks a second time while this waits is too late.
      closing.add(stream)
      await journal.flush()
      const members: (readonly [Uint8Array, number])[] = []
      const tags = await memberTags(stream)
      for (const member of journal.streams.values()) {
        if (tags.some((tag) => equalBytes(tag, member.tag))) recorder.declareSilence(member, false)
      }
      for (const tag of tags) members.push([tag, await lastIndex(tag)])
      // From here to the close record nothing else is added.
      byReader.delete(reader)
      closing.delete(stream)
      streams.close(stream, { type: 'close', time: clock.now(), members })
      return { reader, id: idOf(stream), stream: stream.descriptor.source, leaves: stream.added }
    },
  }

  async function memberTags(stream: StreamState): Promise<Uint8Array[]> {
    const tags: Uint8Array[] = []
    for await (const { leaf } of journal.reader.leaves(stream.number, 0, stream.size)) {
      const record = leaf && decodeRecord(leaf.body)
      if (record?.type === 'open') tags.push(...record.members.map(([tag]) => tag))
      if (record?.type === 'join') tags.push(record.tag)
    }
    return tags.toSorted(compareBytes)
  }

  async function lastIndex(tag: Uint8Array): Promise<number> {
    for (const state of journal.streams.values()) {
      if (equalBytes(state.tag, tag)) return state.added - 1
    }
    for await (const known of journal.reader.streams()) {
      if (equalBytes(known.tag, tag)) return known.size - 1
    }
    return -1
  }
}
