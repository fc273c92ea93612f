/** What publishers may say, judged before it becomes a reading. Refusals name a key and never quote a value. */
import { hexToBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import type { Value } from '../../anchor-client/evidence/model.ts'
import { parseTime } from '../../anchor-client/evidence/rfc3339.ts'
import { namePattern } from '../../anchor-client/evidence/values.ts'
import { decimalOf } from '../../drivers/decimal.ts'
import { type Json, named, readJson } from '../../drivers/json.ts'
import { severalOf } from './numbers.ts'

export interface IngestReading {
  readonly kind: string
  readonly value: Value
  readonly unit: string | null
  readonly id: string | null
  /** RFC 3339, as the publisher wrote it. */
  readonly time: string | null
}

export type Payload = { readonly reading: IngestReading } | { readonly refused: string }

const maxPayloadBytes = 4096
const maxDepth = 3

export function readPayload(payload: Uint8Array): Payload {
  if (payload.length > maxPayloadBytes) return refusal('the payload is larger than 4 KiB')
  const json = readJson(payload, maxDepth)
  if ('fault' in json) return refusal(json.fault)
  if (!(json.value instanceof Map)) return refusal('the payload is no JSON object')
  const object = json.value as ReadonlyMap<string, Json>
  for (const key of object.keys()) {
    if (!keys.has(key)) return refusal(`${named(key)} is not known here`)
  }

  const kind = object.get('kind')
  if (kind === undefined) return refusal('the key kind is missing')
  if (typeof kind !== 'string' || !namePattern.test(kind)) {
    return refusal('kind is no name of small letters, digits and dashes, at most 32')
  }
  if (!object.has('value')) return refusal('the key value is missing')
  const read = readValue(kind, object.get('value') as Json)
  if ('refused' in read) return read

  // Who has nothing to say may say null.
  const unit = object.get('unit') ?? null
  if (unit !== null && (typeof unit !== 'string' || !unitPattern.test(unit))) {
    return refusal('unit is no UCUM unit of 1 to 16 printable characters')
  }
  const id = object.get('id') ?? null
  if (id !== null && (typeof id !== 'string' || !isShort(id, maxIdBytes))) {
    return refusal(`id is no text of 1 to ${maxIdBytes} bytes`)
  }
  const time = object.get('time') ?? null
  if (time !== null && (typeof time !== 'string' || parseTime(time) === undefined)) {
    return refusal('time is no RFC 3339 time that exists')
  }
  return { reading: { kind, value: read.value, unit, id, time } }
}

/** Why a publisher that is configured may not send this; null where it may. Without a unit it is the configured one. */
export function checkAgainstMapping(
  { kind, unit }: IngestReading,
  { kinds }: { readonly kinds?: Readonly<Record<string, string>> | undefined },
): string | null {
  if (kinds === undefined) return null
  if (!Object.hasOwn(kinds, kind)) {
    return `kind is none of those configured for this publisher: ${Object.keys(kinds).join(', ')}`
  }
  return unit === null || unit === kinds[kind]
    ? null
    : `unit is not the one configured for ${kind}: ${kinds[kind]}`
}

type Read = { readonly value: Value } | { readonly refused: string }

function readValue(kind: string, json: Json): Read {
  if (kind === 'tag') return readTag(json)
  if (json instanceof Map) return severalOf(json)
  if (severalKinds.has(kind)) return refusal(`value is no object of numbers, as ${kind} needs it`)
  if (typeof json === 'boolean') return { value: json }
  if (typeof json === 'string') {
    return isShort(json, maxTextBytes)
      ? { value: json }
      : refusal(`value is no text of 1 to ${maxTextBytes} bytes`)
  }
  if (json !== null && 'digits' in json) return decimalOf(json.digits, 'value')
  return refusal('value is no number, text, true, false or object of numbers')
}

function readTag(json: Json): Read {
  return typeof json === 'string' && tagPattern.test(json)
    ? { value: hexToBytes(json) }
    : refusal('value is no tag of 1 to 256 bytes in lower-case hex')
}

const isShort = (text: string, maxBytes: number): boolean =>
  text !== '' && (3 * text.length <= maxBytes || utf8(text).length <= maxBytes)

const refusal = (refused: string) => ({ refused })

const keys = new Set(['kind', 'value', 'unit', 'id', 'time'])
/** One number would not say what was measured. */
const severalKinds = new Set(['blood-pressure', 'position'])
const unitPattern = /^[!-~]{1,16}$/
const tagPattern = /^(?:[0-9a-f]{2}){1,256}$/
const maxIdBytes = 128
const maxTextBytes = 256
