/** What one publisher says, packet by packet, and what it is answered. */
import type { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import {
  accepted,
  completed,
  pong,
  type Reason,
  reasons,
  refusalOf,
  refused,
  refusedVersion,
  subscriptionRefused,
  unsubscribed,
} from './answers.ts'
import type { Surroundings } from './connection.ts'
import type { Frame } from './frames.ts'
import type { Answer, InFlight } from './in-flight.ts'
import type { Outbox } from './outbox.ts'
import { openPacketIds } from './packet-ids.ts'
import { type Connect, type Publish, readPacket, type Version } from './packets.ts'
import type { Rule } from './warnings.ts'

export interface Conversation {
  /** Undefined before the publisher has said who it is. */
  readonly version: Version | undefined
  obey(frame: Frame): void
  breakRule(rule: Rule, reason: Reason): void
}

interface Line {
  readonly flights: InFlight
  readonly outbox: Outbox
  connected(clientId: string, keepaliveMs: number): void
  end(reason: Reason): void
}

export function openConversation(
  { limits, take, route, warn }: Pick<Surroundings, 'limits' | 'take' | 'route' | 'warn'>,
  { flights, outbox: { say, flushSoon }, connected, end }: Line,
): Conversation {
  const unreleased = openPacketIds()
  let version: Version | undefined
  let clientId: string | null = null

  return {
    get version() {
      return version
    },
    obey,
    breakRule,
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
    connected(clientId, connect.keepaliveMs)
    say(accepted(connect, assignedId, limits))
  }

  function turnAway(answer: Buffer): void {
    say(answer)
    end(reasons.success)
  }

  function receive({ source, topic = null, qos, id, payload }: Publish, version: Version): void {
    const answer = answers[qos]
    const way = source !== null ? take(source) : topic === null ? 'refuse' : route(topic)
    if (payload.length > limits.payloadBytes) breakRule('too large', reasons.packetTooLarge)
    else if (way === 'ignore') flights.addSettled(answer, id, reasons.success)
    else if (way === 'refuse') {
      warn('topic', clientId)
      if (version === 5 && qos > 0) flights.addSettled(answer, id, reasons.topicInvalid)
      else end(reasons.topicInvalid)
    } else if (qos === 2 && !unreleased.add(id)) flights.addSettled(answer, id, reasons.success)
    else {
      const flight = flights.add(answer, id, payload.length)
      // A copy: else this one publication would hold on to everything that came in the same chunk.
      way(new Uint8Array(payload)).then(
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
}

const answers: readonly [Answer, Answer, Answer] = [0, 0x40, 0x50]
