/** Messages of D-Bus: a header of fixed size, fields that name sender and meaning, and a body. */
import { garbled } from './dbus-types.ts'
import { type DBusValue, readerOf, type Variant, writeValues } from './dbus-values.ts'

export interface Call {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly DBusValue[]
}

export interface Message {
  readonly type: 'call' | 'return' | 'error' | 'signal'
  readonly replySerial: number | null
  readonly path: string | null
  readonly interface: string | null
  readonly member: string | null
  readonly errorName: string | null
  /** Set by the bus, which lets nobody sign as another. */
  readonly sender: string | null
  readonly body: readonly DBusValue[]
}

/** A device with all its services is said in a few KiB. */
export const maxMessageBytes = 1 << 20

/** What must be there before the length of a message is known. */
export const headBytes = 16

/** How many bytes the message has whose first sixteen these are. */
export function lengthOf(head: Uint8Array): number {
  const isLittle = isLittleEndian(head)
  if (head[3] !== 1) throw garbled(`a message of version ${head[3]}`)
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  const [bodyBytes, fieldBytes] = [view.getUint32(4, isLittle), view.getUint32(12, isLittle)]
  const length = headBytes + Math.ceil(fieldBytes / 8) * 8 + bodyBytes
  if (length > maxMessageBytes) throw garbled(`a message of ${length} bytes`)
  return length
}

/** One whole message; null if it is of a kind that later versions may bring. */
export function decodeMessage(bytes: Uint8Array): Message | null {
  const isLittle = isLittleEndian(bytes)
  const reader = readerOf(bytes, isLittle)
  const [, typeCode, , , bodyBytes, serial, listed] = reader.values('yyyyuua(yv)')
  reader.align(8)
  if (reader.at() + (bodyBytes as number) !== bytes.length) throw garbled('a body of another size')
  if (serial === 0 || typeCode === 0) throw garbled('a message without number or type')
  const fields = new Map<number, DBusValue>()
  for (const [code, said] of listed as [number, Variant][]) {
    const known = fieldTypes[code - 1]
    if (code === 0 || fields.has(code)) throw garbled('a header field that is none, or twice')
    if (known !== undefined && said.type !== known) throw garbled('a header field of another type')
    fields.set(code, said.value)
  }
  const type = (['call', 'return', 'error', 'signal'] as const)[(typeCode as number) - 1]
  if (type === undefined) return null
  const text = (code: number) => (fields.get(code) as string | undefined) ?? null
  const message = {
    ...{ type, path: text(1), interface: text(2), member: text(3), errorName: text(4) },
    replySerial: (fields.get(5) as number | undefined) ?? null,
    sender: text(7),
  }
  if (!isWhole(message)) throw garbled(`a message (${type}) without a header field that it needs`)
  const body = readerOf(bytes.subarray(bytes.length - (bodyBytes as number)), isLittle)
  const values = body.values(text(8) ?? '')
  if (body.at() !== bodyBytes) throw garbled('a body that is longer than its signature')
  return { ...message, body: values }
}

export function encodeCall(serial: number, call: Call): Uint8Array {
  const { signature = '', body = [] } = call
  const content = writeValues(signature, body)
  const named: readonly (readonly [number, string, string])[] = [
    [1, 'o', call.path],
    [2, 's', call.interface],
    [3, 's', call.member],
    [6, 's', call.destination],
    ...(signature === '' ? [] : [[8, 'g', signature] as const]),
  ]
  const fields = named.map(([code, type, value]) => [code, { type, value }] as const)
  const little = 'l'.charCodeAt(0)
  const head = writeValues('yyyyuua(yv)', [little, 1, 0, 1, content.length, serial, fields])
  const bytes = new Uint8Array(Math.ceil(head.length / 8) * 8 + content.length)
  bytes.set(head)
  bytes.set(content, bytes.length - content.length)
  return bytes
}

/** By their number, from 1: path, interface, member, error, answer to, destination, sender, signature, files. */
const fieldTypes = ['o', 's', 's', 's', 'u', 's', 's', 'g', 'u']

function isWhole(message: Omit<Message, 'body'>): boolean {
  const { type, path, member, errorName, replySerial } = message
  if (type === 'call') return path !== null && member !== null
  if (type === 'signal') return path !== null && member !== null && message.interface !== null
  return replySerial !== null && (type === 'return' || errorName !== null)
}

function isLittleEndian([order]: Uint8Array): boolean {
  if (order !== 0x6c && order !== 0x42) throw garbled('bytes that are no message')
  return order === 0x6c
}
