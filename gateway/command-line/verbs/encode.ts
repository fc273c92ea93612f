import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { type Epc, encodeEpc, epcSchemes } from '../../../drivers/epc.ts'
import { epcFromElements, parseEpcUri } from '../../../drivers/epc-forms.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { linesOf } from '../standard-input.ts'
import { jsonLine } from '../terminal.ts'

export const encode: Command = {
  summary: 'Give the bits that a tag must carry',
  usage: 'epc URI|AIs|-',
  options: {
    scheme: { value: epcSchemes.join('|'), means: 'the scheme, where the URI does not say it' },
    filter: { value: '0..7', means: 'filter value: what kind of thing it is' },
    'prefix-digits': {
      value: '6..12',
      means: 'digits of the company prefix, which AIs do not show',
    },
  },
  notes: [
    'A URI is urn:epc:tag:sgtin-96:3.0614141.812345.6789, or urn:epc:id:… with --filter.',
    'AIs are (01)80614141123458(21)6789, with --filter and --prefix-digits. What stands for - is read from standard input.',
  ],

  async run(given, terminal) {
    const [what, ...pasted] = given.operands
    const [text, ...more] = pasted
    if (what !== 'epc' || text === undefined || more.length > 0) {
      throw new KedgeError('USAGE', 'encode needs epc and what is to be encoded', {
        hint: 'kedge encode epc --filter 3 urn:epc:id:sgtin:0614141.812345.6789',
      })
    }
    let code = 0
    for await (const line of text === '-' ? linesOf(process.stdin) : [text]) {
      if (line.trim() === '') continue
      try {
        const hex = encodeEpc(epcOf(line.trim(), given))
        if (!(await terminal.print(terminal.json ? jsonLine({ hex }) : hex))) break
      } catch (error) {
        code = terminal.explain(error)
      }
    }
    return code
  },
}

function epcOf(text: string, given: Arguments): Epc {
  const filter = wholeNumber(given, 'filter', 0, 7)
  const scheme = given.text('scheme')
  if (scheme !== undefined && !epcSchemes.some((one) => one === scheme.toUpperCase())) {
    throw new KedgeError('EPC_REFUSED', `${scheme} is not written here`, {
      hint: `these are: ${epcSchemes.join(', ')}`,
    })
  }
  const epc = text.startsWith('urn:') ? parseEpcUri(text) : fromElements(text, given)
  if (scheme !== undefined && scheme.toUpperCase() !== epc.scheme) {
    throw new KedgeError('EPC_REFUSED', `this is of ${epc.scheme}, not of ${scheme}`)
  }
  if (epc.filter === null && filter === undefined) {
    throw new KedgeError('USAGE', 'a tag needs a filter value', { hint: '--filter 0..7' })
  }
  if (epc.filter !== null && filter !== undefined && epc.filter !== filter) {
    throw new KedgeError('EPC_REFUSED', `the URI says filter ${epc.filter}, not ${filter}`)
  }
  return { ...epc, filter: filter ?? epc.filter }
}

function fromElements(text: string, given: Arguments): Epc {
  const elements = [...text.matchAll(/\((\d{2,4})\)([^()]*)/g)]
  if (elements.length === 0 || elements.map(([whole]) => whole).join('') !== text) {
    throw new KedgeError('EPC_REFUSED', "neither an EPC's URI nor AIs in brackets")
  }
  const prefixDigits = wholeNumber(given, 'prefix-digits', 6, 12)
  if (prefixDigits === undefined) {
    throw new KedgeError('USAGE', 'AIs do not show how long the company prefix is', {
      hint: '--prefix-digits 6..12',
    })
  }
  return epcFromElements(
    new Map(elements.map(([, ai = '', value = '']) => [ai, value])),
    prefixDigits,
  )
}

function wholeNumber(
  given: Arguments,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = given.text(name)
  if (text === undefined) return undefined
  const number = /^\d{1,2}$/.test(text) ? Number(text) : -1
  if (number >= least && number <= most) return number
  throw new KedgeError('USAGE', `--${name} is a number from ${least} to ${most}`)
}
