/** A leaf on its way into the journal, and frames of them. */
import type { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Run, StoredLeaf } from './frame.ts'
import type { StreamState } from './stream-state.ts'

export interface Entry {
  readonly stream: StreamState
  readonly leaf: StoredLeaf
  /** Called when it is on the disk, with its index, in the order in which entries were added. */
  readonly committed?: ((index: number) => void) | undefined
  /** Called when that failed: nobody knows what the disk holds. */
  readonly failed?: ((error: KedgeError) => void) | undefined
}

/** Entries by stream, each in the order in which they came; indices are given away here. */
export function runsOf(entries: readonly Entry[], first: Map<StreamState, number>) {
  const runs = new Map<StreamState, StoredLeaf[]>()
  for (const { stream, leaf } of entries) {
    const run = runs.get(stream)
    if (run) run.push(leaf)
    else runs.set(stream, [leaf])
  }
  return Array.from(runs, ([stream, leaves]) => {
    const start = stream.assigned
    stream.assigned += leaves.length
    first.set(stream, start)
    const run: Run = { stream: stream.number, start, leaves }
    return { stream, run }
  })
}
