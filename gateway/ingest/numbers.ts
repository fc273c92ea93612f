import type { Decimal, Several } from '../../anchor-client/evidence/model.ts'
import { decimalOf } from '../../drivers/decimal.ts'
import type { Json } from '../../drivers/json.ts'

type Refused = { readonly refused: string }

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
