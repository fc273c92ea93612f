/** Questions and answers as lines over a socket that only its owner may use: a connection is one question. */
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { basename } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Answer } from '../queries/query.ts'
import { decodeAnswer, encodeAnswer, encodeError, endOfAnswers } from './wire.ts'

/** What fits into the address of a socket on every system; longer ones are cut off silently. */
const longestPath = 103

/** For who has more to make in that folder, and must not begin. */
export function mustFitSocket(path: string): void {
  if (Buffer.byteLength(path) <= longestPath) return
  throw new KedgeError('USAGE', `the data folder's path is too long for ${basename(path)}`, {
    hint: `Name a folder with --data whose path has at most ${longestPath - basename(path).length - 1} bytes.`,
  })
}

/** In characters. */
const longestQuestion = 64 * 1024

/** Answers whoever asks at this path, until it is disposed of. */
export async function answerAt<Question>(
  path: string,
  answersTo: (question: Question) => AsyncIterable<Answer>,
  /** After so long without a word a connection is closed; 0: never. */
  longestSilenceMs = 0,
): Promise<AsyncDisposable> {
  mustFitSocket(path)
  // Whoever left it there is gone: the folder is ours.
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setTimeout(longestSilenceMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    void answer(socket, answersTo)
  })
  // The mask, so that nobody else can come in before the mode is set.
  const before = process.umask(0o177)
  try {
    server.listen(path)
    await once(server, 'listening')
  } finally {
    process.umask(before)
  }
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
    await rm(path, { force: true })
  }
  try {
    await chmod(path, 0o600)
  } catch (error) {
    await close()
    throw error
  }
  return { [Symbol.asyncDispose]: close }
}

async function answer<Question>(
  socket: Socket,
  answersTo: (question: Question) => AsyncIterable<Answer>,
): Promise<void> {
  try {
    for await (const one of answersTo(await questionFrom(socket))) {
      for (const line of encodeAnswer(one)) {
        if (socket.destroyed) return
        if (!socket.write(line)) await drained(socket)
      }
    }
    socket.end(endOfAnswers)
  } catch (error) {
    socket.end(encodeError(error))
  }
}

/** Also ends when nobody reads any more. */
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })

async function questionFrom<Question>(socket: Socket): Promise<Question> {
  let text = ''
  socket.setEncoding('utf8')
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) return JSON.parse(text.slice(0, end)) as Question
    if (text.length > longestQuestion) break
  }
  throw new KedgeError('USAGE', 'no question came')
}

/** Undefined where nobody answers. */
export async function connected(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    socket.destroy()
    return undefined
  }
}

/** What the other side answers; it throws what that one threw. */
export async function* answersOf(
  socket: Socket,
  question: unknown,
  /** Who is asked, for the error where they are gone before the end. */
  whom: string,
  /** For whom no question takes long; 0: waits as long as it takes. */
  longestSilenceMs = 0,
): AsyncGenerator<Answer, void> {
  socket.setEncoding('utf8')
  socket.setTimeout(longestSilenceMs, () => socket.destroy(silent(whom, longestSilenceMs)))
  socket.write(`${JSON.stringify(question)}\n`)
  const pieces: Buffer[] = []
  let rest = ''
  try {
    for await (const text of socket) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (yield* decodeAnswer(line, pieces)) return
    }
  } catch (error) {
    throw error instanceof KedgeError ? error : ended(whom, error)
  } finally {
    socket.destroy()
  }
  throw ended(whom)
}

const silent = (whom: string, forMs: number): KedgeError =>
  new KedgeError('STORE_FAILED', `${whom} has not answered for ${forMs / 1000} s`, {
    hint: 'Look whether its process is stopped or too busy, and try again.',
  })

const ended = (whom: string, cause?: unknown): KedgeError =>
  new KedgeError('STORE_FAILED', `${whom} ended before it had answered`, {
    hint: 'Try again.',
    cause,
  })
