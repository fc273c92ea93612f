/**
 * Electronic product codes of 96 bits: SGTIN, SSCC and GRAI, between a tag's bits, the two URIs, the
 * GS1 element string and a Digital Link (GS1 Tag Data Standard 2.3, sections 6, 7 and 14). Pure.
 */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { unreadHeader } from './epc-headers.ts'

export const epcSchemes = ['SGTIN-96', 'SSCC-96', 'GRAI-96'] as const
type EpcScheme = (typeof epcSchemes)[number]

export interface Epc {
  readonly scheme: EpcScheme
  /** What kind of thing it is, 0 to 7; null where only the identity is known. */
  readonly filter: number | null
  /** The GS1 company prefix, 6 to 12 digits. */
  readonly prefix: string
  /** Indicator and item of an SGTIN, extension and serial of an SSCC, type of a GRAI. */
  readonly reference: string
  /** An SSCC has none. */
  readonly serial: string | null
}

interface Layout {
  readonly header: string
  readonly urn: string
  /** Digits of prefix and reference together. */
  readonly digits: number
  /** Bits of prefix and reference together. */
  readonly bits: number
  /** Bits of the serial number; an SSCC has zeros instead. */
  readonly serialBits: number
}

export const epcLayouts: Readonly<Record<EpcScheme, Layout>> = {
  'SGTIN-96': { header: '30', urn: 'sgtin', digits: 13, bits: 44, serialBits: 38 },
  'SSCC-96': { header: '31', urn: 'sscc', digits: 17, bits: 58, serialBits: 0 },
  'GRAI-96': { header: '33', urn: 'grai', digits: 12, bits: 44, serialBits: 38 },
}

/** Bits of a company prefix of 12, 11, … 6 digits: partition 0, 1, … 6. */
const prefixBits = [40, 37, 34, 30, 27, 24, 20]
const mostPrefixDigits = 12
const mostSerial = 2n ** 38n

/** What a tag's EPC bank says, from its 24 hexadecimal digits. */
export function decodeEpc(hex: string): Epc {
  if (!/^[0-9a-f]{2,}$/i.test(hex)) throw refused('not hexadecimal')
  const header = hex.slice(0, 2).toUpperCase()
  const scheme = epcSchemes.find((one) => epcLayouts[one].header === header)
  if (scheme === undefined) throw refused(unreadHeader(header))
  if (hex.length !== 24) {
    throw refused(`${hex.length * 4} bits: ${hex.length < 24 ? 'shorter' : 'longer'} than 96 bits`)
  }
  const { digits, bits } = epcLayouts[scheme]
  const whole = BigInt(`0x${hex}`)
  const at = (from: number, length: number) =>
    (whole >> BigInt(96 - from - length)) & (2n ** BigInt(length) - 1n)

  const partition = Number(at(11, 3))
  const forPrefix = prefixBits[partition]
  if (forPrefix === undefined) throw refused(`partition ${partition} is not defined`)
  const prefixDigits = mostPrefixDigits - partition
  const serial = at(14 + bits, 82 - bits)
  if (scheme === 'SSCC-96' && serial !== 0n)
    throw refused('the last 24 bits of an SSCC-96 are zero')
  return {
    scheme,
    filter: Number(at(8, 3)),
    prefix: digitsOf(at(14, forPrefix), prefixDigits, 'company prefix'),
    reference: digitsOf(at(14 + forPrefix, bits - forPrefix), digits - prefixDigits, 'reference'),
    serial: scheme === 'SSCC-96' ? null : String(serial),
  }
}

function digitsOf(value: bigint, digits: number, what: string): string {
  if (value >= 10n ** BigInt(digits)) throw refused(`a ${what} of more than ${digits} digits`)
  return digits === 0 ? '' : String(value).padStart(digits, '0')
}

/** The 24 hexadecimal digits for a tag, upper case as GS1 prints them. */
export function encodeEpc(epc: Epc): string {
  const { scheme, filter, prefix, reference, serial } = checkedEpc(epc)
  if (filter === null) throw refused('a tag needs a filter value')
  const { header, bits, serialBits } = epcLayouts[scheme]
  const partition = mostPrefixDigits - prefix.length
  const referenceBits = bits - (prefixBits[partition] as number)
  let whole = BigInt(`0x${header}`)
  const append = (value: bigint, length: number) => {
    whole = (whole << BigInt(length)) | value
  }
  append(BigInt(filter), 3)
  append(BigInt(partition), 3)
  append(BigInt(prefix), bits - referenceBits)
  append(BigInt(reference || '0'), referenceBits)
  append(BigInt(serial ?? '0'), serialBits || 24)
  return whole.toString(16).toUpperCase().padStart(24, '0')
}

/** The same thing in every form that people and other systems write it. */
export function describeEpc(epc: Epc) {
  const { scheme, filter, prefix, reference, serial } = epc
  const { urn } = epcLayouts[scheme]
  const identity = [prefix, reference, ...(serial === null ? [] : [serial])].join('.')
  const ai = elementsOf(epc)
  return {
    scheme,
    filter,
    tag_uri: filter === null ? null : `urn:epc:tag:${scheme.toLowerCase()}:${filter}.${identity}`,
    pure_identity: `urn:epc:id:${urn}:${identity}`,
    ai: Object.fromEntries(ai),
    digital_link: `https://id.gs1.org/${ai.map(([name, value]) => `${name}/${value}`).join('/')}`,
  }
}

function elementsOf({ scheme, prefix, reference, serial }: Epc): (readonly [string, string])[] {
  // The first digit of the reference stands before the company prefix in a GTIN and in an SSCC.
  const key = reference.slice(0, 1) + prefix + reference.slice(1)
  switch (scheme) {
    case 'SGTIN-96':
      return [
        ['01', key + checkDigit(key)],
        ['21', serial ?? ''],
      ]
    case 'SSCC-96':
      return [['00', key + checkDigit(key)]]
    case 'GRAI-96': {
      const asset = prefix + reference
      return [['8003', `0${asset}${checkDigit(asset)}${serial}`]]
    }
  }
}

/** GS1's check digit: weights 3 and 1 from the right. */
export function checkDigit(digits: string): string {
  const sum = Array.from(digits)
    .reverse()
    .reduce((all, digit, i) => all + Number(digit) * (i % 2 ? 1 : 3), 0)
  return String((10 - (sum % 10)) % 10)
}

/** An EPC that has a place in its 96 bits. */
export function checkedEpc(epc: Epc): Epc {
  const { scheme, filter, prefix, reference, serial } = epc
  if (!/^\d{6,12}$/.test(prefix)) throw refused('a company prefix has 6 to 12 digits')
  const left = epcLayouts[scheme].digits - prefix.length
  if (!/^\d*$/.test(reference) || reference.length !== left) {
    throw refused(`a reference of ${left} digits goes with a company prefix of ${prefix.length}`)
  }
  if (filter !== null && !(Number.isInteger(filter) && filter >= 0 && filter <= 7)) {
    throw refused('a filter value is 0 to 7')
  }
  if (
    scheme !== 'SSCC-96' &&
    (serial === null || !/^(0|[1-9]\d{0,11})$/.test(serial) || BigInt(serial) >= mostSerial)
  ) {
    throw refused(`the serial number of ${scheme} is a number below 2^38 without leading zeros`)
  }
  return epc
}

export const refused = (reason: string) => new KedgeError('EPC_REFUSED', reason)
