/**
 * What publishers send, read strictly from MQTT 3.1.1 and 5. User names, passwords and wills are passed over
 * and never become text, so that nothing can log them.
 */
import { type Buffer, isUtf8 } from 'node:buffer'
import type { Frame } from './frames.ts'
import { type Cursor, cursorOf, readProperties, skip, takeText, takeUint } from './wire-fields.ts'

/** 4 is MQTT 3.1.1. */
export type Version = 4 | 5

export interface Connect {
  readonly type: 'connect'
  readonly version: Version
  readonly clientId: string
  readonly isClean: boolean
  readonly keepaliveMs: number
  /** Wants to be asked for more than a password. */
  readonly isExtended: boolean
}

export interface Publish {
  readonly type: 'publish'
  /** Null for a topic other than `ingest/` and a name. */
  readonly source: string | null
  /** That other topic, if it is text of at most 256 bytes. */
  readonly topic?: string | null
  readonly qos: 0 | 1 | 2
  /** 0 with QoS 0. */
  readonly id: number
  /** A view of the frame. */
  readonly payload: Buffer
}

export type Packet =
  | Connect
  | Publish
  | { readonly type: 'unknown version' | 'ping' | 'disconnect' | 'malformed' }
  | { readonly type: 'release'; readonly id: number }
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly id: number; readonly topics: number }

/** @param version undefined before CONNECT: nothing else comes first */
export function readPacket({ first, body }: Frame, version: Version | undefined): Packet {
  if (version === undefined) return first === 0x10 ? readConnect(body) : malformed
  if (first >> 4 === 3) return readPublish(first, body, version)
  switch (first) {
    case 0x62:
      return readRelease(body, version)
    case 0x82:
    case 0xa2:
      return readTopics(first === 0x82 ? 'subscribe' : 'unsubscribe', body, version)
    case 0xc0:
      return body.length === 0 ? { type: 'ping' } : malformed
    case 0xe0:
      return readDisconnect(body, version)
    default:
      // A second CONNECT, too, and answers to what was never sent.
      return malformed
  }
}

const malformed = { type: 'malformed' } as const

function readConnect(body: Buffer): Packet {
  const at = cursorOf(body)
  const name = takeText(at, 6)
  const version = takeUint(at, 1)
  // MQIsdp is what MQTT 3.1 called itself.
  if (at.isBroken || (name !== 'MQTT' && name !== 'MQIsdp')) return malformed
  if (name !== 'MQTT' || (version !== 4 && version !== 5)) return { type: 'unknown version' }
  const flags = takeUint(at, 1)
  const keepaliveMs = 1000 * takeUint(at, 2)
  const properties = version === 5 ? readProperties(at) : []
  const clientId = takeText(at, body.length)
  const hasWill = (flags & 0x04) !== 0
  const willFlags = flags & 0x38
  const isWillWrong = hasWill ? willFlags >> 3 === 3 || willFlags >> 3 === 7 : willFlags !== 0
  if (hasWill) {
    if (version === 5) readProperties(at)
    skip(at, takeUint(at, 2))
    skip(at, takeUint(at, 2))
  }
  if (flags & 0x80) skip(at, takeUint(at, 2))
  if (flags & 0x40) skip(at, takeUint(at, 2))
  const isPasswordAlone = version === 4 && (flags & 0xc0) === 0x40
  if ((flags & 1) !== 0 || isWillWrong || isPasswordAlone || !isWhole(at)) return malformed
  return {
    type: 'connect',
    version,
    clientId,
    isClean: (flags & 0x02) !== 0,
    keepaliveMs,
    isExtended: properties.includes(authenticationMethod),
  }
}

function readPublish(first: number, body: Buffer, version: Version): Packet {
  const qos = (first >> 1) & 3
  const at = cursorOf(body)
  const topicBytes = takeUint(at, 2)
  const topicAt = at.at
  skip(at, topicBytes)
  const id = qos > 0 ? takeUint(at, 2) : 0
  const hasAlias = version === 5 && readProperties(at).includes(topicAlias)
  // Aliases were not allowed, and without them a topic has a name.
  if (at.isBroken || qos === 3 || (qos > 0 && id === 0) || hasAlias || topicBytes === 0) {
    return malformed
  }
  const source = sourceOf(body, topicAt, topicBytes)
  const payload = body.subarray(at.at)
  if (source !== null) return { type: 'publish', source, qos: qos as 0 | 1 | 2, id, payload }
  const topic = textAt(body, topicAt, topicBytes)
  return { type: 'publish', source, topic, qos: qos as 0 | 1 | 2, id, payload }
}

function sourceOf(body: Buffer, at: number, length: number): string | null {
  if (length > longestTopic) return null
  // What is not ASCII does not match, however it is decoded.
  return topicForm.exec(body.toString('latin1', at, at + length))?.[1] ?? null
}

function textAt(body: Buffer, at: number, length: number): string | null {
  const bytes = body.subarray(at, at + length)
  if (length > longestOtherTopic || !isUtf8(bytes)) return null
  const text = bytes.toString()
  // Wildcards and zeros are in no topic.
  return /[+#\0]/.test(text) ? null : text
}

const longestOtherTopic = 256
const topicForm = /^ingest\/([A-Za-z0-9._-]{1,64})$/
const longestTopic = 'ingest/'.length + 64

function readRelease(body: Buffer, version: Version): Packet {
  const at = cursorOf(body)
  const id = takeUint(at, 2)
  readReason(at, version)
  return id > 0 && isWhole(at) ? { type: 'release', id } : malformed
}

function readDisconnect(body: Buffer, version: Version): Packet {
  const at = cursorOf(body)
  readReason(at, version)
  return isWhole(at) ? { type: 'disconnect' } : malformed
}

/** MQTT 5 may leave out the end of a packet that says nothing. */
function readReason(at: Cursor, version: Version): void {
  if (version === 4 || at.at === at.bytes.length) return
  takeUint(at, 1)
  if (at.at < at.bytes.length) readProperties(at)
}

function readTopics(type: 'subscribe' | 'unsubscribe', body: Buffer, version: Version): Packet {
  const at = cursorOf(body)
  const id = takeUint(at, 2)
  if (version === 5) readProperties(at)
  let topics = 0
  for (; !at.isBroken && at.at < body.length; topics++) {
    skip(at, takeUint(at, 2))
    if (type === 'subscribe') takeUint(at, 1)
  }
  return id > 0 && topics > 0 && isWhole(at) ? { type, id, topics } : malformed
}

const isWhole = (at: Cursor): boolean => !at.isBroken && at.at === at.bytes.length

const authenticationMethod = 0x15
const topicAlias = 0x23
