/** How answers go over a socket: a line of JSON each. */
import { type ErrorCode, errorCodes, KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Answer } from '../queries/query.ts'

/** Bytes of a file go in pieces, so that no line is long. */
const pieceBytes = 96 * 1024

export function* encodeAnswer(answer: Answer): Generator<string, void> {
  if (!('bytes' in answer)) {
    yield `${JSON.stringify(answer)}\n`
    return
  }
  const { bytes } = answer
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = Buffer.from(bytes.subarray(at, at + pieceBytes)).toString('base64')
    yield `${JSON.stringify({ piece, isLast: at + pieceBytes >= bytes.length })}\n`
  }
}

export function encodeError(error: unknown): string {
  const { code, message, hint } =
    error instanceof KedgeError ? error : new KedgeError('INTERNAL', String(error))
  return `${JSON.stringify({ error: { code, message, hint } })}\n`
}

export const endOfAnswers = `${JSON.stringify({ end: true })}\n`

/** Throws what the other side threw; true at the end. */
export function* decodeAnswer(line: string, pieces: Buffer[]): Generator<Answer, boolean> {
  const said = JSON.parse(line) as Record<string, unknown>
  if (said.end === true) return true
  if (typeof said.error === 'object' && said.error !== null) {
    const { code, message, hint } = said.error as Record<string, string>
    const known = Object.hasOwn(errorCodes, code ?? '') ? (code as ErrorCode) : 'INTERNAL'
    throw new KedgeError(known, message ?? '', hint === undefined ? {} : { hint })
  }
  if (typeof said.piece === 'string') {
    pieces.push(Buffer.from(said.piece, 'base64'))
    if (said.isLast === true) yield { bytes: Uint8Array.from(Buffer.concat(pieces.splice(0))) }
  } else {
    yield said as unknown as Answer
  }
  return false
}
