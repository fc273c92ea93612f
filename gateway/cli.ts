import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { nearest } from '../config/did-you-mean.ts'
import { findVerb, parseArguments } from './arguments.ts'
import { type Command, globalOptions } from './command.ts'
import { helpOf, overview } from './help.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { anchor } from './verbs/anchor.ts'
import { config } from './verbs/config.ts'
import { decode } from './verbs/decode.ts'
import { demo } from './verbs/demo.ts'
import { encode } from './verbs/encode.ts'
import { enrol } from './verbs/enrol.ts'
import { exportVerb } from './verbs/export.ts'
import { init } from './verbs/init.ts'
import { keys } from './verbs/keys.ts'
import { prove } from './verbs/prove.ts'
import { run } from './verbs/run.ts'
import { shipment } from './verbs/shipment.ts'
import { show } from './verbs/show.ts'
import { status } from './verbs/status.ts'
import { store } from './verbs/store.ts'
import { trust } from './verbs/trust.ts'
import { verify } from './verbs/verify.ts'
import { witness } from './verbs/witness.ts'
import { version as programVersion } from './version.ts'

/** Every verb; the help is printed from this table. */
const commands: Readonly<Record<string, Command>> = {
  demo,
  init,
  run,
  status,
  shipment,
  prove,
  verify,
  show,
  trust,
  export: exportVerb,
  store,
  keys,
  enrol,
  anchor,
  witness,
  config,
  decode,
  encode,
  help: {
    summary: 'Say what a verb does and which options it has',
    usage: '[VERB]',
    options: {},
    run: async ({ operands }, terminal) => help(operands[0], terminal),
  },
}

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const asked = understand(args)
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

function understand(args: readonly string[]) {
  try {
    const at = findVerb(args, globalOptions)
    const verb = args[at]
    const command = verb === undefined ? undefined : commandOf(verb)
    const rest = args.filter((_, i) => i !== at)
    const given = parseArguments(rest, { ...command?.options, ...globalOptions })
    const lang = given.text('lang') ?? 'en'
    if (lang === 'en' || lang === 'zh') return { verb, command, given }
    throw new KedgeError('USAGE', `--lang ${lang} is not spoken here`, { hint: '--lang en|zh' })
  } catch (error) {
    return { error }
  }
}

function commandOf(verb: string): Command {
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined
  if (command) return command
  const near = nearest(verb, Object.keys(commands))
  throw new KedgeError('USAGE', `there is no verb ${verb}`, {
    hint: near ? `did you mean ${near}?` : 'kedge help lists the verbs',
  })
}

async function help(verb: string | undefined, terminal: Terminal): Promise<number> {
  const text =
    verb === undefined ? overview(commands, terminal) : helpOf(verb, commandOf(verb), terminal)
  await terminal.print(...text)
  return 0
}

async function version(terminal: Terminal): Promise<number> {
  await terminal.print(terminal.json ? JSON.stringify({ version: programVersion }) : programVersion)
  return 0
}
