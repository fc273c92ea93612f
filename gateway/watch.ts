/** What nobody else notices: silence, a full disk, a clock that was set. */
import type { Live } from './live.ts'

const everyMs = 500
const roomEveryMs = 10_000

export function watching(live: Live): AsyncDisposable {
  const { recorder, streams, clock, room, presence, onEvent } = live
  let lookedMs = Number.NEGATIVE_INFINITY
  const timer = setInterval(() => {
    for (const stream of recorder.watch()) {
      onEvent({ event: 'gap', stream: streams.sourceOf(stream), cause: 'silent' })
    }
    presence.look()
    const now = performance.now()
    if (now - lookedMs < roomEveryMs) return
    lookedMs = now
    void room.look().catch(() => undefined)
    if (clock.look()) recorder.state(streams.control, { type: 'clock', time: clock.now() })
  }, everyMs)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
    },
  }
}
