/** What is said to publishers. */
import { Buffer } from 'node:buffer'
import type { Limits } from './limits.ts'
import type { Connect, Version } from './packets.ts'

/** Reason codes of MQTT 5; 3.1.1 knows but three of them, and only in answer to CONNECT. */
export const reasons = {
  success: 0x00,
  unspecified: 0x80,
  malformed: 0x81,
  unknownVersion: 0x84,
  clientIdInvalid: 0x85,
  notAuthorized: 0x87,
  stopping: 0x8b,
  badAuthentication: 0x8c,
  keepaliveTimeout: 0x8d,
  takenOver: 0x8e,
  topicInvalid: 0x90,
  idNotFound: 0x92,
  packetTooLarge: 0x95,
} as const

export type Reason = (typeof reasons)[keyof typeof reasons]

/**
 * Session present is always 0: nothing of a session outlives its connection. It could only hold which QoS 2
 * packets were not released yet, and whoever sends one of them again under its `id` has it stored once.
 */
export function accepted(connect: Connect, assignedId: string | null, limits: Limits): Buffer {
  if (connect.version === 4) return Buffer.of(0x20, 2, 0, 0)
  const properties = Buffer.alloc(5 + 3 + 5)
  // No session: it expires at once, whatever was asked for.
  properties[0] = 17
  properties[5] = 33
  properties.writeUInt16BE(receiveMaximum, 6)
  properties[8] = 39
  properties.writeUInt32BE(limits.packetBytes, 9)
  const assigned = assignedId === null ? '' : assignedId
  const name = assignedId === null ? [] : [18, 0, assigned.length, ...Buffer.from(assigned)]
  const length = properties.length + name.length
  return Buffer.concat([Buffer.of(0x20, 3 + length, 0, 0, length), properties, Buffer.from(name)])
}

/** As many as wait in a usual commit; who sends more is read more slowly. */
const receiveMaximum = 2048

/** Why this publisher is not let in; null where it is. */
export function refusalOf(connect: Connect, limits: Limits): Reason | null {
  if (connect.isExtended) return reasons.badAuthentication
  if (connect.clientId.length > limits.clientIdBytes) return reasons.clientIdInvalid
  // Who wants its session kept must say whose it is.
  if (connect.version === 4 && connect.clientId === '' && !connect.isClean) {
    return reasons.clientIdInvalid
  }
  return null
}

export function refused(version: Version, reason: Reason): Buffer {
  if (version === 5) return Buffer.of(0x20, 3, 0, reason, 0)
  return Buffer.of(0x20, 2, 0, { [reasons.clientIdInvalid as number]: 2 }[reason] ?? 3)
}

/** In the form of 3.1.1: there is no telling what the publisher would understand. */
export const refusedVersion = Buffer.of(0x20, 2, 0, 1)

export function completed(version: Version, id: number, wasKnown: boolean): Buffer {
  return wasKnown || version === 4
    ? Buffer.of(0x70, 2, id >> 8, id & 0xff)
    : Buffer.of(0x70, 3, id >> 8, id & 0xff, reasons.idNotFound)
}

export const pong = Buffer.of(0xd0, 0)

/** Nothing is published here, so there is nothing to subscribe to. */
export function subscriptionRefused(version: Version, id: number, topics: number): Buffer {
  return version === 5
    ? withLength(0x90, [id >> 8, id & 0xff, 0], topics, reasons.notAuthorized)
    : withLength(0x90, [id >> 8, id & 0xff], topics, 0x80)
}

export function unsubscribed(version: Version, id: number, topics: number): Buffer {
  return version === 5
    ? withLength(0xb0, [id >> 8, id & 0xff, 0], topics, noSubscription)
    : withLength(0xb0, [id >> 8, id & 0xff], 0, 0)
}

const noSubscription = 0x11

/** Only MQTT 5 has a word for it. */
export const farewell = (version: Version | undefined, reason: Reason): Buffer | null =>
  version === 5 ? Buffer.of(0xe0, 1, reason) : null

function withLength(first: number, start: readonly number[], codes: number, code: number): Buffer {
  let length = start.length + codes
  const head = [first]
  for (; length > 0x7f; length >>= 7) head.push((length & 0x7f) | 0x80)
  return Buffer.concat([Buffer.of(...head, length, ...start), Buffer.alloc(codes, code)])
}
