/** Readings that were lost after they were sealed: carried as nodes, together with the record that declares them. */
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Damage } from '../../anchor-client/evidence/model.ts'
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
  const damaged = []
  for (const want of asked) if (await isDamaged(reader, want)) damaged.push(want)
  const damage = damaged.length > 0 ? await damageOnRecord(reader, damaged) : []
  const wanted = asked.map(({ stream, spans }) => {
    const wide = damage
      .filter((of) => of.stream === stream.number)
      .filter((of) => spans.some(({ from, to }) => of.from < to && from < of.to))
    return { stream, spans: merged([...spans, ...wide]) }
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

async function isDamaged(reader: JournalReader, { stream, spans }: Wanted): Promise<boolean> {
  for (const { from, to } of spans) {
    for await (const { leaf } of reader.leaves(stream.number, from, to)) {
      if (leaf === null) return true
    }
  }
  return false
}

async function damageOnRecord(
  reader: JournalReader,
  wanted: readonly Wanted[],
): Promise<DamagedSpan[]> {
  const found: DamagedSpan[] = []
  const control = await reader.stream(controlStream.number)
  if (control === undefined) return found
  for await (const { index, leaf } of reader.leaves(control.number, 0, control.size)) {
    const record = leaf && decodeRecord(leaf.body)
    if (record?.type !== 'damage') continue
    const of = wanted.find(({ stream }) => equalBytes(stream.tag, record.tag))
    if (of?.spans.some(({ from, to }) => record.from < to && from < record.to)) {
      found.push({ ...spanOf(record), stream: of.stream.number, index })
    }
  }
  return found
}

const spanOf = ({ from, to, size }: Damage) => ({ from, to, size })

export const goneUndeclared = (source: string, index: number): KedgeError =>
  new KedgeError(
    'STORE_DAMAGED',
    `reading ${index} of ${source} is gone, and that is not on record so far`,
    {
      hint: 'Start the gateway anew: it finds out what is damaged, and puts it on record.',
    },
  )
