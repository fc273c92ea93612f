/** Readings that were lost after they were sealed: carried as nodes, together with the record that declares them. */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import type { JournalReader } from '../journal/journal-reader.ts'
import { merged, type Span, type Wanted } from './find.ts'

export interface DamagedSpan extends Span {
  readonly stream: number
  /** The size of the seal that the record names. */
  readonly size: number
  /** Where in the control stream it stands. */
  readonly index: number
}

/** The ranges asked for, made wide enough for the damage in them, and the control stream's records of it. */
export async function withDamage(
  { reader }: { readonly reader: JournalReader },
  asked: readonly Wanted[],
): Promise<{ wanted: Wanted[]; damage: DamagedSpan[] }> {
  const damaged: Wanted[] = []
  for (const want of asked) if (await isDamaged(reader, want)) damaged.push(want)
  const onRecord = damaged.length > 0 ? await damageOnRecord(reader, damaged) : []
  const damage = onRecord.filter(({ stream, ...of }) =>
    damaged.some((want) => want.stream.number === stream && overlaps(want.spans, of)),
  )
  const wanted = asked.map(({ stream, spans }) => {
    return {
      stream,
      spans: merged([...spans, ...damage.filter((of) => of.stream === stream.number)]),
    }
  })
  const control = await reader.stream(controlStream.number)
  if (damage.length > 0 && control) {
    const records = damage.map(({ index }) => ({ from: index, to: index + 1 }))
    const own = wanted.find(({ stream }) => stream.number === control.number)
    if (own) wanted.splice(wanted.indexOf(own), 1)
    wanted.push({ stream: control, spans: merged([...records, ...(own?.spans ?? [])]) })
  }
  return { wanted: wanted.toSorted((a, b) => a.stream.number - b.stream.number), damage }
}

const overlaps = (spans: readonly Span[], of: Span): boolean =>
  spans.some(({ from, to }) => of.from < to && from < of.to)

async function isDamaged(reader: JournalReader, { stream, spans }: Wanted): Promise<boolean> {
  for (const { from, to } of spans) {
    for await (const { leaf } of reader.leaves(stream.number, from, to)) {
      if (leaf === null) return true
    }
  }
  return false
}

/** What is on record of these streams, and in no other record as well. */
async function damageOnRecord(
  reader: JournalReader,
  damaged: readonly Wanted[],
): Promise<DamagedSpan[]> {
  const found: DamagedSpan[] = []
  const control = await reader.stream(controlStream.number)
  if (control === undefined) return found
  for await (const { index, leaf } of reader.leaves(control.number, 0, control.size)) {
    const record = leaf && decodeRecord(leaf.body)
    if (record?.type !== 'damage') continue
    const of = damaged.find(({ stream }) => equalBytes(stream.tag, record.tag))
    const { from, to, size } = record
    if (of) found.push({ from, to, size, stream: of.stream.number, index })
  }
  return found.filter((of) => !found.some((other) => replaces(other, of)))
}

/** Damage that grew is put on record again as a whole; of two that say the same the first counts. */
const replaces = (other: DamagedSpan, of: DamagedSpan): boolean =>
  other !== of &&
  other.stream === of.stream &&
  other.from <= of.from &&
  of.to <= other.to &&
  (other.to - other.from > of.to - of.from || other.index < of.index)

export const goneUndeclared = (source: string, index: number): KedgeError =>
  new KedgeError(
    'STORE_DAMAGED',
    `reading ${index} of ${source} is gone, and that is not on record so far`,
    {
      hint: 'kedge store check names what is damaged; a gateway puts it on record when it starts or comes past it.',
    },
  )
