/**
 * Group commit without a timer: an idle disk takes what there is at once, and what arrives while it writes is
 * the next frame. Every row of the journal passes here, one after the other.
 */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Entry, runsOf } from './entry.ts'
import { encodeFrame, headOf } from './frame.ts'
import { openFrameQueue } from './frame-queue.ts'
import { leafHashes } from './leaf-hashes.ts'
import type { RowKind } from './row.ts'
import type { RowStore } from './row-store.ts'
import type { StreamState } from './stream-state.ts'
import type { Tail } from './tail.ts'

interface Writer {
  /** What nobody waits for may be held back for so long, to be written with others. */
  add(entry: Entry, holdMs: number): void
  /** Writes the row that `make` gives, between two frames. Resolves to its number. */
  row(make: () => Made): Promise<number>
  /** Resolves when all that was added so far is on the disk, and rejects when it never will be. */
  flush(): Promise<void>
  /** The rows before this one are written. */
  readonly committedRow: number
}

interface Made {
  readonly kind: RowKind
  readonly body: Uint8Array
  readonly sync: boolean
  /** Runs when the row is on the disk, before anything else is written. */
  readonly after?: (number: number) => void
}

interface WriterParts {
  readonly rows: Pick<RowStore, 'put'>
  readonly tail: Pick<Tail, 'add'>
  readonly firstRow: number
  readonly nowMs: () => number | null
  /** After each frame and its callbacks. */
  readonly onFrame: (leaves: number, bytes: number) => void
  readonly onBroken: (error: KedgeError) => void
}

interface Waiting {
  /** Entries added until then. */
  readonly count: number
  readonly resolve: () => void
  readonly reject: (error: KedgeError) => void
}

export function startWriter({
  rows,
  tail,
  firstRow,
  nowMs,
  onFrame,
  onBroken,
}: WriterParts): Writer {
  const queue = openFrameQueue(() => void pump())
  let added = 0
  let done = 0
  const work: (() => Promise<void>)[] = []
  let waiting: Waiting[] = []
  let committedRow = firstRow
  let isBusy = false
  let isCalled = false
  let broken: KedgeError | undefined

  function fail(cause: unknown): KedgeError {
    if (broken) return broken
    const why = cause instanceof Error ? cause.message : String(cause)
    broken = new KedgeError('STORE_FAILED', `the journal could not be written: ${why}`, {
      hint: 'Check the disk and the room on it. Nothing more is taken before it is opened again.',
      cause,
    })
    onBroken(broken)
    for (const { failed } of queue.clear()) failed?.(broken)
    for (const { reject } of waiting.splice(0)) reject(broken)
    return broken
  }

  async function pump(): Promise<void> {
    if (isBusy) return
    isBusy = true
    try {
      for (;;) {
        const job = work.shift()
        if (job) await job()
        else if (isDue()) await writeFrame(queue.take())
        else break
      }
    } finally {
      isBusy = false
    }
  }

  const isDue = () =>
    broken === undefined && !queue.isEmpty && (waiting.length > 0 || queue.isDue())

  async function writeFrame(entries: readonly Entry[]): Promise<void> {
    const number = committedRow
    const first = new Map<StreamState, number>()
    let bytes = 0
    try {
      const runs = runsOf(entries, first)
      const body = encodeFrame(
        nowMs(),
        runs.map(({ run }) => run),
      )
      bytes = body.length
      const written = rows.put({ number, kind: 'frame', body }, true)
      // While the disk writes there is time to hash.
      const hashes = runs.map(({ run: { leaves } }) => leafHashes(leaves))
      await written
      tail.add(number, { kind: 'frame', runs: runs.map(({ run }) => headOf(run)) })
      committedRow = number + 1
      for (const [i, { stream, run }] of runs.entries()) {
        stream.fresh.push(hashes[i] as Uint8Array)
        stream.size += run.leaves.length
      }
    } catch (error) {
      const reason = fail(error)
      for (const { failed } of entries) failed?.(reason)
      return
    }
    for (const { stream, committed } of entries) {
      const index = first.get(stream) as number
      first.set(stream, index + 1)
      committed?.(index)
    }
    done += entries.length
    onFrame(entries.length, bytes)
    const isServed = ({ count }: Waiting) => count <= done
    for (const { resolve } of waiting.filter(isServed)) resolve()
    waiting = waiting.filter((of) => !isServed(of))
  }

  function writeRow(make: () => Made): Promise<number> {
    return new Promise((resolve, reject) => {
      work.push(async () => {
        try {
          if (broken) throw broken
          const number = committedRow
          const { kind, body, sync, after } = make()
          await rows.put({ number, kind, body }, sync).catch((cause) => {
            throw fail(cause)
          })
          tail.add(number, { kind, runs: [] })
          committedRow = number + 1
          after?.(number)
          resolve(number)
        } catch (error) {
          reject(error)
        }
      })
      void pump()
    })
  }

  return {
    get committedRow() {
      return committedRow
    },
    add(entry, holdMs) {
      if (broken) {
        entry.failed?.(broken)
        return
      }
      queue.add(entry, holdMs)
      added += 1
      // What comes in one turn of the event loop goes into one frame.
      if (holdMs > 0 || isCalled || isBusy) return
      isCalled = true
      queueMicrotask(() => {
        isCalled = false
        void pump()
      })
    },
    row: writeRow,
    flush: () =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken)
        if (done === added) return resolve()
        waiting.push({ count: added, resolve, reject })
        void pump()
      }),
  }
}
