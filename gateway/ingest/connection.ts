/** One publisher's connection, from its first byte to its end. */
import type { Socket } from 'node:net'
import { farewell, type Reason, reasons } from './answers.ts'
import { openConversation } from './conversation.ts'
import { openDeadlines } from './deadlines.ts'
import { openFrames } from './frames.ts'
import { openInFlight } from './in-flight.ts'
import type { Limits } from './limits.ts'
import { openOutbox } from './outbox.ts'
import type { Room } from './room.ts'
import type { Rule } from './warnings.ts'

/** What becomes of a publication; it resolves once that is on disk: stored, or refused and recorded. */
export type Route = 'ignore' | 'refuse' | ((payload: Uint8Array) => Promise<void>)

/** What all connections share. */
export interface Surroundings {
  readonly limits: Limits
  readonly room: Room
  /** What stood after `ingest/`. */
  take(source: string): Exclude<Route, string>
  /** A topic of the publisher's own. */
  route(topic: string): Route
  /** A publisher is there under this name: an older connection of that name ends. */
  claim(clientId: string, connection: Connection): void
  warn(rule: Rule, clientId: string | null): void
}

export interface Connection {
  readonly closed: Promise<void>
  /** Takes nothing more, and ends once what was taken is answered; that is not waited for long. */
  end(reason: Reason): void
  /** Ends what is overdue. */
  sweep(nowMs: number): void
}

export function openConnection(socket: Socket, surroundings: Surroundings): Connection {
  const { limits, room } = surroundings
  const frames = openFrames(limits.packetBytes)
  const flights = openInFlight(room, limits.publicationBytes)
  const deadlines = openDeadlines(limits)
  const outbox = openOutbox(socket, flights, afterFlush)
  const conversation = openConversation(surroundings, {
    flights,
    outbox,
    end,
    connected(clientId, keepaliveMs) {
      deadlines.connected(keepaliveMs)
      surroundings.claim(clientId, connection)
    },
  })

  let isPaused = false
  // Whoever says no more may still listen.
  let isHeardOut = false
  let isEnding = false
  let lastWord: Reason = reasons.success

  const connection: Connection = {
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    end,
    sweep,
  }
  socket.on('data', (chunk) => {
    if (isEnding) return
    frames.feed(chunk)
    work()
  })
  socket.once('end', () => {
    isHeardOut = true
    if (!isPaused) end(reasons.success)
  })
  socket.on('drain', () => {
    deadlines.unread(false, performance.now())
    proceed()
  })
  // `close` follows, and there is nobody to tell.
  socket.on('error', () => {})
  socket.once('close', () => {
    isEnding = true
    room.leave(proceed)
  })
  return connection

  /** Reads on where it was left off, unless too much waits. */
  function work(): void {
    const nowMs = performance.now()
    while (!isEnding) {
      if (isCrowded()) {
        pause()
        return
      }
      const frame = frames.next()
      if (frame === undefined) break
      deadlines.heard(nowMs)
      if (frame === 'too large') conversation.breakRule('too large', reasons.packetTooLarge)
      else if (frame === 'malformed') conversation.breakRule('malformed', reasons.malformed)
      else conversation.obey(frame)
    }
    deadlines.caughtUp(frames.isMidway, nowMs)
    if (isHeardOut) end(reasons.success)
  }

  function afterFlush(): void {
    if (socket.writableNeedDrain) deadlines.unread(true, performance.now())
    if (flights.hasFailed) end(reasons.unspecified)
    if (isEnding) endIfAnswered()
    else proceed()
  }

  function isCrowded(): boolean {
    return (
      flights.bytes >= limits.backlogBytes ||
      outbox.bytes >= limits.answersBytes ||
      socket.writableNeedDrain ||
      room.isFull
    )
  }

  function pause(): void {
    isPaused = true
    socket.pause()
    if (room.isFull) room.wait(proceed)
  }

  function proceed(): void {
    if (!isPaused || isEnding) return
    isPaused = false
    deadlines.resumed(performance.now())
    work()
    if (!isPaused) socket.resume()
  }

  function end(reason: Reason): void {
    if (isEnding) return
    isEnding = true
    lastWord = reason
    deadlines.end(performance.now() + limits.endMs)
    // Read on and forget: a socket that is closed with something unread in it takes its last answers with it.
    socket.resume()
    outbox.flushSoon()
  }

  function endIfAnswered(): void {
    if (!socket.writable || !(flights.isEmpty || flights.hasFailed)) return
    const bytes = lastWord === reasons.success ? null : farewell(conversation.version, lastWord)
    if (bytes !== null) socket.write(bytes)
    socket.end()
    deadlines.end(performance.now() + limits.lingerMs)
  }

  function sweep(nowMs: number): void {
    const missed = deadlines.missed(nowMs, isPaused)
    if (missed === 'gone') socket.destroy()
    else if (missed === 'silent') end(reasons.keepaliveTimeout)
  }
}
