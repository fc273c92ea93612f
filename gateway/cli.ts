import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { nearest } from '../config/did-you-mean.ts'
import { findVerb, parseArguments } from './command-line/arguments.ts'
import { type Command, globalOptions } from './command-line/command.ts'
import { helpOf, overview } from './command-line/help.ts'
import { openTerminal, type Terminal } from './command-line/terminal.ts'
import { version as programVersion } from './version.ts'

/** Every verb; the help is printed from this table. A verb is loaded when it is asked for: most need little. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  simulate: async () => (await import('./command-line/verbs/simulate.ts')).simulate,
  demo: async () => (await import('./command-line/verbs/demo.ts')).demo,
  init: async () => (await import('./command-line/verbs/init.ts')).init,
  run: async () => (await import('./command-line/verbs/run.ts')).run,
  status: async () => (await import('./command-line/verbs/status.ts')).status,
  shipment: async () => (await import('./command-line/verbs/shipment.ts')).shipment,
  prove: async () => (await import('./command-line/verbs/prove.ts')).prove,
  verify: async () => (await import('./command-line/verbs/verify.ts')).verify,
  show: async () => (await import('./command-line/verbs/show.ts')).show,
  trust: async () => (await import('./command-line/verbs/trust.ts')).trust,
  export: async () => (await import('./command-line/verbs/export.ts')).exportVerb,
  import: async () => (await import('./command-line/verbs/import.ts')).importVerb,
  store: async () => (await import('./command-line/verbs/store.ts')).store,
  keys: async () => (await import('./command-line/verbs/keys.ts')).keys,
  enrol: async () => (await import('./command-line/verbs/enrol.ts')).enrol,
  anchor: async () => (await import('./command-line/verbs/anchor.ts')).anchor,
  witness: async () => (await import('./command-line/verbs/witness.ts')).witness,
  config: async () => (await import('./command-line/verbs/config.ts')).config,
  decode: async () => (await import('./command-line/verbs/decode.ts')).decode,
  encode: async () => (await import('./command-line/verbs/encode.ts')).encode,
  help: async () => ({
    summary: 'Say what a verb does and which options it has',
    usage: '[VERB]',
    options: {},
    run: async ({ operands }, terminal) => help(operands[0], terminal),
  }),
}

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const asked = await understand(args)
  if ('error' in asked) {
    return openTerminal(args.includes('--json'), undefined).explain(asked.error)
  }
  const { verb, command, given } = asked
  const terminal = openTerminal(given.flag('json'), given.text('lang'))
  // Whatever goes wrong beside the verb's own promise is told in one line, too.
  process.on('uncaughtException', (error) => process.exit(terminal.explain(error)))
  try {
    if (given.flag('version')) return await version(terminal)
    if (given.flag('help')) return await help(verb, terminal)
    if (command) return await command.run(given, terminal)
    throw new KedgeError('USAGE', 'no verb given', { hint: 'kedge help lists the verbs' })
  } catch (error) {
    return terminal.explain(error)
  }
}

async function understand(args: readonly string[]) {
  try {
    const at = findVerb(args, globalOptions)
    const verb = args[at]
    const command = verb === undefined ? undefined : await commandOf(verb)
    const rest = args.filter((_, i) => i !== at)
    const given = parseArguments(rest, { ...command?.options, ...globalOptions })
    const lang = given.text('lang') ?? 'en'
    if (lang === 'en' || lang === 'zh') return { verb, command, given }
    throw new KedgeError('USAGE', `--lang ${lang} is not spoken here`, { hint: '--lang en|zh' })
  } catch (error) {
    return { error }
  }
}

async function commandOf(verb: string): Promise<Command> {
  const load = Object.hasOwn(commands, verb) ? commands[verb] : undefined
  if (load) return load()
  const near = nearest(verb, Object.keys(commands))
  throw new KedgeError('USAGE', `there is no verb ${verb}`, {
    hint: near ? `did you mean ${near}?` : 'kedge help lists the verbs',
  })
}

async function help(verb: string | undefined, terminal: Terminal): Promise<number> {
  if (verb === undefined) {
    const all: Record<string, Command> = {}
    for (const [name, load] of Object.entries(commands)) all[name] = await load()
    await terminal.print(...overview(all, terminal))
  } else {
    await terminal.print(...helpOf(verb, await commandOf(verb), terminal))
  }
  return 0
}

async function version(terminal: Terminal): Promise<number> {
  await terminal.print(terminal.json ? JSON.stringify({ version: programVersion }) : programVersion)
  return 0
}
