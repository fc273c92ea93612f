/** From what a device or a publisher said to a leaf in the right stream, with every silence on record. */

import { encode } from '../../anchor-client/evidence/encode.ts'
import type { Details, Field, LeafRecord, Time, Value } from '../../anchor-client/evidence/model.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { limitMs } from '../../anchor-client/evidence/stream.ts'
import type { StoredLeaf } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import type { StreamState } from '../journal/stream-state.ts'
import type { Clock } from './clock.ts'
import type { Epochs } from './epochs.ts'
import type { Gaps } from './gaps.ts'
import { plainLeaf } from './plain-leaf.ts'
import { sealPrivate } from './private-leaves.ts'
import type { Streams } from './streams.ts'

/** A sample as the gateway takes it, whoever brought it. */
export interface Taken {
  readonly kind: string
  readonly value: Value
  readonly unit?: string | undefined
  readonly quality?: string | undefined
  readonly raw?: Value | undefined
  readonly counter?: number | undefined
  readonly details?: Details | undefined
  /** What was read, where that is not the stream's own source. */
  readonly source?: string | undefined
}

interface Waiting {
  /** How long it may wait for others. */
  readonly holdMs: number
  readonly committed?: ((index: number) => void) | undefined
  readonly failed?: ((error: Error) => void) | undefined
}

interface Refused {
  readonly source: string
  readonly reason: string
  readonly bytes: Uint8Array
}

export interface Recorder {
  /** Throws a TypeError for what no record can say. */
  record(stream: StreamState, taken: Taken, waiting: Waiting): void
  /** A record of the gateway's own. */
  state(stream: StreamState, record: LeafRecord, waiting?: Partial<Waiting>): void
  /** What came and is no reading: who, when, why, and the hash of it. */
  refuse(refused: Refused, waiting: Waiting): void
  /** Why a source is silent, for the gap that will be declared; undefined once it speaks again. */
  blame(stream: StreamState, why: string | undefined): void
  /** The device was there just now, and had nothing to report. */
  heard(stream: StreamState): void
  /**
   * For an edge at which a stream will be judged by itself: a gap where it was silent for longer than promised.
   * `isAnew` says that a gap before does not count.
   */
  declareSilence(stream: StreamState, isAnew: boolean): void
  /** To be called about twice a second: declares gaps and signs of life. Gives the streams that fell silent. */
  watch(): StreamState[]
}

export function openRecorder(
  journal: Journal,
  streams: Streams,
  clock: Clock,
  epochs: Epochs,
  gaps: Gaps,
): Recorder {
  const heardMs = new WeakMap<StreamState, number>()

  function leafOf(stream: StreamState, taken: Taken, time: Time): StoredLeaf {
    const { descriptor } = stream
    const source = taken.source === descriptor.source ? undefined : taken.source
    if (descriptor.erasable) {
      const key = epochs.of(stream.number)?.key
      if (key === undefined) throw new TypeError(`the key of stream ${stream.number} is gone`)
      return sealPrivate(key, fieldsOf({ ...taken, source }, time))
    }
    return plainLeaf({
      type: 'reading',
      kind: taken.kind,
      value: taken.value,
      unit: taken.unit ?? null,
      quality: taken.quality ?? null,
      raw: taken.raw ?? null,
      counter: taken.counter ?? null,
      time,
      source: source ?? null,
      details: taken.details ?? null,
    })
  }

  const state: Recorder['state'] = (stream, record, { holdMs = 0, committed, failed } = {}) => {
    journal.add({ stream, leaf: plainLeaf(record), committed, failed }, holdMs)
  }

  return {
    state,
    record(stream, taken, { holdMs, committed, failed }) {
      const time = clock.now()
      const leaf = leafOf(stream, taken, time)
      const counter = taken.counter ?? null
      gaps.declare(stream, time, counter)
      gaps.passed(stream, time, counter)
      journal.add({ stream, leaf, committed, failed }, holdMs)
    },
    refuse({ source, reason, bytes }, waiting) {
      const content = encode([cut(source), cut(reason), sm3(bytes), bytes.length])
      const note = { type: 'note', time: clock.now(), name: 'refused', bytes: content } as const
      state(streams.control, note, waiting)
    },
    blame: (stream, why) => gaps.blame(stream, why),
    heard(stream) {
      heardMs.set(stream, clock.now().monoMs)
      gaps.blame(stream, undefined)
    },
    declareSilence(stream, isAnew) {
      const { descriptor, lastTime, hasGapSince, isClosed } = stream
      const limit = limitMs(descriptor.promise)
      if (limit === null || isClosed || (hasGapSince && !isAnew)) return
      const time = clock.now()
      const isFresh =
        !hasGapSince && lastTime?.boot === time.boot && time.monoMs - lastTime.monoMs <= limit
      if (!isFresh) gaps.add(stream, time, gaps.reasonFor(stream) ?? 'silent', null)
    },
    watch() {
      const time = clock.now()
      const silent: StreamState[] = []
      for (const stream of journal.streams.values()) {
        const { descriptor, lastTime, isClosed, hasGapSince } = stream
        const limit = limitMs(descriptor.promise)
        if (limit === null || isClosed || lastTime === null || hasGapSince) continue
        if (lastTime.boot !== time.boot) continue
        const elapsedMs = time.monoMs - lastTime.monoMs
        const why = gaps.reasonFor(stream)
        const isHeard =
          !streams.isDevice(stream) || time.monoMs - (heardMs.get(stream) ?? 0) < limit / 2
        if (descriptor.promise?.type === 'events' && why === undefined && isHeard) {
          if (elapsedMs < limit / 2 || gaps.declare(stream, time, null)) continue
          const stated = descriptor.erasable ? null : time
          journal.add({ stream, leaf: plainLeaf({ type: 'alive', time: stated }) })
          if (stated) gaps.passed(stream, time, stream.lastCounter)
          else gaps.passedQuietly(stream, time)
        } else if (elapsedMs > limit) {
          gaps.add(stream, time, why ?? 'silent', null)
          silent.push(stream)
        }
      }
      return silent
    },
  }
}

function fieldsOf(taken: Taken, time: Time): Field[] {
  const { boot, monoMs, ...wall } = time
  const fields: Field[] = [
    { name: 'kind', content: taken.kind },
    { name: 'value', content: taken.value },
    { name: 'unit', content: taken.unit ?? null },
    { name: 'counter', content: taken.counter ?? null },
    { name: 'boot', content: boot },
    { name: 'mono', content: monoMs },
    { name: 'wall', content: wall },
  ]
  if (taken.quality !== undefined) fields.push({ name: 'quality', content: taken.quality })
  if (taken.raw !== undefined) fields.push({ name: 'raw', content: taken.raw })
  if (taken.source !== undefined) fields.push({ name: 'source', content: taken.source })
  if (taken.details !== undefined) fields.push({ name: 'details', content: taken.details })
  return fields
}

/** Text of at least one and at most 256 bytes, whatever it was. */
function cut(text: string): string {
  const safe = text.replace(/\p{Cs}/gu, '?') || '?'
  let end = Math.min(safe.length, 256)
  while (Buffer.byteLength(safe.slice(0, end)) > 256) end -= 1
  return safe.slice(0, end).replace(/[\ud800-\udbff]$/u, '') || '?'
}
