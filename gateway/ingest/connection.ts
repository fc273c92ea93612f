/** One publisher's connection, from its first byte to its end. */
import type { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  accepted,
  completed,
  farewell,
  pong,
  type Reason,
  reasons,
  refusalOf,
  refused,
  refusedVersion,
  subscriptionRefused,
  unsubscribed,
} from './answers.ts'
import { openDeadlines } from './deadlines.ts'
import { type Frame, openFrames } from './frames.ts'
import { type Answer, openInFlight } from './in-flight.ts'
import type { Limits } from './limits.ts'
import { openOutbox } from './outbox.ts'
import { openPacketIds } from './packet-ids.ts'
import { type Connect, type Publish, readPacket, type Version } from './packets.ts'
import type { Room } from './room.ts'
import type { Rule } from './warnings.ts'

/** What all connections share. */
export interface Surroundings {
  readonly limits: Limits
  readonly room: Room
  take(source: string, payload: Uint8Array): Promise<void>
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
  const { limits, room, take, claim, warn } = surroundings
  const frames = openFrames(limits.packetBytes)
  const flights = openInFlight(room, limits.publicationBytes)
  const deadlines = openDeadlines(limits)
  const unreleased = openPacketIds()
  const outbox = openOutbox(socket, flights, afterFlush)
  const { say, flushSoon } = outbox
  let version: Version | undefined
  let clientId: string | null = null

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
      if (frame === 'too large') breakRule('too large', reasons.packetTooLarge)
      else if (frame === 'malformed') breakRule('malformed', reasons.malformed)
      else obey(frame)
    }
    deadlines.caughtUp(frames.isMidway, nowMs)
    if (isHeardOut) end(reasons.success)
  }

  function obey(frame: Frame): void {
    const packet = readPacket(frame, version)
    if (packet.type === 'connect') welcome(packet)
    else if (packet.type === 'unknown version') turnAway(refusedVersion)
    else if (packet.type === 'malformed' || version === undefined) {
      breakRule('malformed', reasons.malformed)
    } else if (packet.type === 'publish') receive(packet, version)
    else if (packet.type === 'release') {
      say(completed(version, packet.id, unreleased.delete(packet.id)))
    } else if (packet.type === 'subscribe') {
      say(subscriptionRefused(version, packet.id, packet.topics))
    } else if (packet.type === 'unsubscribe') say(unsubscribed(version, packet.id, packet.topics))
    else if (packet.type === 'ping') say(pong)
    else end(reasons.success)
  }

  function welcome(connect: Connect): void {
    const refusal = refusalOf(connect, limits)
    if (refusal !== null) {
      turnAway(refused(connect.version, refusal))
      return
    }
    const assignedId = connect.clientId === '' ? `kedge-${randomUUID()}` : null
    clientId = assignedId ?? connect.clientId
    version = connect.version
    deadlines.connected(connect.keepaliveMs)
    claim(clientId, connection)
    say(accepted(connect, assignedId, limits))
  }

  function turnAway(answer: Buffer): void {
    say(answer)
    end(reasons.success)
  }

  function receive({ source, qos, id, payload }: Publish, version: Version): void {
    const answer = answers[qos]
    if (payload.length > limits.payloadBytes) breakRule('too large', reasons.packetTooLarge)
    else if (source === null) {
      warn('topic', clientId)
      if (version === 5 && qos > 0) flights.addSettled(answer, id, reasons.topicInvalid)
      else end(reasons.topicInvalid)
    } else if (qos === 2 && !unreleased.add(id)) flights.addSettled(answer, id, reasons.success)
    else {
      const flight = flights.add(answer, id, payload.length)
      // A copy: else this one publication would hold on to everything that came in the same chunk.
      take(source, new Uint8Array(payload)).then(
        () => {
          flight.state = 'stored'
          flushSoon()
        },
        () => {
          flight.state = 'failed'
          warn('not stored', clientId)
          flushSoon()
        },
      )
      return
    }
    flushSoon()
  }

  function breakRule(rule: Rule, reason: Reason): void {
    warn(rule, clientId)
    end(reason)
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
    flushSoon()
  }

  function endIfAnswered(): void {
    if (!socket.writable || !(flights.isEmpty || flights.hasFailed)) return
    const bytes = lastWord === reasons.success ? null : farewell(version, lastWord)
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

const answers: readonly [Answer, Answer, Answer] = [0, 0x40, 0x50]
