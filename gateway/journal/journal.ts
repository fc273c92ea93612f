/**
 * The journal: leaves are committed in frames, batches of them are sealed, and both are found again. It knows
 * neither devices nor ledgers nor keys.
 */
import type { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { frontierRoot, historyHash } from '../../anchor-client/evidence/merkle.ts'
import type { HashId, Header } from '../../anchor-client/evidence/model.ts'
import { controlStream } from '../../anchor-client/evidence/stream.ts'
import type { Entry } from './entry.ts'
import { type JournalReader, journalReader } from './journal-reader.ts'
import { type MadeSeal, makeSeal, type Standing } from './make-seal.ts'
import { openFiles } from './open-files.ts'
import type { Opened } from './replay.ts'
import type { DamagedRow, Row } from './row.ts'
import { rowsOf } from './row-source.ts'
import { type Scrubbed, type ScrubOptions, scrub } from './scrub.ts'
import { encodeSealRow } from './seal-row.ts'
import { encodeSignature, type SignedSize } from './signature-row.ts'
import { unmendable } from './snapshots.ts'
import { newStreamState, type StreamState } from './stream-state.ts'
import { startWriter } from './writer.ts'

export interface JournalIdentity {
  readonly gateway: Uint8Array
  readonly incarnation: number
  readonly hashId: HashId
}

/** What the header says beside what the journal knows. */
export type Statement = Pick<Header, 'wallMs' | 'boundMs' | 'beacon' | 'previous' | 'rotation'>

export interface Sealed {
  readonly header: Header
  /** Of the history, this header included. */
  readonly size: number
  readonly historyRoot: Uint8Array
  /** Leaves in the batch. */
  readonly count: number
}

export interface Journal extends AsyncDisposable {
  readonly identity: JournalIdentity
  /** What was found on open. */
  readonly opened: Opened
  readonly streams: ReadonlyMap<number, StreamState>
  readonly reader: JournalReader
  /** Committed and not sealed. */
  readonly unsealed: { readonly leaves: number; readonly bytes: number }
  /** The history that is sealed. */
  readonly size: number
  readonly historyRoot: Uint8Array
  readonly nextStreamNumber: number
  addStream(descriptorBytes: Uint8Array): StreamState
  add(entry: Entry, holdMs?: number): void
  /** Resolves when all that was added so far is on the disk, and rejects when it never will be. */
  flush(): Promise<void>
  /** Seals what is committed; header, segments and trees are on the disk when it resolves. */
  seal(state: () => Statement, isFinal?: boolean): Promise<Sealed>
  keepSignature(signed: SignedSize): Promise<void>
  /** Reads all that is sealed, and finds what is gone and not on record: to be done now and then, slowly. */
  scrub(options?: ScrubOptions): Promise<Scrubbed>
  /** Everything as it is on the disk. */
  rows(): AsyncGenerator<Row | DamagedRow, void>
  /** About how much of the disk it takes. */
  bytes(): Promise<number>
  /** Said of this start, kept in snapshots. */
  setBoot(boot: number, machineBoot: Uint8Array): void
}

export interface JournalOptions {
  readonly folder: string
  readonly indexFolder: string
  readonly identity: JournalIdentity
  readonly mayCreate: boolean
  readonly nowMs: () => number | null
  /** Opens for reading alone what cannot be gone on with: `opened.broken` says why. */
  readonly evenIfBroken?: boolean
  /** Called after each frame. */
  readonly onCommitted: () => void
  /** Nothing more is taken: it must be opened again. */
  readonly onBroken: (error: KedgeError) => void
}

export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { identity, nowMs, onCommitted, onBroken } = options
  const files = await openFiles(options, identity)
  const { rows, copies, index, tail, opened, firstRow } = files
  const { streams } = opened
  const hash = historyHash(identity.hashId)
  const standing: Standing = { ...opened }
  const unsealed = { leaves: 0, bytes: 0 }
  for (const { size, sealed } of streams.values()) unsealed.leaves += size - sealed.size
  const onFrame = (leaves: number, bytes: number) => {
    unsealed.leaves += leaves
    unsealed.bytes += bytes
    onCommitted()
  }
  const writer = startWriter({ rows, tail, firstRow, nowMs, onFrame, onBroken })
  /** The seals before this row are in the index. */
  let unindexedFrom = opened.batchFirstRow

  const mustBeWell = () => {
    const [why] = opened.broken
    if (why !== undefined) throw unmendable(why)
  }

  return {
    identity,
    opened,
    streams,
    reader: journalReader({
      rows: files,
      index,
      identity,
      nextRow: () => writer.committedRow,
      unindexedFrom: () => unindexedFrom,
      streams,
    }),
    unsealed,
    get size() {
      return standing.history.size
    },
    get historyRoot() {
      return frontierRoot(hash, standing.history)
    },
    get nextStreamNumber() {
      return standing.nextStream
    },
    addStream(descriptorBytes) {
      const opensAt = streams.get(controlStream.number)?.added ?? 0
      const stream = newStreamState(standing.nextStream++, descriptorBytes, opensAt)
      streams.set(stream.number, stream)
      // Found again from the journal where this fails.
      index.addStream(stream.number, descriptorBytes).catch(() => undefined)
      return stream
    },
    add(entry, holdMs = 0) {
      mustBeWell()
      entry.stream.added += 1
      writer.add(entry, holdMs)
    },
    flush: () => writer.flush(),
    async seal(state, isFinal = false) {
      mustBeWell()
      let made: MadeSeal | undefined
      let body: Uint8Array = new Uint8Array()
      const number = await writer.row(() => {
        made = makeSeal(identity, standing, streams, state(), isFinal)
        const { row, after } = made
        body = encodeSealRow(row)
        return { kind: 'seal', body, sync: true, after }
      })
      const { row, sealed } = made as MadeSeal
      Object.assign(unsealed, { leaves: 0, bytes: 0 })
      await Promise.all([
        copies.put({ number, kind: 'seal', body }, false),
        index.addSeal(number, row),
      ])
      unindexedFrom = Math.max(unindexedFrom, number + 1)
      return sealed
    },
    async keepSignature(signed) {
      await writer.row(() => ({ kind: 'signature', body: encodeSignature(signed), sync: false }))
    },
    scrub: (how = {}) => scrub(files, unindexedFrom, how),
    rows: () => rowsOf(files, 0, writer.committedRow),
    bytes: () => rows.bytes(),
    setBoot(boot, machineBoot) {
      Object.assign(standing, { boot, machineBoot })
    },
    async [Symbol.asyncDispose]() {
      await writer.flush().catch(() => undefined)
      await files[Symbol.asyncDispose]()
    },
  }
}
