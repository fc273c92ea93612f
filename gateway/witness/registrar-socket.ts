/** The registrar's way to a witness that runs: DIR/witness.sock, which only its owner may use. */

import type { SecretReference } from '../keys/secret.ts'
import type { Answer } from '../queries/query.ts'
import { answerAt, answersOf, connected } from '../serving/line-socket.ts'
import { openWitness, type Witness, witnessSocket } from './open-witness.ts'
import { approve, type EnrolledRow, listEnrolled } from './registrar.ts'

type RegistrarQuestion =
  | { readonly ask: 'list' }
  /** The request file's bytes in base64, judged once more where it counts. */
  | { readonly ask: 'approve'; readonly file: string; readonly incarnation?: number }

/** Of who asks. */
const longestSilenceMs = 10_000
/** Of the witness, between two lines: longer than its disk is ever busy with one entry. */
const longestThoughtMs = 30_000

export const serveRegistrar = (folder: string, witness: Witness): Promise<AsyncDisposable> =>
  answerAt(
    witnessSocket(folder),
    (question: RegistrarQuestion) => answersFrom(witness, question),
    longestSilenceMs,
  )

/** Asks the witness that runs in this folder, or opens the folder for as long as it takes. */
export async function* askRegistrar(
  folder: string,
  secret: SecretReference | undefined,
  question: RegistrarQuestion,
  longestWaitMs = longestThoughtMs,
): AsyncGenerator<EnrolledRow, void> {
  const socket = await connected(witnessSocket(folder))
  if (socket) {
    for await (const answer of answersOf(socket, question, 'the witness', longestWaitMs)) {
      if ('line' in answer) yield answer.line as EnrolledRow
    }
    return
  }
  await using witness = await openWitness({ folder, secret, mayCreate: false })
  yield* rowsFor(witness, question)
}

async function* answersFrom(
  witness: Witness,
  question: RegistrarQuestion,
): AsyncGenerator<Answer, void> {
  for await (const line of rowsFor(witness, question)) yield { line }
}

async function* rowsFor(
  witness: Witness,
  question: RegistrarQuestion,
): AsyncGenerator<EnrolledRow, void> {
  const keeper = await witness.keeper()
  if (question.ask === 'list') yield* listEnrolled(keeper)
  else yield await approve(keeper, Buffer.from(question.file, 'base64'), question.incarnation)
}
