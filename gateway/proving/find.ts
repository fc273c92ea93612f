/** Which leaves of which streams are meant by a name and a time, or by indices. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { decodeHeader } from '../../anchor-client/evidence/seal.ts'
import type { JournalReader, KnownStream } from '../journal/journal-reader.ts'
import type { Epochs } from '../recording/epochs.ts'
import { momentOf, openedLeaf } from './opened-leaf.ts'

export interface Wanted {
  readonly stream: KnownStream
  /** Ascending, with something between them. */
  readonly spans: readonly Span[]
}

/** Indices [from, to). */
export interface Span {
  readonly from: number
  readonly to: number
}

export const lastOf = (spans: readonly Span[]): Span => spans[spans.length - 1] as Span

/** In order, those that touch made one. */
export function merged(spans: readonly Span[]): Span[] {
  const all: { from: number; to: number }[] = []
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else all.push({ from, to })
  }
  return all
}

/** In the order in which they were opened. A pseudonym's stream is found by its source's name as well. */
export async function streamsNamed(
  reader: JournalReader,
  epochs: Epochs,
  name: string,
): Promise<KnownStream[]> {
  const found: KnownStream[] = []
  const sources = new Set<string>()
  for await (const stream of reader.streams()) {
    const source = epochs.of(stream.number)?.source ?? stream.descriptor.source
    sources.add(source)
    const names = [source, stream.descriptor.source, bytesToHex(stream.tag)]
    if (names.includes(name)) found.push(stream)
  }
  if (found.length > 0) return found
  throw new KedgeError('NOT_FOUND', `there is no stream ${name}`, {
    hint: `kedge status lists them: ${Array.from(sources).slice(0, 8).join(', ')}`,
  })
}

/** Indices, both included. */
export function byIndex(stream: KnownStream, first: number, last: number): Span {
  if (first <= last && last < stream.size) return { from: first, to: last + 1 }
  const has = stream.size > 0 ? `0 to ${stream.size - 1}` : 'none so far'
  throw new KedgeError('NOT_FOUND', `${stream.descriptor.source} has no index ${last}`, {
    hint: `its indices are ${has}`,
  })
}

/** One neighbour on each side is taken along: the ends must lie beyond the time that is asked for. */
export async function byTime(
  reader: JournalReader,
  epochs: Epochs,
  stream: KnownStream,
  fromMs: number,
  toMs: number,
): Promise<Span | null> {
  let first: number | null = null
  let last: number | null = null
  let hasInside = false
  const start = await firstIndexNear(reader, stream, fromMs)
  for await (const { index, leaf } of reader.leaves(stream.number, start, stream.size)) {
    const moment = leaf && momentOf(openedLeaf(leaf, stream.number, epochs))
    if (!moment) continue
    if (moment.latestMs <= fromMs) {
      first = index
      continue
    }
    first ??= index
    if (moment.earliestMs <= toMs) hasInside = true
    last = index
    if (moment.earliestMs >= toMs) break
  }
  if (first === null || last === null || !hasInside) return null
  return { from: first, to: last + 1 }
}

/** Seals whose header is older than this by far need not be read leaf by leaf. */
async function firstIndexNear(
  reader: JournalReader,
  { number }: KnownStream,
  fromMs: number,
): Promise<number> {
  let start = 0
  for await (const { seal, segment } of reader.sealsFrom(number, 1)) {
    const { wallMs } = decodeHeader(seal.header)
    if (wallMs === null || wallMs > fromMs - marginMs) break
    start = segment.from
  }
  return start
}

/** More than clocks are set by, as a rule. */
const marginMs = 60 * 60 * 1000
