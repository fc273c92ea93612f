import type { Entry } from './entry.ts'
import { storedBytes } from './frame.ts'

/** What waits for the next frames, in the order in which it came; what nobody waits for may be held back. */
interface FrameQueue {
  add(entry: Entry, holdMs: number): void
  readonly isEmpty: boolean
  /** Something in it was held for as long as it may be. */
  isDue(): boolean
  /** The entries of one frame: as many as a frame may have. */
  take(): readonly Entry[]
  /** Ends it; gives what was not taken. */
  clear(): readonly Entry[]
}

const maxLeaves = 4096
const maxBytes = 256 * 1024

/** @param onDue called when what was held back is due */
export function openFrameQueue(onDue: () => void): FrameQueue {
  let queue: Entry[] = []
  let taken = 0
  let held: NodeJS.Timeout | undefined
  let heldUntilMs = Number.POSITIVE_INFINITY

  function onHeld(): void {
    // A timer may fire a little before its time.
    heldUntilMs = Number.NEGATIVE_INFINITY
    onDue()
  }

  return {
    add(entry, holdMs) {
      queue.push(entry)
      const dueMs = performance.now() + holdMs
      if (dueMs >= heldUntilMs) return
      heldUntilMs = dueMs
      clearTimeout(held)
      held = holdMs > 0 ? setTimeout(onHeld, holdMs) : undefined
    },
    get isEmpty() {
      return taken === queue.length
    },
    isDue: () => taken < queue.length && performance.now() >= heldUntilMs,
    take() {
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
      } else if (taken > 4 * maxLeaves) {
        // A source that is always faster than the disk must not be remembered for ever.
        queue = queue.slice(taken)
        taken = 0
      }
      return frame
    },
    clear() {
      clearTimeout(held)
      const left = queue.splice(0).slice(taken)
      taken = 0
      return left
    },
  }
}
