import type { Arguments, OptionTable } from './arguments.ts'
import type { Terminal } from './terminal.ts'

/** One verb of the command line: a line of the table in cli.ts, a file in verbs/. */
export interface Command {
  readonly summary: string
  /** What stands after the verb, options left out. */
  readonly usage: string
  readonly options: OptionTable
  /** Further paragraphs for `help VERB`. */
  readonly notes?: readonly string[]
  /** Gives the exit code; what it throws is explained to the person by cli.ts. */
  run(args: Arguments, terminal: Terminal): Promise<number>
}

export const globalOptions: OptionTable = {
  json: { means: 'JSON and nothing else on standard output; errors as JSON on standard error' },
  lang: {
    value: 'en|zh',
    means: 'language of verdicts and explanations (default: LC_ALL, LC_MESSAGES, LANG)',
  },
  config: { value: 'FILE', means: 'configuration of a gateway; verify and show need none' },
  data: { value: 'DIR', means: "a gateway's data folder; verify and show need none" },
  help: { short: 'h', means: 'help, for a verb if one is given' },
  version: { means: 'print the version' },
}
