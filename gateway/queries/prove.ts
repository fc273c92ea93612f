import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { fieldNumbers } from '../../anchor-client/evidence/fields.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { nearest } from '../../config/did-you-mean.ts'
import { parseMoments } from '../command-line/questions.ts'
import type { KnownStream } from '../journal/journal-reader.ts'
import type { Between } from '../proving/choose-seals.ts'
import { makeEvidence } from '../proving/evidence.ts'
import { byIndex, byTime, streamsNamed, type Wanted } from '../proving/find.ts'
import type { Store } from '../store.ts'
import { type Asked, type Query, textOf } from './query.ts'

/** An evidence file over what is asked for: a stretch of a stream, or a whole shipment. */
export const prove: Query = async function* ({ store, live }, asked) {
  const stream = textOf(asked, 'stream')
  const shipment = textOf(asked, 'shipment')
  if ((stream === undefined) === (shipment === undefined)) {
    throw new KedgeError('USAGE', 'either --stream or --shipment is wanted')
  }
  const wanted =
    shipment === undefined
      ? await wantedOf(store, stream as string, asked)
      : await wantedOfShipment(store, shipment)
  const bytes = await makeEvidence(
    { ...store, newest: () => live?.sealing.newest() ?? store.newest() },
    wanted,
    {
      isUnanchored: asked.unanchored === true,
      seals: betweenOf(textOf(asked, 'seals') ?? 'day'),
      fields: fieldsOf(textOf(asked, 'fields')),
    },
  )
  yield { bytes }
  const [first] = wanted
  const spans = first?.spans ?? []
  yield {
    line: {
      bytes: bytes.length,
      stream: first?.stream.descriptor.source,
      first: spans[0]?.from,
      last: (spans.at(-1)?.to ?? 0) - 1,
      streams: wanted.map(({ stream: of }) => of.descriptor.source),
    },
  }
}

async function wantedOf(store: Store, name: string, asked: Asked): Promise<Wanted[]> {
  const { reader, epochs } = store
  const streams = await streamsNamed(reader, epochs, name)
  const index = textOf(asked, 'index')
  const newest = streams.at(-1) as KnownStream
  if (newest.descriptor.source.startsWith('shipment/')) {
    throw new KedgeError('USAGE', 'a part of a shipment proves nothing', {
      hint: `kedge prove --shipment ${newest.descriptor.source} -o FILE proves the whole of it`,
    })
  }
  if (index !== undefined) {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(index) ?? []
    if (first === undefined) {
      throw new KedgeError('USAGE', `--index ${index} is neither an index nor a range`, {
        hint: '--index 17 or --index 0-99',
      })
    }
    return [{ stream: newest, spans: [byIndex(newest, Number(first), Number(last))] }]
  }
  const from = textOf(asked, 'from')
  const to = textOf(asked, 'to')
  if (from === undefined || to === undefined) {
    throw new KedgeError('USAGE', '--from and --to are wanted, or --index')
  }
  const { from: fromMs, to: toMs } = parseMoments(from, to)
  const wanted: Wanted[] = []
  for (const stream of streams) {
    const span = await byTime(reader, epochs, stream, fromMs, toMs)
    if (span) wanted.push({ stream, spans: [span] })
  }
  if (wanted.length > 0) return wanted
  throw new KedgeError('NOT_FOUND', `${name} has nothing between ${from} and ${to}`)
}

/** The shipment's stream from its opening to its close, and of each member the window between them. */
async function wantedOfShipment(store: Store, id: string): Promise<Wanted[]> {
  const { reader } = store
  let found: KnownStream | undefined
  for await (const stream of reader.streams()) {
    const { source } = stream.descriptor
    if (source === id || (source.startsWith('shipment/') && source.endsWith(`/${id}`)))
      found = stream
  }
  if (found === undefined) throw new KedgeError('NOT_FOUND', `there is no shipment ${id}`)
  const starts = new Map<string, number>()
  const lasts = new Map<string, number>()
  let isClosed = false
  for await (const { leaf } of reader.leaves(found.number, 0, found.size)) {
    const record = leaf && decodeRecord(leaf.body)
    if (record?.type === 'open') for (const [tag, at] of record.members) starts.set(hex(tag), at)
    if (record?.type === 'join') starts.set(hex(record.tag), record.start)
    if (record?.type !== 'close') continue
    isClosed = true
    for (const [tag, at] of record.members ?? []) lasts.set(hex(tag), at)
  }
  if (!isClosed) {
    throw new KedgeError('NOT_FOUND', `shipment ${id} is not closed so far`, {
      hint: 'kedge shipment close READER',
    })
  }
  const wanted: Wanted[] = [{ stream: found, spans: [{ from: 0, to: found.size }] }]
  for await (const stream of reader.streams()) {
    const start = starts.get(hex(stream.tag))
    const last = lasts.get(hex(stream.tag))
    if (start === undefined || last === undefined) continue
    // A member of which nothing came is shown by its neighbour.
    const from = Math.max(0, Math.min(start, last < start ? last : start))
    const to = Math.min(stream.size, Math.max(last + 1, from + 1))
    if (to > from) wanted.push({ stream, spans: [{ from, to }] })
  }
  return wanted.toSorted((a, b) => (a.stream === found ? -1 : b.stream === found ? 1 : 0))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function betweenOf(text: string): Between {
  if (text === 'day' || text === 'hour' || text === 'last') return text
  throw new KedgeError('USAGE', `--seals ${text} is not known`, { hint: '--seals day|hour|last' })
}

function fieldsOf(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null
  const known = Object.keys(fieldNumbers)
  for (const name of text.split(',')) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    throw new KedgeError('USAGE', `there is no field ${name}`, {
      hint: near ? `did you mean ${near}?` : `there are ${known.join(', ')}`,
    })
  }
  return text.split(',')
}
