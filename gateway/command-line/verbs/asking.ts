/** Verbs that put one question to the store, whether the gateway runs or not. */
import { writeFile } from 'node:fs/promises'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import type { Asked } from '../../queries/query.ts'
import { ask } from '../../serving/ask.ts'
import type { Arguments } from '../arguments.ts'
import { dataOf } from '../data-of.ts'
import { typedPath } from '../paths.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'

type Line = Readonly<Record<string, unknown>>

const linesAtOnce = 500

/** Prints what is answered, writes the file that comes with it, and gives the exit code. */
export async function askAndPrint(
  args: Arguments,
  terminal: Terminal,
  query: string,
  asked: Asked,
  inWords: (line: Line) => string = (line) => printable(JSON.stringify(line)),
): Promise<number> {
  const output = asked.output
  let exit = 0
  let lines: string[] = []
  let isBegun = false
  for await (const answer of ask(dataOf(args), query, asked)) {
    if ('exit' in answer) exit = answer.exit
    if ('bytes' in answer) {
      await writeOutput(String(output), answer.bytes, isBegun)
      isBegun = true
    }
    if ('line' in answer) {
      const line = typeof output === 'string' ? { file: output, ...answer.line } : answer.line
      lines.push(terminal.json ? jsonLine(line) : inWords(line))
    }
    if (lines.length < linesAtOnce) continue
    if (!(await terminal.print(...lines))) return exit
    lines = []
  }
  await terminal.print(...lines)
  return exit
}

export function outputOf(args: Arguments, usage: string): string {
  const output = args.text('output')
  if (output !== undefined) return output
  throw new KedgeError('USAGE', 'where to? -o FILE is wanted', { hint: usage })
}

export async function writeOutput(path: string, bytes: Uint8Array, isMore = false): Promise<void> {
  await writeFile(typedPath(path), bytes, { flag: isMore ? 'a' : 'w' }).catch((cause) => {
    throw new KedgeError('FILE_UNREADABLE', `cannot write ${path}: ${cause.message}`, { cause })
  })
}

export function noOperands({ operands }: Arguments, verb: string): void {
  if (operands.length > 0) {
    throw new KedgeError('USAGE', `${verb} takes no ${operands[0]}`, { hint: `kedge help ${verb}` })
  }
}
