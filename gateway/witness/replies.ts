/** What a witness says to each question that may come over the wire. */
import { bytesToHex, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { extensionsOnly } from '../../anchor-client/evidence/proofs/witness.ts'
import { maxUint32 } from '../../anchor-client/evidence/values.ts'
import { encodeAnswer } from '../../anchor-client/ledgers/witness/answers.ts'
import type { WitnessBook } from '../../anchor-client/ledgers/witness/book.ts'
import type { SignedEntry } from '../../anchor-client/ledgers/witness/entries.ts'
import { anchorCovering, findIncarnation } from '../../anchor-client/ledgers/witness/rules.ts'
import {
  aboutGateway,
  aboutItself,
  encodePage,
  encodeSelf,
  encodeState,
  encodeStatement,
  nonceBytes,
  pageEntries,
  type StateEntries,
  statementMessage,
} from '../../anchor-client/ledgers/witness/statements.ts'
import type { Witness } from './open-witness.ts'

export interface Question {
  readonly method: string
  readonly path: string
  readonly parameters: URLSearchParams
  readonly body: Uint8Array
}

/** Bytes for a gateway, or a line for a person with its status. */
export type Reply = Uint8Array | { readonly status: number; readonly line: string }

type Answering = (witness: Witness, question: Question) => Promise<Reply>

const routes: Readonly<Record<string, Answering>> = {
  'GET /': welcome,
  'GET /v1/self': self,
  'GET /v1/state': state,
  'GET /v1/anchors': anchors,
  'GET /v1/entries': entries,
  'POST /v1/requests': async (witness, { body }) => {
    const answer = await (await witness.keeper()).submit(body)
    // Nobody knows yet whether it is on the disk, or it is not the gateway's turn: to be asked again.
    return answer.state === 'unknown' ? { status: 503, line: answer.why } : encodeAnswer(answer)
  },
  'POST /v1/requests/status': async (witness, { body }) =>
    encodeAnswer(await (await witness.keeper()).look(body)),
}

export async function replyTo(witness: Witness, question: Question): Promise<Reply> {
  const route = `${question.method} ${question.path}`
  const answering = Object.hasOwn(routes, route) ? routes[route] : undefined
  if (answering === undefined) return { status: 404, line: 'there is nothing here' }
  try {
    return await answering(witness, question)
  } catch (error) {
    if (error instanceof Misasked) return { status: 400, line: error.message }
    throw error
  }
}

class Misasked extends Error {}

async function welcome({ publicKey, ledgerId }: Witness): Promise<Reply> {
  const line = `kedge witness ${bytesToHex(ledgerId)}, public key ${bytesToHex(publicKey)}`
  return { status: 200, line }
}

async function self(witness: Witness, { parameters }: Question): Promise<Reply> {
  const { book } = await witness.keeper()
  const body = encodeSelf({ key: witness.publicKey, rules: extensionsOnly, count: book.count })
  return stated(witness, parameters, aboutItself, body)
}

async function state(witness: Witness, { parameters }: Question): Promise<Reply> {
  const { gateway, incarnation } = subject(parameters)
  const { book } = await witness.keeper()
  const body = encodeState(await stateOf(book, gateway, incarnation))
  return stated(witness, parameters, aboutGateway(gateway, incarnation), body)
}

function stated(
  witness: Witness,
  parameters: URLSearchParams,
  question: Uint8Array,
  body: Uint8Array,
): Reply {
  const nonce = bytesIn(parameters, 'nonce', nonceBytes)
  const signature = witness.sign(statementMessage(nonce, question, body))
  return encodeStatement({ body, signature })
}

async function stateOf(
  { register, read }: WitnessBook,
  gateway: Uint8Array,
  incarnation: number,
): Promise<StateEntries | null> {
  const of = findIncarnation(register, { gateway, incarnation })
  if (of === undefined) return null
  const lives = register.get(bytesToHex(gateway)) ?? []
  // All numbers of one moment, before anything is waited for.
  const { admittedAs, rotation, anchors, fork } = of
  const numbers = [rotation?.number, anchors.at(-1)?.number, fork ?? undefined]
  const next = lives[lives.indexOf(of) + 1]?.admittedAs
  const found = (number: number | undefined) => (number === undefined ? null : read(number))
  const [rotated = null, anchor = null, forked = null] = await Promise.all(numbers.map(found))
  return {
    admission: await read(admittedAs),
    rotation: rotated,
    anchor,
    fork: forked,
    closing: await found(next),
  }
}

async function anchors(witness: Witness, { parameters }: Question): Promise<Reply> {
  const { gateway, incarnation } = subject(parameters)
  const from = numberIn(parameters, 'from')
  const most = numberIn(parameters, 'most', pageEntries)
  const { book } = await witness.keeper()
  const of = findIncarnation(book.register, { gateway, incarnation })
  const first = of && anchorCovering(of, from)
  if (!of || !first) return encodePage([])
  const at = of.anchors.indexOf(first)
  const page = of.anchors.slice(at, at + most)
  return encodePage(await Promise.all(page.map(({ number }) => book.read(number))))
}

/** The whole log, entry by entry: whoever wants to watch the witness may keep a copy. */
async function entries(witness: Witness, { parameters }: Question): Promise<Reply> {
  const { book } = await witness.keeper()
  const newest = Math.max(0, book.count - 1)
  const from = parameters.get('from') === 'newest' ? newest : numberIn(parameters, 'from')
  const to = Math.min(book.count, from + numberIn(parameters, 'most', pageEntries))
  const page: SignedEntry[] = []
  for (let number = from; number < to; number++) page.push(await book.read(number))
  return encodePage(page)
}

const subject = (parameters: URLSearchParams) => ({
  gateway: bytesIn(parameters, 'gateway', 32),
  incarnation: numberIn(parameters, 'incarnation', maxUint32),
})

function bytesIn(parameters: URLSearchParams, name: string, length: number): Uint8Array {
  const text = parameters.get(name) ?? ''
  if (text.length === 2 * length && /^[0-9a-f]+$/.test(text)) return hexToBytes(text)
  throw new Misasked(`${name} is ${length} bytes in small hexadecimal digits`)
}

function numberIn(
  parameters: URLSearchParams,
  name: string,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const text = parameters.get(name) ?? ''
  const number = Number(text)
  if (/^(?:0|[1-9]\d{0,15})$/.test(text) && number <= most) return number
  throw new Misasked(`${name} is a whole number up to ${most}`)
}
