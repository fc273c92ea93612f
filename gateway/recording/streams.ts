/** Which stream a source's readings go to: the one that is open, or a new one with its opening on record. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Descriptor, Promised, StreamRecord } from '../../anchor-client/evidence/model.ts'
import { controlStream, encodeDescriptor } from '../../anchor-client/evidence/stream.ts'
import { mostOpenStreams } from '../../config/consistency.ts'
import type { Journal } from '../journal/journal.ts'
import type { StreamState } from '../journal/stream-state.ts'
import type { Clock } from './clock.ts'
import type { Epochs } from './epochs.ts'
import type { Gaps } from './gaps.ts'
import { plainLeaf } from './plain-leaf.ts'

/** What the configuration says of a stream. */
export interface StreamPlan {
  readonly source: string
  /** Null for any. */
  readonly kinds: readonly string[] | null
  readonly promise: Promised
  readonly isPrivate: boolean
  /** A device feeds it: without having heard from that, no sign of life is recorded. */
  readonly isDevice: boolean
}

export interface Streams {
  readonly control: StreamState
  /** The stream of this source as the journal has it open, planned or not. */
  open(plan: StreamPlan): StreamState
  /** A stream of its own for ever, such as a shipment's. */
  openNew(plan: StreamPlan): StreamState
  close(stream: StreamState, record: StreamRecord & { type: 'close' }): void
  isDevice(stream: StreamState): boolean
  /** The source's name as the configuration has it: a pseudonym is opened up. */
  sourceOf(stream: StreamState): string
}

const epochMs = 24 * 60 * 60 * 1000

export function openStreams(journal: Journal, clock: Clock, epochs: Epochs, gaps: Gaps): Streams {
  const devices = new Set<StreamState>()
  const bySource = new Map<string, StreamState>()
  for (const stream of journal.streams.values()) {
    if (!stream.isClosed) bySource.set(sourceOf(stream), stream)
  }
  const control =
    journal.streams.get(controlStream.number) ??
    add(
      { source: controlStream.source, kinds: [], promise: null, isPrivate: false, isDevice: false },
      null,
    )

  function sourceOf({ number, descriptor }: StreamState): string {
    return epochs.of(number)?.source ?? descriptor.source
  }

  function add(plan: StreamPlan, predecessor: Uint8Array | null): StreamState {
    // The journal has closed ones, too, until they are sealed.
    const open = Array.from(journal.streams.values()).filter(({ isClosed }) => !isClosed)
    if (open.length >= mostOpenStreams) {
      throw new KedgeError('STORE_FULL', `${mostOpenStreams} streams are open, no more are opened`)
    }
    const number = journal.nextStreamNumber
    const { gateway, incarnation } = journal.identity
    const descriptor: Descriptor = {
      gateway,
      incarnation,
      number,
      source: plan.isPrivate ? epochs.begin(number, plan.source).pseudonym : plan.source,
      kinds: plan.kinds?.toSorted() ?? null,
      erasable: plan.isPrivate,
      promise: plan.promise,
      predecessor: plan.isPrivate ? null : predecessor,
    }
    const bytes = encodeDescriptor(descriptor)
    const stream = journal.addStream(bytes)
    const opener = number === controlStream.number ? stream : control
    journal.add({
      stream: opener,
      leaf: plainLeaf({ type: 'stream', time: clock.now(), descriptor: bytes }),
    })
    bySource.set(plan.source, stream)
    if (plan.isDevice) devices.add(stream)
    return stream
  }

  const close: Streams['close'] = (stream, record) => {
    // A close ends a silence, too.
    gaps.declare(stream, clock.now(), null)
    stream.isClosed = true
    devices.delete(stream)
    journal.add({ stream, leaf: plainLeaf(record) })
    const source = sourceOf(stream)
    if (bySource.get(source) === stream) bySource.delete(source)
  }

  const isStillRight = (stream: StreamState, { kinds, promise, isPrivate }: StreamPlan) => {
    const { descriptor } = stream
    const opened = epochs.of(stream.number)?.openedAtMs ?? Number.NEGATIVE_INFINITY
    const isCurrent = !isPrivate || Math.abs(Date.now() - opened) < epochMs
    return (
      isCurrent &&
      descriptor.erasable === isPrivate &&
      JSON.stringify([descriptor.kinds, descriptor.promise]) ===
        JSON.stringify([kinds?.toSorted() ?? null, promise])
    )
  }

  return {
    control,
    sourceOf,
    close,
    openNew: (plan) => add(plan, null),
    isDevice: (stream) => devices.has(stream),
    open(plan) {
      const stream = bySource.get(plan.source)
      if (stream && isStillRight(stream, plan)) {
        if (plan.isDevice) devices.add(stream)
        return stream
      }
      if (stream) {
        const time = stream.descriptor.erasable ? null : clock.now()
        close(stream, { type: 'close', time, members: null })
      }
      return add(plan, stream && !stream.descriptor.erasable ? stream.tag : null)
    },
  }
}
