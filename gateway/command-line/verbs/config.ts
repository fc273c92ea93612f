import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { nearest } from '../../../config/did-you-mean.ts'
import { type Explained, explain, explainAll } from '../../../config/explain.ts'
import type { Fault } from '../../../config/load.ts'
import { asText } from '../../../config/reference.ts'
import { gatewaySchema } from '../../../config/registry.ts'
import { type Setting, type Settings, settingsIn } from '../../../config/setting.ts'
import { maxConfigBytes } from '../../../config/yaml.ts'
import type { LedgerEntry } from '../../anchoring/ledger-host.ts'
import { type DataFolder, readMarker } from '../../data-folder.ts'
import { hashNames, ledgersWithout } from '../../history-hash.ts'
import { ask } from '../../serving/ask.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { configFileOf, dataOf } from '../data-of.ts'
import { readConfig } from '../read-config.ts'
import { readInput } from '../read-input.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'

interface Part {
  readonly usage: string
  readonly summary: string
  run(args: Arguments, operand: string | undefined, terminal: Terminal): Promise<number>
}

const parts: Readonly<Record<string, Part>> = {
  check: {
    usage: 'check [FILE]',
    summary: 'name every fault in a configuration, with its line and column',
    run: check,
  },
  explain: {
    usage: 'explain [KEY]',
    summary: 'what a key means, what it expects, its default, and whether the file sets it',
    run: explainKey,
  },
  schema: {
    usage: 'schema',
    summary: 'the JSON Schema, with which an editor completes and explains keys',
    run: printSchema,
  },
}
const usages = Object.values(parts).map(({ usage }) => usage)

export const config: Command = {
  summary: 'Check a configuration, or explain what can stand in one',
  usage: usages.join(' | '),
  options: {},
  notes: [
    Object.values(parts)
      .map(({ usage, summary }) => `  ${usage.padEnd(15)} ${summary}`)
      .join('\n'),
    'Without FILE and --config it is kedge.yaml in the data folder.\n' +
      'Exit: 0 ok, 2 if there is a fault or the file cannot be read.',
  ],

  async run(args, terminal) {
    const [name = '', operand, ...more] = args.operands
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part && more.length === 0) return await part.run(args, operand, terminal)
    const near = nearest(name, Object.keys(parts))
    throw new KedgeError(
      'USAGE',
      part ? `too much after ${name}` : 'config needs one of its parts',
      {
        hint: near && !part ? `did you mean config ${near}?` : `kedge config ${usages.join(' | ')}`,
      },
    )
  },
}

async function check(args: Arguments, operand: string | undefined, terminal: Terminal) {
  if (operand !== undefined && args.text('config') !== undefined) {
    throw new KedgeError('USAGE', 'FILE and --config name a file each', { hint: 'name one' })
  }
  const file = operand ?? configFileOf(args)
  const data = dataOf(args)
  const loaded = await readConfig(file, data.folder)
  const faults = loaded.faults ?? (await hashFaults(loaded.config.anchor, data, file))
  const codes = faults.map(({ at, error }) => terminal.explain(error, at))
  if (codes.length > 0) return Math.max(...codes)
  await terminal.print(terminal.json ? jsonLine({ ok: true }) : `${printable(file)}: ok`)
  return 0
}

/** Ledgers that cannot keep the history that this data folder already has. */
async function hashFaults(
  anchor: readonly LedgerEntry[],
  data: DataFolder,
  file: string,
): Promise<readonly Fault[]> {
  const marker = await readMarker(data)
  if (marker === undefined) return []
  const names = ledgersWithout(anchor, marker.hashId)
  if (names.length === 0 || !(await hasHistory(data))) return []
  const hint =
    'kedge init --new-incarnation begins a history that all of them compute; the registrar of each ledger must grant it'
  return names.map((name) => ({
    at: file,
    error: new KedgeError(
      'CONFIG_INVALID',
      `anchor: ${name} does not compute ${hashNames[marker.hashId]}, the hash of this gateway's history`,
      { hint },
    ),
  }))
}

async function hasHistory(data: DataFolder): Promise<boolean> {
  for await (const answer of ask(data, 'status', {})) {
    if ('line' in answer) return Number(answer.line.seq) >= 0
  }
  return false
}

async function explainKey(args: Arguments, key: string | undefined, terminal: Terminal) {
  const settings = await settingsOf(args)
  if (key === undefined) {
    const all = explainAll(gatewaySchema)
    const width = Math.max(...all.map((one) => one.key.length))
    await terminal.print(
      ...(terminal.json
        ? [jsonLine(all)]
        : all.map(({ key, of, means }) => `${key.padEnd(width)}  ${of ? `(${of}) ` : ''}${means}`)),
    )
    return 0
  }
  const found = explain(key, gatewaySchema, settings?.root)
  if (found.length === 0) throw noSuchKey(key)
  const told = found.map(({ asked, ...one }) => ({ ...one, set: settings?.find(asked) ?? null }))
  await terminal.print(
    ...(terminal.json
      ? [jsonLine(told)]
      : told.flatMap(({ set, ...one }) => inLines(one, set, settings !== undefined))),
  )
  return 0
}

/** What the file at hand says; without `--config` there need be none. */
async function settingsOf(args: Arguments): Promise<Settings | undefined> {
  const file = configFileOf(args)
  try {
    const input = await readInput(file, maxConfigBytes)
    return 'tooLarge' in input ? undefined : settingsIn(input.bytes, file, gatewaySchema)
  } catch (error) {
    if (args.text('config') === undefined && error instanceof KedgeError) return undefined
    throw error
  }
}

function noSuchKey(key: string): KedgeError {
  const near = nearest(key, new Set(explainAll(gatewaySchema).map((one) => one.key)))
  return new KedgeError('USAGE', `there is no key ${key}`, {
    hint: near ? `did you mean ${near}?` : 'kedge config explain lists all keys',
  })
}

function inLines(one: Explained, set: Setting | null, hasFile: boolean): readonly string[] {
  const { key, of, means, form, default: given, required } = one
  const otherwise = given === null ? 'none' : asText(given)
  const said = set && `${set.value === undefined ? '' : `${asText(set.value)}, `}${set.at}`
  return [
    of ? `${key} (${of})` : key,
    `  means     ${means}`,
    `  expected  ${form}`,
    required ? '  required' : `  default   ${otherwise}`,
    ...(hasFile ? [`  set       ${printable(said ?? 'no')}`] : []),
  ]
}

async function printSchema(_: Arguments, operand: string | undefined, terminal: Terminal) {
  if (operand !== undefined) throw new KedgeError('USAGE', 'config schema takes nothing more')
  await terminal.print(
    terminal.json ? jsonLine(gatewaySchema) : JSON.stringify(gatewaySchema, null, 2),
  )
  return 0
}
