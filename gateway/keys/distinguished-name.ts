import {
  derOid,
  derPrintable,
  derSequence,
  derSet,
  derUtf8,
} from '../../anchor-client/evidence/der.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** Who a certificate is for: attributes in the order in which they are written. */
export type DistinguishedName = readonly (readonly [attribute: string, value: string])[]

/** From `CN=Gateway 7,O=Hospital,C=CN`; a comma inside a value is written `\,`. */
export function parseName(text: string): DistinguishedName {
  const parts = text.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ',').trim())
  if (parts.length > maxAttributes) throw refused(`more than ${maxAttributes} attributes`)
  return parts.map((part) => {
    const [, name = '', value = ''] = /^([A-Za-z]+)\s*=\s*(.+)$/s.exec(part) ?? []
    const attribute = Object.keys(attributes).find(
      (one) => one.toLowerCase() === name.toLowerCase(),
    )
    if (attribute === undefined) throw refused(part === '' ? 'an empty attribute' : part)
    if (!isPermitted(attribute, value)) throw refused(`${attribute} cannot be ${value}`)
    return [attribute, value] as const
  })
}

export const nameDer = (name: DistinguishedName): Uint8Array =>
  derSequence(
    ...name.map(([attribute, value]) => {
      const text = printableOnly.includes(attribute) ? derPrintable(value) : derUtf8(value)
      return derSet(derSequence(derOid(attributes[attribute] as string), text))
    }),
  )

function isPermitted(attribute: string, value: string): boolean {
  if (attribute === 'C') return /^[A-Z]{2}$/.test(value)
  if (printableOnly.includes(attribute)) return /^[A-Za-z0-9 '()+,\-./:=?]{1,64}$/.test(value)
  // X.520 counts characters.
  return [...value].length <= 64 && !/[\p{Cc}\p{Cs}]/u.test(value)
}

const attributes: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
}
const printableOnly = ['C', 'serialNumber']
const maxAttributes = 16

const refused = (what: string) =>
  new KedgeError('USAGE', `--subject: ${what}`, {
    hint: `write it like CN=Gateway 7,O=Hospital,C=CN; attributes: ${Object.keys(attributes).join(', ')}`,
  })
