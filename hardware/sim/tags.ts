/** EPCs of 96 bits as the GS1 Tag Data Standard lays them out, on tags that come and go. */

/** Bits of a company prefix of 12, 11, … 6 digits. */
const prefixBits = [40, 37, 34, 30, 27, 24, 20]

interface Numbered {
  readonly filter: number
  readonly prefix: string
  readonly reference: string
}

/** Item of a trade item (indicator digit first) with its serial number. */
const sgtin96 = (item: Numbered, serial: number): Uint8Array =>
  packed(0x30, item, 44, [BigInt(serial), 38])

/** A logistic unit, extension digit first. */
const sscc96 = (unit: Numbered): Uint8Array => packed(0x31, unit, 58, [0n, 24])

/** A returnable crate with its serial number. */
const grai96 = (crate: Numbered, serial: number): Uint8Array =>
  packed(0x33, crate, 44, [BigInt(serial), 38])

function packed(
  header: number,
  { filter, prefix, reference }: Numbered,
  bits: number,
  [serial, serialBits]: readonly [bigint, number],
): Uint8Array {
  const partition = 12 - prefix.length
  const forPrefix = prefixBits[partition]
  if (forPrefix === undefined) throw new TypeError(`no company prefix has ${prefix.length} digits`)
  const parts: readonly (readonly [bigint, number])[] = [
    [BigInt(header), 8],
    [BigInt(filter), 3],
    [BigInt(partition), 3],
    [BigInt(prefix), forPrefix],
    [BigInt(reference || '0'), bits - forPrefix],
    [serial, serialBits],
  ]
  const whole = parts.reduce((all, [value, width]) => (all << BigInt(width)) | value, 0n)
  return Uint8Array.from(Buffer.from(whole.toString(16).padStart(24, '0'), 'hex'))
}

/** GS1 keeps this prefix for examples: nobody's goods carry it. */
const prefix = '9521141'
const vaccine = { filter: 2, prefix, reference: '012345' }
const crate = { filter: 0, prefix, reference: '55555' }

/** Two pallets, two crates, four boxes. */
export const demoTags: readonly Uint8Array[] = [
  sscc96({ filter: 2, prefix, reference: '1000000101' }),
  ...[6001, 6002, 6003, 6004].map((serial) => sgtin96(vaccine, serial)),
  ...[31, 32].map((serial) => grai96(crate, serial)),
  sscc96({ filter: 2, prefix, reference: '1000000102' }),
]

/** Which tags are before the antenna at a time; the first one is there at the beginning. */
export function comingAndGoing(
  tags: readonly Uint8Array[],
  random: () => number,
): (elapsedMs: number) => readonly Uint8Array[] {
  const visits = tags.map((tag, i) => {
    const everyMs = 20_000 + random() * 40_000
    return {
      tag,
      everyMs,
      stayMs: 4000 + random() * 8000,
      phaseMs: i === 0 ? 0 : random() * everyMs,
    }
  })
  return (elapsedMs) =>
    visits
      .filter(({ everyMs, stayMs, phaseMs }) => (elapsedMs + phaseMs) % everyMs < stayMs)
      .map(({ tag }) => tag)
}
