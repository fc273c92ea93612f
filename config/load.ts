/** From a file's bytes to a checked configuration, or to all its faults at once, each with its place. */
import type { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { type Complaint, complaint } from './complaint.ts'
import { inconsistencies } from './consistency.ts'
import { complaintsOf } from './faults.ts'
import { toJsonSchema } from './json-schema.ts'
import { withPathsFrom } from './paths.ts'
import { type Choices, type Config, configSchema } from './schema.ts'
import type { Spot } from './spots.ts'
import { maxConfigBytes, parseYaml } from './yaml.ts'

const maxFaults = 100

export interface Fault {
  /** file:line:column, both from 1. */
  readonly at: string
  readonly error: KedgeError
}

export interface Loaded {
  readonly config: Config
  /** The file's own bytes, for the control stream. */
  readonly bytes: Uint8Array
  readonly faults?: undefined
}

export type Refused = { readonly faults: readonly Fault[] }

export interface Registry {
  readonly drivers: Choices
  readonly ledgers: Choices
}

/** `file` is what the faults call it; paths that begin with ./ are taken from the data folder. */
export function loadConfig(
  bytes: Uint8Array,
  file: string,
  dataFolder: string,
  { drivers, ledgers }: Registry,
): Loaded | Refused {
  const read = readYaml(bytes, file, {
    schema: configSchema(drivers, ledgers),
    whole: 'the configuration',
    prepare: (value) => withPathsFrom(dataFolder, value),
    inconsistencies: (root) => inconsistencies(root, dataFolder, drivers),
  })
  // Once more, for paths that are defaults.
  return read.faults ? read : { config: withPathsFrom(dataFolder, read.value), bytes }
}

export interface YamlForm<Schema extends z.ZodType> {
  readonly schema: Schema
  /** What the file is, as faults call it. */
  readonly whole: string
  /** Before the schema sees it. */
  prepare?(value: unknown): unknown
  inconsistencies?(root: Spot): readonly Complaint[]
}

/** A file of ours in YAML: what it says, or all its faults at once. */
export function readYaml<Schema extends z.ZodType>(
  bytes: Uint8Array,
  file: string,
  { schema, whole, prepare = (value) => value, inconsistencies = () => [] }: YamlForm<Schema>,
): { readonly value: z.output<Schema>; readonly faults?: undefined } | Refused {
  const text = textOf(bytes)
  if (typeof text !== 'string') return { faults: placed([text.refused], text.readable, file) }
  const { root, complaints } = parseYaml(text)
  if (root === undefined) return { faults: placed(complaints, text, file) }
  const { success, data, error } = schema.safeParse(prepare(root.value))
  const broken = new Set(complaints.map(({ at }) => at))
  const meant = [
    ...complaintsOf(error?.issues ?? [], root, toJsonSchema(schema), whole),
    ...inconsistencies(root),
  ]
  const all = [...complaints, ...meant.filter(({ at }) => !broken.has(at))]
  return success && all.length === 0 ? { value: data } : { faults: placed(all, text, file) }
}

export const tooLarge = (file: string): Refused => ({
  faults: placed([complaint(0, `larger than ${maxConfigBytes / 1024} KiB`)], '', file),
})

export function textOf(bytes: Uint8Array): string | { refused: Complaint; readable: string } {
  const refused = (message: string, readable = '') => ({
    refused: complaint(readable.length, message, 'save it as plain text in UTF-8'),
    readable,
  })
  if (bytes.length > maxConfigBytes) return refused(`larger than ${maxConfigBytes / 1024} KiB`)
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return refused('this is UTF-16')
  }
  const text = new TextDecoder().decode(bytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const strange = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]/.exec(text)
  return strange ? refused('this is not text', text.slice(0, strange.index)) : text
}

/** In the order of the file, one fault a place and sentence. */
function placed(complaints: readonly Complaint[], text: string, file: string): readonly Fault[] {
  const sorted = complaints
    .toSorted((a, b) => a.at - b.at)
    .filter(({ at, message }, i, all) => at !== all[i - 1]?.at || message !== all[i - 1]?.message)
  const shown = sorted.slice(0, maxFaults)
  const rest = sorted[maxFaults]
  if (rest) shown.push(complaint(rest.at, `and ${sorted.length - maxFaults} more faults`))
  return shown.map(({ at, message, hint }) => ({
    at: `${file}:${positionOf(text, at)}`,
    error: new KedgeError('CONFIG_INVALID', message, hint === undefined ? {} : { hint }),
  }))
}

export function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  const column = Array.from(before.at(-1) ?? '').length + 1
  return `${before.length}:${column}`
}
