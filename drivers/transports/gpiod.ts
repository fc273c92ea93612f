/** The command lines of Debian's package gpiod, and what its commands print: libgpiod 1 (bookworm) and 2 (trixie) differ in both. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

type GpiodMajor = 1 | 2

export const pulls = ['up', 'down', 'none', 'as-is'] as const

export interface LineOptions {
  /** As `gpiodetect` prints it: gpiochip0. */
  readonly chip: string
  readonly line: number
  readonly pull: (typeof pulls)[number]
}

/** A change of the level, with the kernel's time of it: only differences between two of them mean anything. */
export interface Edge {
  readonly isHigh: boolean
  readonly atNs: bigint
}

export interface Chip {
  readonly name: string
  readonly label: string
  readonly lines: number
}

const bias = {
  1: { up: 'pull-up', down: 'pull-down', none: 'disable', 'as-is': null },
  2: { up: 'pull-up', down: 'pull-down', none: 'disabled', 'as-is': null },
} as const

/** What follows the options of a command: 2 takes the chip as an option. */
function lineArguments(major: GpiodMajor, { chip, line, pull }: LineOptions): readonly string[] {
  const how = bias[major][pull]
  return [
    ...(how === null ? [] : [`--bias=${how}`]),
    ...(major === 1 ? [chip] : [`--chip=${chip}`]),
    String(line),
  ]
}

export const getArguments = (major: GpiodMajor, options: LineOptions): readonly string[] => [
  ...(major === 1 ? [] : ['--numeric']),
  ...lineArguments(major, options),
]

export const monitorArguments = (major: GpiodMajor, options: LineOptions): readonly string[] => [
  // By its number an edge means another thing in each: 0 and 1 in the one, 2 and 1 in the other.
  ...(major === 1 ? ['--line-buffered', '--format=%e %s %n'] : ['--format=%E %S']),
  ...lineArguments(major, options),
]

export function parseVersion(text: string): GpiodMajor {
  const [, major] = /^\S{1,64} \(libgpiod\) v([12])\.\d/.exec(text) ?? []
  if (major === undefined) {
    throw new KedgeError('SENSOR_ABSENT', 'gpiomon is of a version that is not known here', {
      hint: 'Install the package gpiod of libgpiod 1.5 or later, or 2.',
    })
  }
  return major === '1' ? 1 : 2
}

/** What `gpiodetect` prints, a chip a line. */
export const parseChips = (text: string): readonly Chip[] =>
  text.split('\n').flatMap((line) => {
    const match = /^(\S{1,64}) \[(.{0,64})\] \((\d{1,6}) lines?\)$/.exec(line)
    if (match === null) return []
    const [, name = '', label = '', lines] = match
    return [{ name, label, lines: Number(lines) }]
  })

/** What `gpioget` prints of one line: whether it is high. */
export function parseLevel(text: string): boolean {
  if (text === '0\n' || text === '1\n') return text === '1\n'
  throw new KedgeError('SENSOR_GARBLED', 'no level: neither 0 nor 1')
}

/** One line of `gpiomon`. */
export function parseEdge(major: GpiodMajor, line: string): Edge {
  const form =
    major === 1 ? /^([01]) (\d{1,12}) (\d{1,9})$/ : /^(rising|falling) (\d{1,12})\.(\d{9})$/
  const match = form.exec(line)
  if (match === null) throw new KedgeError('SENSOR_GARBLED', 'no edge: not a line of gpiomon')
  const [, edge, seconds = '', nanoseconds = ''] = match
  return {
    isHigh: edge === '1' || edge === 'rising',
    atNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
  }
}

const mostBytes = 128

/** Splits what arrives into lines; one that is too long comes as its first bytes, once. */
export function lineSplitter(): (bytes: Uint8Array) => readonly Uint8Array[] {
  let rest: number[] = []
  let isCut = false
  return (bytes) => {
    const lines: Uint8Array[] = []
    for (const byte of bytes) {
      if (byte === 0x0a) {
        if (!isCut) lines.push(Uint8Array.from(rest))
        rest = []
        isCut = false
      } else if (!isCut && rest.push(byte) > mostBytes) {
        lines.push(Uint8Array.from(rest))
        isCut = true
      }
    }
    return lines
  }
}
