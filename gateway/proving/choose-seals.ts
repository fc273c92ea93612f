/** Which seals fix a file's ranges: for each stream the first that covers it, and some between its ends. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { limits } from '../../anchor-client/evidence/file.ts'
import { decodeHeader } from '../../anchor-client/evidence/seal.ts'
import type { JournalReader, KnownStream } from '../journal/journal-reader.ts'
import type { SealRow } from '../journal/seal-row.ts'
import type { DamagedSpan } from './damage.ts'
import { lastOf, type Wanted } from './find.ts'

export type Between = 'day' | 'hour' | 'last'

interface ChosenSeal {
  readonly seal: SealRow
  /** Number of the stream to its position in the file. */
  readonly streams: Map<number, number>
}

export async function chooseSeals(
  reader: JournalReader,
  wanted: readonly Wanted[],
  damage: readonly DamagedSpan[],
  between: Between,
): Promise<ChosenSeal[]> {
  const chosen = new Map<number, ChosenSeal>()
  const needed = new Set<number>()
  const choose = (seal: SealRow, stream: number, position: number) => {
    const of = chosen.get(seal.seq) ?? { seal, streams: new Map<number, number>() }
    of.streams.set(stream, position)
    chosen.set(seal.seq, of)
  }
  for (const [position, want] of wanted.entries()) {
    const { number } = want.stream
    const { seal } = await covering(reader, want.stream, lastOf(want.spans).to)
    choose(seal, number, position)
    needed.add(seal.seq)
    for (const inner of await innerSeals(reader, want, damage, between)) {
      choose(inner.seal, number, position)
      if (inner.isNeeded) needed.add(inner.seal.seq)
    }
  }
  const sorted = Array.from(chosen.values()).toSorted((a, b) => a.seal.seq - b.seal.seq)
  return thinned(sorted, ({ seal }) => needed.has(seal.seq))
}

export async function coveringSize(
  reader: JournalReader,
  stream: KnownStream,
  to: number,
): Promise<number> {
  return (await covering(reader, stream, to)).size
}

async function covering(reader: JournalReader, stream: KnownStream, to: number) {
  for await (const { seal, segment } of reader.sealsFrom(stream.number, to)) {
    return { seal, size: segment.size }
  }
  throw new KedgeError(
    'NOT_ANCHORED',
    `the newest readings of ${stream.descriptor.source} are not sealed so far`,
    { hint: 'Try again after the next batch.' },
  )
}

/** The last seal of each day or hour inside the ranges, and those that damage on record speaks of. */
async function innerSeals(
  reader: JournalReader,
  { stream, spans }: Wanted,
  damage: readonly DamagedSpan[],
  between: Between,
): Promise<{ seal: SealRow; isNeeded: boolean }[]> {
  const lengthMs = between === 'day' ? 86_400_000 : 3_600_000
  const ours = damage.filter((of) => of.stream === stream.number)
  if (between === 'last' && ours.length === 0) return []
  const kept = new Map<string, { seal: SealRow; isNeeded: boolean }>()
  const end = lastOf(spans).to
  let lastSpan = ''
  for await (const { seal, segment } of reader.sealsFrom(
    stream.number,
    (spans[0]?.from ?? 0) + 1,
  )) {
    const { size } = segment
    if (size >= end) break
    if (!spans.some(({ from, to }) => from < size && size <= to)) continue
    if (ours.some(({ from, to }) => from < size && size < to)) continue
    const isNeeded = ours.some((of) => of.size === size)
    const { wallMs } = decodeHeader(seal.header)
    if (isNeeded) kept.set(`size ${size}`, { seal, isNeeded })
    else if (between !== 'last' && wallMs !== null) {
      lastSpan = String(Math.floor(wallMs / lengthMs))
      kept.set(lastSpan, { seal, isNeeded })
    }
  }
  // The last day is the covering seal's own.
  kept.delete(lastSpan)
  return Array.from(kept.values())
}

/** At most as many as a file may hold, evenly. */
function thinned(
  sorted: readonly ChosenSeal[],
  isNeeded: (of: ChosenSeal) => boolean,
): ChosenSeal[] {
  if (sorted.length <= limits.seals) return [...sorted]
  const spare = sorted.filter((of) => !isNeeded(of))
  const room = limits.seals - (sorted.length - spare.length)
  if (room < 0) {
    throw new KedgeError('USAGE', 'these streams were sealed apart too often for one file', {
      hint: 'Ask for fewer streams at once, or for one time.',
    })
  }
  const step = (i: number) => Math.floor((i * room) / spare.length)
  const kept = new Set(spare.filter((_, i) => step(i) !== step(i + 1)))
  return sorted.filter((of) => isNeeded(of) || kept.has(of))
}
