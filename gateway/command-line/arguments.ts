/** Command-line arguments against a table of options: what is unknown is refused, with a guess. */
import { parseArgs } from 'node:util'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { nearest } from '../../config/did-you-mean.ts'

interface Option {
  /** What the value is called in the help; a switch has none. */
  readonly value?: string
  readonly short?: string
  readonly repeatable?: true
  readonly means: string
}

export type OptionTable = Readonly<Record<string, Option>>

/** Reads the options that a verb declared; asking for another is a programmer's mistake. */
export interface Arguments {
  readonly operands: readonly string[]
  flag(name: string): boolean
  text(name: string): string | undefined
  texts(name: string): readonly string[]
}

export function parseArguments(args: readonly string[], table: OptionTable): Arguments {
  const given = new Map<string, string[]>()
  const operands: string[] = []
  for (const token of tokensOf(args, table)) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined
    if (option === undefined) throw unknownOption(token.rawName, table)
    const values = given.get(token.name) ?? []
    given.set(token.name, [...values, valueIn(token, option)])
    if (values.length > 0 && option.value !== undefined && !option.repeatable) {
      throw new KedgeError('USAGE', `${token.rawName} is given twice`)
    }
  }

  const texts = (name: string): readonly string[] => {
    if (!Object.hasOwn(table, name)) throw new TypeError(`no option --${name} is declared`)
    return given.get(name) ?? []
  }
  return {
    operands,
    flag: (name) => texts(name).length > 0,
    text: (name) => texts(name)[0],
    texts,
  }
}

/** Where the first word stands that is neither a global option nor its value, or -1. */
export function findVerb(args: readonly string[], globals: OptionTable): number {
  return tokensOf(args, globals).find(({ kind }) => kind === 'positional')?.index ?? -1
}

function tokensOf(args: readonly string[], table: OptionTable) {
  const options = Object.entries(table).map(([name, { value, short }]) => {
    const type = value === undefined ? ('boolean' as const) : ('string' as const)
    return [name, { type, ...(short && { short }) }] as const
  })
  // Not strict: its messages are no words for a person, and it knows no near names.
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens
}

interface OptionToken {
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function valueIn({ rawName, value, inlineValue }: OptionToken, option: Option): string {
  if (option.value === undefined) {
    if (value === undefined) return ''
    throw new KedgeError('USAGE', `${rawName} takes no value`)
  }
  // Without this `--trust --json` would look for a trust file called --json.
  const isSwallowed = !inlineValue && value !== undefined && /^-./.test(value)
  if (value !== undefined && value !== '' && !isSwallowed) return value
  throw new KedgeError('USAGE', `${rawName} needs a value: ${rawName} ${option.value}`, {
    ...(isSwallowed && { hint: `a value that begins with a dash is written ${rawName}=${value}` }),
  })
}

function unknownOption(rawName: string, table: OptionTable): KedgeError {
  const name = rawName.replace(/^-+/, '')
  const near = nearest(name, Object.keys(table))
  return new KedgeError('USAGE', `there is no option ${rawName}`, {
    hint: near ? `did you mean --${near}?` : 'kedge help VERB lists the options of a verb',
  })
}
