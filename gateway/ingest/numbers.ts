import type { Decimal, Several } from '../../anchor-client/evidence/model.ts'
import { parseDecimal } from '../../drivers/decimal.ts'
import type { Json } from './json.ts'

type Refused = { readonly refused: string }

/**
 * A JSON number with its digits: `4.250` is [4250, −3], `1e3` is [1, 3]. `-0.0` is [0, −1]: a decimal has no
 * sign of its own, only that of its mantissa.
 */
export function decimalOf(numeral: string, key: string): { readonly value: Decimal } | Refused {
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

/** Numbers by field, in the order that evidence wants. Digits in quotes, as they are printed elsewhere, are numbers too. */
export function severalOf(
  fields: ReadonlyMap<string, Json>,
): { readonly value: Several } | Refused {
  if (fields.size < 1 || fields.size > 16) return { refused: 'value has not 1 to 16 fields' }
  const several: [string, Decimal][] = []
  for (const [field, json] of fields) {
    if (!fieldPattern.test(field)) {
      return {
        refused:
          'value has a field whose name is not a small letter and up to 31 more of A-Z a-z 0-9 _ -',
      }
    }
    const numeral = digitsOf(json)
    if (numeral === undefined) return { refused: `value.${field} is no number` }
    const read = decimalOf(numeral, `value.${field}`)
    if ('refused' in read) return read
    several.push([field, read.value])
  }
  return { value: several.sort(([a], [b]) => (a < b ? -1 : 1)) }
}

function digitsOf(json: Json): string | undefined {
  if (typeof json === 'string') return numeralPattern.test(json) ? json : undefined
  return json !== null && typeof json === 'object' && 'digits' in json ? json.digits : undefined
}

const fieldPattern = /^[a-z][A-Za-z0-9_-]{0,31}$/
const numeralPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
