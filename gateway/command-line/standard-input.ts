/** Standard input as text, with an end to how much of it is held. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

type Chunks = AsyncIterable<Uint8Array | string>

const mostAtOnce = 1024 * 1024

/** All of it. */
export async function textOf(input: Chunks): Promise<string> {
  let text = ''
  for await (const chunk of latin1(input)) {
    text += chunk
    if (text.length > mostAtOnce) throw tooLong()
  }
  return text
}

/** Line by line, as they come. */
export async function* linesOf(input: Chunks): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of latin1(input)) {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > mostAtOnce) throw tooLong()
  }
  if (rest !== '') yield rest
}

/** A byte a character: what a device says is not always text. */
async function* latin1(input: Chunks): AsyncGenerator<string, void> {
  for await (const chunk of input) yield Buffer.from(chunk as Uint8Array).toString('latin1')
}

const tooLong = () => new KedgeError('USAGE', 'more than 1 MiB in one piece on standard input')
