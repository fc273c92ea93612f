/** Standard output and standard error as a verb sees them. */
import { setImmediate } from 'node:timers/promises'
import { type ErrorCode, KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Language, languageOf } from './words.ts'

export interface Terminal {
  readonly json: boolean
  readonly language: Language
  /** Prints lines as they are; false when nobody reads any more. */
  print(...lines: readonly string[]): Promise<boolean>
  /** What is going on meanwhile, on standard error. */
  note(text: string): void
  /** Explains an error on standard error and gives the exit code that belongs to it. */
  explain(error: unknown, at?: string): number
  good(text: string): string
  bad(text: string): string
  doubtful(text: string): string
}

const exitCodes: Partial<Record<ErrorCode, number>> = {
  USAGE: 2,
  FILE_UNREADABLE: 2,
  CONFIG_INVALID: 2,
  TRUST_INVALID: 2,
  EVIDENCE_MALFORMED: 4,
  STORE_MISSING: 2,
  STORE_EXISTS: 2,
  NOT_FOUND: 2,
  STORE_IN_USE: 75,
  STORE_FULL: 75,
  STORE_FAILED: 75,
  LEDGER_IN_USE: 75,
  LISTEN_REFUSED: 75,
  NOT_ANCHORED: 75,
  NOT_SIGNED: 75,
}

export function openTerminal(json: boolean, lang: string | undefined): Terminal {
  const isRead = watchOutput()
  const hasColour = process.stdout.isTTY === true && !process.env.NO_COLOR
  const colour = (code: number) => (text: string) =>
    hasColour ? `\u001b[${code}m${text}\u001b[0m` : text
  return {
    json,
    language: languageOf(lang, process.env),
    async print(...lines) {
      if (isRead() && lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
      // A reader that went away is noticed between turns of the event loop.
      await setImmediate()
      return isRead()
    },
    note(text) {
      process.stderr.write(`kedge: ${printable(text)}\n`)
    },
    explain(error, at) {
      const { code, message, hint } = asKedgeError(error)
      if (json) {
        process.stderr.write(`${jsonLine({ error: { code, message, at, hint } })}\n`)
      } else {
        const place = at === undefined ? '' : `${printable(at)}: `
        const name = code === 'INTERNAL' ? '' : ` (${code})`
        process.stderr.write(`kedge: ${place}${printable(message)}${name}\n`)
        if (hint) process.stderr.write(`kedge: hint: ${printable(hint)}\n`)
      }
      return exitCodes[code] ?? 1
    },
    good: colour(32),
    bad: colour(31),
    doubtful: colour(33),
  }
}

/** `kedge show FILE | head` ends quietly; a verdict keeps its exit code even so. */
function watchOutput(): () => boolean {
  let open = true
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    open = false
    if (error.code === 'EPIPE') return
    process.stderr.write(`kedge: cannot write to standard output: ${error.message}\n`)
    process.exit(1)
  })
  process.stderr.on('error', () => {})
  return () => open
}

function asKedgeError(error: unknown): KedgeError {
  if (error instanceof KedgeError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new KedgeError('INTERNAL', `internal error: ${message}`, { cause: error })
}

// C0, C1, bidi overrides and other invisible format characters, line separators, half characters.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text from a file or a person, made unable to move the cursor, turn the line or forge a new one. */
export const printable = (text: string): string =>
  text.replace(unprintable, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)

/** The same for JSON, where an escape changes nothing in the value. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(unprintable, (char) =>
    Array.from({ length: char.length }, (_, i) => char.charCodeAt(i).toString(16).padStart(4, '0'))
      .map((hex) => `\\u${hex}`)
      .join(''),
  )

/** Pads to a width in columns, of which a Chinese character takes two. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columnsOf(text)))

export const columnsOf = (text: string): number =>
  Array.from(text).reduce((n, char) => n + (/[\u1100-\u115f\u2e80-\uffdf]/.test(char) ? 2 : 1), 0)
