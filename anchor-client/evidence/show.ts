import { bytesToHex } from './bytes.ts'
import { type Disclosed, disclosedBy } from './fields.ts'
import { decodeEvidence } from './file.ts'
import { erasures } from './lines/erased.ts'
import type { Decimal, Descriptor, FileStream, Leaf, Value, WallTime } from './model.ts'
import { isReading } from './records.ts'
import { formatTime } from './rfc3339.ts'

/** What a file discloses, one plain object a leaf. It shows, and judges nothing. */
export function* shownReadings(bytes: Uint8Array): Iterable<Record<string, unknown>> {
  const file = decodeEvidence(bytes)
  const erased = erasures(file)
  for (const { stream, leaves } of file.ranges) {
    const { tag, descriptor } = file.streams[stream] as FileStream
    const order = erased.get(bytesToHex(tag))?.[0]?.order
    for (const [index, leaf] of leaves) {
      const shown = shownLeaf(descriptor, leaf, order)
      if (shown) yield { stream: descriptor.source, index, ...shown }
    }
  }
}

export function shownLeaf(
  descriptor: Descriptor,
  leaf: Leaf,
  order: Uint8Array | undefined,
): Record<string, unknown> | undefined {
  switch (leaf.form) {
    case 'hidden':
      return order ? { erased: bytesToHex(order) } : { hidden: true }
    case 'run':
      return { gap: { cause: 'damage', count: leaf.count } }
    case 'opened': {
      const { record } = leaf
      if (isReading(record)) return shownReading(descriptor, disclosedBy(leaf))
      if (record.type === 'gap') return { gap: { cause: record.cause, count: record.count } }
      if (record.type === 'lost') return { gap: { cause: record.cause, count: 1 } }
      return undefined
    }
  }
}

const hidden = { hidden: true } as const

function shownReading(descriptor: Descriptor, disclosed: Disclosed): Record<string, unknown> {
  const { kind, value, unit, quality, raw, wall, boot, mono, counter, source, details, band } =
    disclosed
  return {
    time: wall === undefined ? hidden : timeText(wall),
    timeQuality: wall === undefined ? hidden : timeQuality(wall),
    kind: kind ?? hidden,
    value: value === undefined ? hidden : plain(value),
    unit: unit === undefined ? hidden : unit,
    quality: quality === undefined ? hidden : (quality ?? 'good'),
    source: source === undefined ? hidden : (source ?? descriptor.source),
    raw: raw === undefined ? hidden : plain(raw),
    counter: counter === undefined ? hidden : counter,
    boot: boot ?? hidden,
    monotonicMs: mono ?? hidden,
    ...(details
      ? { details: Object.fromEntries(details.map(([name, of]) => [name, plain(of)])) }
      : {}),
    ...(band ? { band: band.map(decimalText) } : {}),
  }
}

const timeText = ({ wallMs }: WallTime): string | null =>
  wallMs === null ? null : formatTime(wallMs)

const clockNames = ['none', 'rtc', 'ntp', 'gnss'] as const

const timeQuality = ({ clock, boundMs }: WallTime) => ({ source: clockNames[clock], boundMs })

/** A value as JSON can carry it without losing a digit. */
function plain(value: Value): unknown {
  if (value instanceof Uint8Array) return bytesToHex(value)
  if (!Array.isArray(value)) return value
  if (typeof value[0] === 'number') return decimalText(value as unknown as Decimal)
  const several = value as unknown as readonly (readonly [string, Decimal])[]
  return Object.fromEntries(several.map(([name, number]) => [name, decimalText(number)]))
}

/** mantissa × 10^exponent in plain digits: [4250, -3] is 4.250. */
export function decimalText([mantissa, exponent]: Decimal): string {
  const digits = Math.abs(mantissa).toString()
  const sign = mantissa < 0 ? '-' : ''
  if (exponent >= 0) return sign + (mantissa === 0 ? '0' : digits + '0'.repeat(exponent))
  const padded = digits.padStart(1 - exponent, '0')
  const point = padded.length + exponent
  return `${sign}${padded.slice(0, point)}.${padded.slice(point)}`
}
