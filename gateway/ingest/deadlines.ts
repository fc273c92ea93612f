import type { Limits } from './limits.ts'

/** What a connection must do in time. Times are those of `performance.now()`. */
export interface Deadlines {
  /** A whole packet came. */
  heard(nowMs: number): void
  /** Everything that came is read; a packet may have been begun. */
  caughtUp(isMidway: boolean, nowMs: number): void
  /** The publisher is listened to again: meanwhile it could not be heard. */
  resumed(nowMs: number): void
  /** Answers lie there that the publisher has not read, or no longer. */
  unread(areUnread: boolean, nowMs: number): void
  connected(keepaliveMs: number): void
  end(byMs: number): void
  /** Too late for any word, or silent for longer than agreed. */
  missed(nowMs: number, isPaused: boolean): 'gone' | 'silent' | undefined
}

export function openDeadlines(limits: Limits): Deadlines {
  const openedMs = performance.now()
  let heardMs = openedMs
  let begunMs = never
  let unreadMs = never
  let endMs = never
  let connectByMs = openedMs + limits.connectMs
  // MQTT grants half as much again.
  let silenceMs = never

  return {
    heard(nowMs) {
      heardMs = nowMs
      begunMs = never
    },
    caughtUp(isMidway, nowMs) {
      if (isMidway) begunMs = Math.min(begunMs, nowMs)
    },
    resumed(nowMs) {
      heardMs = nowMs
      begunMs = never
    },
    unread(areUnread, nowMs) {
      unreadMs = areUnread ? Math.min(unreadMs, nowMs) : never
    },
    connected(keepaliveMs) {
      connectByMs = never
      if (keepaliveMs > 0) silenceMs = 1.5 * keepaliveMs
    },
    end(byMs) {
      endMs = Math.min(endMs, byMs)
    },
    missed(nowMs, isPaused) {
      if (nowMs > Math.min(endMs, connectByMs, unreadMs + limits.stalledMs)) return 'gone'
      if (isPaused) return undefined
      if (nowMs > begunMs + limits.stalledMs) return 'gone'
      return nowMs > heardMs + silenceMs ? 'silent' : undefined
    },
  }
}

const never = Number.POSITIVE_INFINITY
