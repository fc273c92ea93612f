import { compareBytes, utf8 } from './bytes.ts'
import {
  type Cursor,
  decodeWhole,
  malformed,
  readArray,
  readBoolean,
  readCount,
  readFixedBytes,
  readOptional,
  readTuple,
  readUint,
} from './codec.ts'
import { encode, type Item } from './encode.ts'
import type { Descriptor, Kinds, Promised } from './model.ts'
import { sm3 } from './sm3.ts'
import { maxSpan, maxUint32, readLongText, readName } from './values.ts'

/** What a stream says of itself for ever (FORMAT.md section 4). */

export const controlStream = { number: 0, source: 'control' } as const

const tagPrefix = utf8('kedge/stream/v1\0')

export const streamTag = (descriptor: Uint8Array): Uint8Array => sm3(tagPrefix, descriptor)

/** The longest silence that a promise allows, or null where nothing is promised. */
export function limitMs(promise: Promised): number | null {
  if (promise === null) return null
  return promise.type === 'period' ? promise.ms + promise.toleranceMs : promise.ms
}

export const decodeDescriptor = (bytes: Uint8Array): Descriptor =>
  decodeWhole(bytes, readDescriptor)

export function readDescriptor(cursor: Cursor): Descriptor {
  readTuple(cursor, 8, 'a descriptor')
  const descriptor: Descriptor = {
    gateway: readFixedBytes(cursor, 32),
    incarnation: readUint(cursor, maxUint32),
    number: readUint(cursor, maxUint32),
    source: readLongText(cursor),
    kinds: readOptional(cursor, readKinds),
    erasable: readBoolean(cursor),
    promise: readOptional(cursor, readPromise),
    predecessor: readOptional(cursor, (tag) => readFixedBytes(tag, 32)),
  }
  if (descriptor.erasable && descriptor.predecessor !== null) {
    throw malformed(cursor, 'an erasable stream without predecessor')
  }
  const { number, source, kinds, erasable, predecessor } = descriptor
  const isControl = number === controlStream.number
  if (isControl !== (source === controlStream.source)) {
    throw malformed(cursor, 'the name control for stream 0 and no other')
  }
  if (isControl && (kinds?.length !== 0 || erasable || predecessor !== null)) {
    throw malformed(cursor, 'a control stream without kinds, erasure and predecessor')
  }
  return descriptor
}

function readKinds(cursor: Cursor): Kinds {
  const kinds: string[] = []
  for (let left = readCount(cursor, 0, 32, 'kinds'); left > 0; left--) {
    const kind = readName(cursor)
    const before = kinds.at(-1)
    if (before !== undefined && compareBytes(utf8(before), utf8(kind)) >= 0) {
      throw malformed(cursor, 'kinds in ascending order')
    }
    kinds.push(kind)
  }
  return kinds
}

function readPromise(cursor: Cursor): Promised {
  const length = readArray(cursor, 'a promise')
  const type = readUint(cursor)
  if (type === 1 && length === 3) {
    return { type: 'counter', modulus: readAtLeast(cursor, 2), ms: readAtLeast(cursor, 1) }
  }
  if (type === 2 && length === 3) {
    return { type: 'period', ms: readAtLeast(cursor, 1), toleranceMs: readAtLeast(cursor, 0) }
  }
  if (type === 3 && length === 2) return { type: 'events', ms: readAtLeast(cursor, 1) }
  throw malformed(cursor, 'a promise: counter, period or events')
}

function readAtLeast(cursor: Cursor, least: number): number {
  const value = readUint(cursor, maxSpan)
  if (value < least) throw malformed(cursor, `at least ${least}`)
  return value
}

export const encodeDescriptor = (descriptor: Descriptor): Uint8Array =>
  encode([
    descriptor.gateway,
    descriptor.incarnation,
    descriptor.number,
    descriptor.source,
    descriptor.kinds,
    descriptor.erasable,
    promiseItem(descriptor.promise),
    descriptor.predecessor,
  ])

function promiseItem(promise: Promised): Item {
  switch (promise?.type) {
    case undefined:
      return null
    case 'counter':
      return [1, promise.modulus, promise.ms]
    case 'period':
      return [2, promise.ms, promise.toleranceMs]
    case 'events':
      return [3, promise.ms]
  }
}
