/** Puts a question to whoever holds the store: the running gateway, else this process for as long as it takes. */
import type { DataFolder } from '../data-folder.ts'
import { queries } from '../queries/index.ts'
import type { Answer, Asked, Query } from '../queries/query.ts'
import { openStore } from '../store.ts'
import { answersOf, connected } from './line-socket.ts'
import type { Question } from './serve.ts'

export async function* ask(
  data: DataFolder,
  query: string,
  asked: Asked,
): AsyncGenerator<Answer, void> {
  const socket = await connected(data.socket)
  if (socket) {
    yield* answersOf(socket, { query, asked } satisfies Question, 'the gateway')
    return
  }
  await using store = await openStore(data)
  yield* (queries[query] as Query)({ store, live: null }, asked)
}
