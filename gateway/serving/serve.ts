/** Answers the other verbs while this process holds the store. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Live } from '../live.ts'
import { queries } from '../queries/index.ts'
import type { Answer, Asked } from '../queries/query.ts'
import { answerAt } from './line-socket.ts'

export interface Question {
  readonly query: string
  readonly asked: Asked
}

export const serve = (path: string, live: Live): Promise<AsyncDisposable> =>
  answerAt(path, (question: Question) => answersTo(question, live))

async function* answersTo({ query, asked }: Question, live: Live): AsyncGenerator<Answer, void> {
  const run = Object.hasOwn(queries, query) ? queries[query] : undefined
  if (run === undefined) throw new KedgeError('USAGE', `there is no query ${query}`)
  yield* run({ store: live.store, live }, asked)
}
