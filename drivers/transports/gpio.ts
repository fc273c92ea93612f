/** One input line of a GPIO chip, through the commands of Debian's package gpiod: no addon knows every Raspberry Pi. */
import { z } from 'zod'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { outputOf, startCommand } from './command.ts'
import { within } from './deadline.ts'
import {
  type Chip,
  type Edge,
  getArguments,
  type LineOptions,
  lineSplitter,
  monitorArguments,
  parseChips,
  parseEdge,
  parseLevel,
  parseVersion,
  pulls,
} from './gpiod.ts'

export type { Edge } from './gpiod.ts'

/** What a command said and what it is: no reading, if it has a reason. */
export type Said<Value> =
  | { readonly value: Value }
  | { readonly reason: string; readonly bytes: Uint8Array }

interface GpioLine {
  /** Whether it is high; the kernel gives a line to one program at a time, so not while it is watched. */
  look(): Promise<Said<boolean>>
  /** The edges of the next `ms` milliseconds; null when none came for `quietMs` after one. */
  watch(ms: number, quietMs: number): AsyncGenerator<Said<Edge> | null, void>
}

export const gpioOptions = {
  line: z
    .int()
    .min(0)
    .max(1023)
    .describe('Number of the line: 17 is what the pinout of a Raspberry Pi calls GPIO17'),
  chip: z
    .string()
    .regex(/^[\w./:@-]{1,64}$/, 'a name or a label of at most 64 characters')
    .meta({ title: 'a name such as gpiochip0, or a label such as pinctrl-rp1' })
    .optional()
    .describe(
      'Label or name of the chip, as gpiodetect prints it (that of the 40-pin header if not given)',
    ),
  pull: z
    .enum(pulls)
    .default('up')
    .describe('Resistor in the chip: up for a contact between the line and ground'),
  silentMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(5000)
    .describe('A chip that does not answer for so long counts as gone'),
  tools: z
    .string()
    .regex(/^\.{0,2}\/[^\0]*$/, 'a path: /from/the/root, or ./from/the/data/folder')
    .meta({ title: 'a path: /from/the/root, or ./from/the/data/folder' })
    .optional()
    .describe('Folder of gpiomon, gpioget and gpiodetect (looked for on PATH if not given)'),
}

interface GpioOptions {
  readonly line: number
  readonly chip?: string | undefined
  readonly pull: LineOptions['pull']
  readonly silentMs: number
  readonly tools?: string | undefined
}

const gpiod = {
  neededBy: 'contacts',
  hint: 'Install the package gpiod: apt-get install gpiod.',
}

/** The chips of the header on a Raspberry Pi: their numbers change with the kernel, their labels do not. */
const headers = ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835']

export async function openGpioLine(options: GpioOptions, signal: AbortSignal): Promise<GpioLine> {
  const { line, pull, silentMs, tools } = options
  const at = (command: string) => (tools === undefined ? command : `${tools}/${command}`)
  const run = async (command: string, args: readonly string[]) => {
    const ended = await outputOf({ ...gpiod, command: at(command), args, signal }, silentMs)
    if (ended === null) throw refusal(`${command} did not end within ${silentMs} ms`, '')
    return ended
  }

  const major = parseVersion((await run('gpiomon', ['--version'])).stdout)
  const detected = await run('gpiodetect', [])
  const chip = chipOf(options, parseChips(detected.stdout), detected.complaint)
  const place = { chip: chip.name, line, pull }
  const bounded = await boundedBy(signal, silentMs)

  return {
    async look() {
      const { code, stdout, complaint } = await run('gpioget', getArguments(major, place))
      if (code !== 0) throw refusal(`line ${line} of ${chip.name} cannot be read`, complaint)
      return said(() => parseLevel(stdout), Buffer.from(stdout, 'latin1'))
    },

    async *watch(ms, quietMs) {
      const asked = [at('gpiomon'), ...monitorArguments(major, place)]
      // Who is busy with a bounce, or with itself, ends it later than that.
      const [command = '', ...args] = bounded(asked, ms + 10 * quietMs + 5000)
      await using monitor = startCommand({ ...gpiod, command, args, signal })
      const split = lineSplitter()
      const chunks = monitor.chunks(ms, quietMs)
      for await (const chunk of chunks) {
        if (chunk === null) yield null
        else
          for (const bytes of split(chunk)) {
            yield said(() => parseEdge(major, Buffer.from(bytes).toString('latin1')), bytes)
          }
      }
      if (!monitor.wasStopped() && !signal.aborted) {
        const ended = await within(1000, monitor.ended())
        if (ended?.code === timeIsOver) return
        const what = `line ${line} of ${chip.name} cannot be watched`
        if (ended === null) throw refusal(`${what}: gpiomon says nothing more and goes on`, '')
        throw refusal(what, ended.complaint)
      }
    },
  }
}

/** What `timeout` says of a command that it has ended. */
const timeIsOver = 124

/**
 * Who is killed outright ends nobody: gpiomon would hold the line until its next edge. Where there is coreutils' `timeout`
 * (that of others does not pass on a signal) it ends by itself. It is the system's, and in no folder of `tools`.
 */
async function boundedBy(signal: AbortSignal, deadlineMs: number) {
  const asked = { ...gpiod, command: 'timeout', args: ['--version'], signal }
  const version = await outputOf(asked, deadlineMs).catch((error) => {
    if (error instanceof KedgeError) return null
    throw error
  })
  const isThere = version?.stdout.includes('(GNU coreutils)') === true
  // It insists before we do: who kills it leaves what it has started.
  return (command: readonly string[], ms: number): readonly string[] =>
    isThere ? ['timeout', '-k', '0.5', String(Math.ceil(ms / 1000)), ...command] : command
}

function said<Value>(parse: () => Value, bytes: Uint8Array): Said<Value> {
  try {
    return { value: parse() }
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error
    return { reason: error.message, bytes: Uint8Array.from(bytes) }
  }
}

function chipOf({ chip, line }: GpioOptions, chips: readonly Chip[], complaint: string): Chip {
  const wanted = chip === undefined ? headers : [chip.replace(/^\/dev\//, '')]
  const found = chips.find(({ name, label }) => wanted.includes(label) || wanted.includes(name))
  if (found === undefined) {
    const there = chips.map(({ name, label }) => `${name} [${label}]`).join(', ')
    throw refusal(
      `no GPIO chip ${chip ?? 'of a 40-pin header'} (${there || 'none at all'})`,
      complaint,
    )
  }
  if (line >= found.lines) {
    throw refusal(`${found.name} has no line ${line}, only ${found.lines}`, complaint)
  }
  return found
}

/** One line, without what could disturb a terminal. */
const tidy = (text: string) =>
  (text.trim().split('\n').at(-1) ?? '').replace(/[^ -~]/g, '?').slice(0, 160)

function refusal(what: string, complaint: string): KedgeError {
  const why = tidy(complaint)
  const hint = /permission denied/i.test(why)
    ? 'Put the user of the gateway into the group gpio.'
    : /busy/i.test(why)
      ? 'Another program holds this line: gpioinfo names it.'
      : 'Check chip and line against what gpiodetect and gpioinfo print.'
  return new KedgeError('SENSOR_ABSENT', why ? `${what}: ${why}` : what, { hint })
}
