/** Answers the other verbs while this process holds the store. */
import { basename } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Live } from '../live.ts'
import { queries } from '../queries/index.ts'
import type { Answer, Asked } from '../queries/query.ts'
import { answerAt } from './line-socket.ts'

export interface Question {
  readonly query: string
  readonly asked: Asked
}

/** What fits into the address of a socket on every system; longer ones are cut off silently. */
const longestPath = 103

export async function serve(path: string, live: Live): Promise<AsyncDisposable> {
  if (Buffer.byteLength(path) > longestPath) {
    throw new KedgeError('USAGE', `the data folder's path is too long for ${basename(path)}`, {
      hint: `Name a folder with --data whose path has at most ${longestPath - basename(path).length - 1} bytes.`,
    })
  }
  return answerAt(path, (question: Question) => answersTo(question, live))
}

async function* answersTo({ query, asked }: Question, live: Live): AsyncGenerator<Answer, void> {
  const run = Object.hasOwn(queries, query) ? queries[query] : undefined
  if (run === undefined) throw new KedgeError('USAGE', `there is no query ${query}`)
  yield* run({ store: live.store, live }, asked)
}
