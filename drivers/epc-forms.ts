/** EPCs from what people and other systems write: URIs and GS1 element strings. */
import { checkDigit, checkedEpc, type Epc, epcLayouts, epcSchemes, refused } from './epc.ts'

/** `urn:epc:tag:sgtin-96:3.0614141.812345.6789`, or `urn:epc:id:sgtin:…` without a filter. */
export function parseEpcUri(uri: string): Epc {
  const match = /^urn:epc:(tag|id):([a-z0-9-]+):(.*)$/.exec(uri)
  if (match === null) throw refused('neither a tag URI nor a pure identity URI of an EPC')
  const [, form, name = '', rest = ''] = match
  const scheme = epcSchemes.find((one) =>
    form === 'tag' ? one.toLowerCase() === name : epcLayouts[one].urn === name,
  )
  if (scheme === undefined) throw refused(`${name} is not read or written here`)
  const parts = rest.split('.')
  const filter = form === 'tag' ? (parts.shift() ?? '') : null
  if (filter !== null && !/^[0-7]$/.test(filter)) throw refused('a filter value is 0 to 7')
  const [prefix = '', reference = '', serial] = parts
  if (parts.length !== (scheme === 'SSCC-96' ? 2 : 3)) throw refused(`not the parts of ${name}`)
  return checkedEpc({
    scheme,
    filter: filter === null ? null : Number(filter),
    prefix,
    reference,
    serial: serial ?? null,
  })
}

/** From element strings such as `01` and `21`; how long the company prefix is, nobody can see in them. */
export function epcFromElements(ai: ReadonlyMap<string, string>, prefixDigits: number): Epc {
  const names = [...ai.keys()].sort().join(' ')
  const take = (name: string, form: RegExp): string => {
    const value = ai.get(name) ?? ''
    if (!form.test(value)) throw refused(`(${name}) is not of the form it must have`)
    return value
  }
  const split = (key: string, hasLeadingDigit: boolean) => {
    const lead = hasLeadingDigit ? 1 : 0
    const digits = key.slice(0, -1)
    if (checkDigit(digits) !== key.slice(-1)) throw refused(`the check digit of ${key} is wrong`)
    return {
      prefix: digits.slice(lead, lead + prefixDigits),
      reference: digits.slice(0, lead) + digits.slice(lead + prefixDigits),
    }
  }
  switch (names) {
    case '01 21': {
      const key = split(take('01', /^\d{14}$/), true)
      return checkedEpc({ scheme: 'SGTIN-96', filter: null, ...key, serial: take('21', /^.+$/) })
    }
    case '00':
      return checkedEpc({
        scheme: 'SSCC-96',
        filter: null,
        ...split(take('00', /^\d{18}$/), true),
        serial: null,
      })
    case '8003': {
      const value = take('8003', /^0\d{13}.+$/)
      const key = split(value.slice(1, 14), false)
      return checkedEpc({ scheme: 'GRAI-96', filter: null, ...key, serial: value.slice(14) })
    }
    default:
      throw refused(`(${names.replaceAll(' ', ')(')}) is no SGTIN, SSCC or GRAI`)
  }
}
