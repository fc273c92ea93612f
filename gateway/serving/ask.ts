/** Puts a question to whoever holds the store: the running gateway, else this process for as long as it takes. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { DataFolder } from '../data-folder.ts'
import { queries } from '../queries/index.ts'
import type { Answer, Asked, Query } from '../queries/query.ts'
import { openStore } from '../store.ts'
import { decodeAnswer } from './wire.ts'

export async function* ask(
  data: DataFolder,
  query: string,
  asked: Asked,
): AsyncGenerator<Answer, void> {
  const socket = await connected(data.socket)
  if (socket) {
    yield* answersOf(socket, query, asked)
    return
  }
  await using store = await openStore(data)
  yield* (queries[query] as Query)({ store, live: null }, asked)
}

/** Undefined where nobody answers. */
async function connected(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    socket.destroy()
    return undefined
  }
}

async function* answersOf(
  socket: Socket,
  query: string,
  asked: Asked,
): AsyncGenerator<Answer, void> {
  socket.setEncoding('utf8')
  socket.write(`${JSON.stringify({ query, asked })}\n`)
  const pieces: Buffer[] = []
  let rest = ''
  try {
    for await (const text of socket) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (yield* decodeAnswer(line, pieces)) return
    }
  } catch (error) {
    throw error instanceof KedgeError ? error : ended(error)
  } finally {
    socket.destroy()
  }
  throw ended()
}

const ended = (cause?: unknown): KedgeError =>
  new KedgeError('STORE_FAILED', 'the gateway ended before it had answered', {
    hint: 'Try again.',
    cause,
  })
