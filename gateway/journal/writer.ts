/**
 * Group commit without a timer: an idle disk takes what there is at once, and what arrives while it writes is
 * the next frame. Every row of the journal passes here, one after the other.
 */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { encodeFrame, type Run, type StoredLeaf, storedBytes } from './frame.ts'
import { leafHashes } from './leaf-hashes.ts'
import type { RowKind, RowStore } from './row-store.ts'
import type { StreamState } from './stream-state.ts'

export interface Entry {
  readonly stream: StreamState
  readonly leaf: StoredLeaf
  /** Called when it is on the disk, with its index. */
  readonly committed?: ((index: number) => void) | undefined
  /** Called when that failed: nobody knows what the disk holds. */
  readonly failed?: ((error: KedgeError) => void) | undefined
}

export interface Writer {
  /** What nobody waits for may be held back for so long, to be written with others. */
  add(entry: Entry, holdMs: number): void
  /** Writes the row that `make` gives, between two frames. Resolves to its number. */
  row(make: () => Made): Promise<number>
  /** Resolves when all that was added so far is on the disk. */
  flush(): Promise<void>
  readonly nextRow: number
}

interface Made {
  readonly kind: RowKind
  readonly body: Uint8Array
  readonly sync: boolean
  /** Runs when the row is on the disk, before anything else is written. */
  readonly after?: (number: number) => void
}

const maxLeaves = 4096
const maxBytes = 256 * 1024

export function startWriter(
  rows: RowStore,
  firstRow: number,
  nowMs: () => number | null,
  onCommitted: () => void,
  onBroken: (error: KedgeError) => void,
): Writer {
  let queue: Entry[] = []
  let taken = 0
  let held: NodeJS.Timeout | undefined
  let heldUntilMs = Number.POSITIVE_INFINITY
  const work: (() => Promise<void>)[] = []
  const waiting: (() => void)[] = []
  let nextRow = firstRow
  let isBusy = false
  let broken: KedgeError | undefined

  const put = async (kind: RowKind, body: Uint8Array, sync: boolean): Promise<number> => {
    if (broken) throw broken
    const number = nextRow++
    try {
      await rows.put({ number, kind, body }, sync)
    } catch (cause) {
      const why = (cause as Error).message
      broken = new KedgeError('STORE_FAILED', `the journal could not be written: ${why}`, {
        hint: 'Check the disk and the room on it. Nothing more is taken before it is opened again.',
        cause,
      })
      onBroken(broken)
      throw broken
    }
    return number
  }

  async function pump(): Promise<void> {
    if (isBusy) return
    isBusy = true
    try {
      for (;;) {
        const job = work.shift()
        if (job) await job()
        else if (isDue()) await writeFrame(takeFrame())
        else break
      }
    } finally {
      isBusy = false
    }
    if (taken === queue.length) for (const wake of waiting.splice(0)) wake()
  }

  const isDue = () =>
    taken < queue.length && (waiting.length > 0 || performance.now() >= heldUntilMs)

  function takeFrame(): Entry[] {
    const from = taken
    let bytes = 0
    while (taken < queue.length && taken - from < maxLeaves && bytes < maxBytes) {
      bytes += storedBytes((queue[taken++] as Entry).leaf)
    }
    const frame = queue.slice(from, taken)
    if (taken === queue.length) {
      queue = []
      taken = 0
      heldUntilMs = Number.POSITIVE_INFINITY
      clearTimeout(held)
      held = undefined
    }
    return frame
  }

  async function writeFrame(entries: readonly Entry[]): Promise<void> {
    const groups = grouped(entries)
    const runs: Run[] = []
    for (const { stream, entries: of } of groups) {
      runs.push({ stream: stream.number, start: stream.assigned, leaves: of.map((e) => e.leaf) })
      stream.assigned += of.length
    }
    try {
      const written = put('frame', encodeFrame(nowMs(), runs), true)
      // While the disk writes there is time to hash.
      const hashes = runs.map(({ leaves }) => leafHashes(leaves))
      await written
      for (const [i, { stream, entries: of }] of groups.entries()) {
        stream.fresh.push(hashes[i] as Uint8Array)
        stream.size += of.length
      }
    } catch (error) {
      const reason = broken ?? (error as KedgeError)
      for (const entry of entries) entry.failed?.(reason)
      if (broken === undefined) throw error
      return
    }
    for (const [i, { entries: of }] of groups.entries()) {
      const { start } = runs[i] as Run
      for (let k = 0; k < of.length; k++) (of[k] as Entry).committed?.(start + k)
    }
    onCommitted()
  }

  return {
    get nextRow() {
      return nextRow
    },
    add(entry, holdMs) {
      if (broken) {
        entry.failed?.(broken)
        return
      }
      queue.push(entry)
      const dueMs = performance.now() + holdMs
      if (dueMs < heldUntilMs) {
        heldUntilMs = dueMs
        clearTimeout(held)
        if (holdMs > 0) held = setTimeout(() => void pump(), holdMs)
      }
      // What comes in one turn of the event loop goes into one frame.
      if (holdMs <= 0) queueMicrotask(() => void pump())
    },
    row: (make) =>
      new Promise((resolve, reject) => {
        work.push(async () => {
          try {
            const { kind, body, sync, after } = make()
            const number = await put(kind, body, sync)
            after?.(number)
            resolve(number)
          } catch (error) {
            reject(error)
          }
        })
        void pump()
      }),
    flush: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        void pump()
      }),
  }
}

/** Entries by stream, each in the order in which they came. */
function grouped(entries: readonly Entry[]) {
  const groups = new Map<StreamState, Entry[]>()
  for (const entry of entries) {
    const group = groups.get(entry.stream)
    if (group) group.push(entry)
    else groups.set(entry.stream, [entry])
  }
  return Array.from(groups, ([stream, of]) => ({ stream, entries: of }))
}
