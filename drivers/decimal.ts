import type { Decimal } from '../anchor-client/evidence/model.ts'

/** Plain digits as they stand, `4.250` as [4250, -3]; null for what is no number of at most 15 digits. */
export function parseDecimal(text: string): Decimal | null {
  const match = /^([+-]?)(\d{1,15})(?:\.(\d{0,15}))?$/.exec(text)
  if (match === null) return null
  const [, sign, whole = '', fraction = ''] = match
  if (whole.length + fraction.length > 15) return null
  const digits = Number(whole + fraction)
  // No negative zero: it is no integer of the encoding.
  const mantissa = sign === '-' && digits > 0 ? -digits : digits
  return [mantissa, fraction === '' ? 0 : -fraction.length]
}

/**
 * A JSON number with its digits: `4.250` is [4250, −3], `1e3` is [1, 3]. `-0.0` is [0, −1]: a decimal has no
 * sign of its own, only that of its mantissa.
 */
export function decimalOf(
  numeral: string,
  key: string,
): { readonly value: Decimal } | { readonly refused: string } {
  const [digits = '', power = '0'] = numeral.split(/[eE]/)
  const decimal = parseDecimal(digits)
  if (decimal === null) return { refused: `${key} has more than 15 digits` }
  const shift = Number(power)
  if (Math.abs(shift) > 9) return { refused: `${key} has an exponent beyond ±9` }
  const [mantissa, scale] = decimal
  const exponent = scale + shift
  if (exponent < -18) return { refused: `${key} has a last digit beyond 10^-18` }
  return { value: [mantissa, exponent] }
}

/** A JSON number of any length with so many decimals, halves away from zero. */
export function rounded(
  numeral: string,
  places: number,
): { readonly value: Decimal } | { readonly refused: string } {
  const match = /^(-?)(\d{1,40})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(numeral)
  if (match === null) return beyond
  const [, sign, whole = '', fraction = '', power = '0'] = match
  // So many digits are too many, or too few where it is negative.
  const surplus = fraction.length - Number(power) - places
  const digits = BigInt(whole + fraction)
  const unit = 10n ** BigInt(Math.abs(surplus))
  const mantissa = Number(surplus > 0 ? (2n * digits + unit) / (2n * unit) : digits * unit)
  if (!Number.isSafeInteger(mantissa)) return beyond
  return {
    value: [sign === '-' && mantissa > 0 ? -mantissa : mantissa, places === 0 ? 0 : -places],
  }
}

const beyond = { refused: 'a number beyond all bounds' }
