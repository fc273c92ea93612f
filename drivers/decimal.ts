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
