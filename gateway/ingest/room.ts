/** Memory that publications may take while they wait for the disk, shared by all connections. */
export interface Room {
  readonly isFull: boolean
  take(bytes: number): void
  give(bytes: number): void
  /** Calls once, when there is room again. */
  wait(proceed: () => void): void
  leave(proceed: () => void): void
}

export function openRoom(maxBytes: number): Room {
  let taken = 0
  let waiting = new Set<() => void>()
  return {
    get isFull() {
      return taken >= maxBytes
    },
    take(bytes) {
      taken += bytes
    },
    give(bytes) {
      taken -= bytes
      if (waiting.size === 0 || taken >= maxBytes) return
      const called = waiting
      waiting = new Set()
      process.nextTick(() => {
        for (const proceed of called) proceed()
      })
    },
    wait: (proceed) => waiting.add(proceed),
    leave: (proceed) => waiting.delete(proceed),
  }
}
