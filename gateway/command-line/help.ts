import type { OptionTable } from './arguments.ts'
import { type Command, globalOptions } from './command.ts'
import { jsonLine, padded, type Terminal } from './terminal.ts'

/** All verbs on one screen; with `--json` the same table as data. */
export function overview(
  commands: Readonly<Record<string, Command>>,
  terminal: Terminal,
): readonly string[] {
  const verbs = Object.entries(commands)
  if (terminal.json) {
    return [jsonLine({ verbs: verbs.map(([verb, command]) => described(verb, command)) })]
  }
  return [
    'usage: kedge VERB [options]',
    '',
    ...table(verbs.map(([verb, { summary }]) => [verb, summary])),
    '',
    'Options of every verb:',
    ...optionLines(globalOptions),
    '',
    'Exit codes: 0 ok, 1 failed check, 2 usage or an unreadable file, 3 degraded, 4 evidence invalid,',
    '5 evidence valid with declared gaps, 75 try later.',
    '',
    'kedge help VERB says more.',
  ]
}

export function helpOf(verb: string, command: Command, terminal: Terminal): readonly string[] {
  if (terminal.json) return [jsonLine(described(verb, command))]
  const { summary, usage, options, notes = [] } = command
  return [
    `usage: kedge ${verb} ${usage} [options]`,
    '',
    `${summary}.`,
    ...(Object.keys(options).length > 0 ? ['', 'Options:', ...optionLines(options)] : []),
    ...notes.flatMap((note) => ['', note]),
    '',
    'Options of every verb:',
    ...optionLines(globalOptions),
  ]
}

const described = (verb: string, { summary, usage, options }: Command) => ({
  verb,
  summary,
  usage,
  options: { ...options, ...globalOptions },
})

const optionLines = (options: OptionTable) =>
  table(
    Object.entries(options).map(([name, { value, short, repeatable, means }]) => [
      `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}${repeatable ? ' …' : ''}`,
      means,
    ]),
  )

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${padded(left, width)}  ${right}`)
}
